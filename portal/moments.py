"""Moments as programs write and read them: ISO 8601 with a time zone."""

import re
from datetime import UTC, datetime

from portal.errors import Invalid, Message

YEARS = range(2000, 2201)  # other moments do not exist in every time zone


_WRITTEN = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII | re.IGNORECASE
)


def iso_datetime(at: datetime | None) -> str | None:
    """ISO 8601, UTC, microseconds, `Z`."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def iso_seconds(at: datetime | None) -> str | None:
    """ISO 8601, UTC, whole seconds, `Z`: when tokens and codes end and were last used."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """The date or moment that is written with months and days; naive if it says no zone. Raises `ValueError`.

    Python also reads weeks (`2026-W01-1`) and dates without hyphens, which few people mean and fewer programs write.
    """
    if not _WRITTEN.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def read_moment(text: str) -> datetime:
    """The moment that is written, in UTC. A date is its first moment in UTC; a moment has to say its zone.

    Raises `Invalid` with a message and no field. The rule is that of tokens' `expires_at` in *domain*.
    """
    text = text.strip()
    try:
        if len(text) == len("2021-01-01"):
            text += "T00:00:00Z"
        moment = parse_iso(text)
    except ValueError:
        raise Invalid(Message("Use a date, or a moment like 2027-01-31T18:30:00Z.")) from None
    if moment.year not in YEARS:
        raise Invalid(Message("Use a year from 2000 to 2200."))
    if moment.tzinfo is None:
        raise Invalid(Message("Say the time zone: end it with Z, or with an offset like +01:00."))
    return moment.astimezone(UTC)
