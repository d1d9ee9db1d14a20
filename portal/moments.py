"""Moments as programs write and read them: ISO 8601 with a time zone."""

from datetime import UTC, datetime

from portal.errors import Invalid, Message

YEARS = range(2000, 2201)  # other moments do not exist in every time zone


def iso_datetime(at: datetime | None) -> str | None:
    """ISO 8601, UTC, microseconds, `Z`."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_moment(text: str) -> datetime:
    """The moment that is written, in UTC. A date is its first moment in UTC; a moment has to say its zone.

    Raises `Invalid` with a message and no field. The rule is that of tokens' `expires_at` in *domain*.
    """
    text = text.strip()
    try:
        if len(text) == len("2021-01-01"):
            text += "T00:00:00Z"
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(Message("Use a date, or a moment like 2027-01-31T18:30:00Z.")) from None
    if moment.year not in YEARS:
        raise Invalid(Message("Use a year from 2000 to 2200."))
    if moment.tzinfo is None:
        raise Invalid(Message("Say the time zone: end it with Z, or with an offset like +01:00."))
    return moment.astimezone(UTC)
