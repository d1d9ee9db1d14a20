"""Where a page of a list begins: a signed, opaque word in the address."""

from datetime import datetime
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from portal import vault

LONGEST = 7_000  # characters: a name of the longest kind, escaped, in a request line that servers take


def encode_row(place: tuple[datetime, UUID], *, of: str) -> str:
    """The cursor that stands for a place in the list `of` by time: when a row was made, and which one that was."""
    return encode([place[0].isoformat(), str(place[1])], of=of)


def decode_row(cursor: str, *, of: str) -> tuple[datetime, UUID] | None:
    """The place that the cursor stands for; None for the beginning, and for a cursor that we did not write."""
    match decode(cursor, of=of) if cursor else []:
        case [moment, uuid]:
            return datetime.fromisoformat(moment), UUID(uuid)
    return None


def encode(place: list[str], *, of: str) -> str:
    """The cursor that stands for this place in the list `of`."""
    return str(URLSafeSerializer(vault.signing_keys("cursor"), salt=of).dumps(place))


def decode(cursor: str, *, of: str) -> list[str]:
    """The place that the cursor stands for, or [] for one that we did not write."""
    try:
        return [str(part) for part in URLSafeSerializer(vault.signing_keys("cursor"), salt=of).loads(cursor)]
    except (BadSignature, TypeError):
        return []
