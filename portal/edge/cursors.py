"""Cursors: signed, opaque texts in an address that say where a page of a list begins."""

from datetime import datetime
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from portal import vault

LONGEST = 7_000  # characters: a name of the longest kind, escaped, in a request line that servers take


def encode_row(position: tuple[datetime, UUID], *, of: str) -> str:
    """The cursor for a row (time, uuid) of the list called `of`, which is sorted by time."""
    return encode([position[0].isoformat(), str(position[1])], of=of)


def decode_row(cursor: str, *, of: str) -> tuple[datetime, UUID] | None:
    """The (time, uuid) of the row that the cursor names; None for "" and for what `encode_row` did not make."""
    match decode(cursor, of=of) if cursor else []:
        case [moment, uuid]:
            return datetime.fromisoformat(moment), UUID(uuid)
    return None


def encode(position: list[str], *, of: str) -> str:
    """The cursor for a row of the list called `of`, whose sort values are `position`."""
    return str(URLSafeSerializer(vault.signing_keys("cursor"), salt=of).dumps(position))


def decode(cursor: str, *, of: str) -> list[str]:
    """The sort values of the row that the cursor names; [] for a cursor that `encode` did not make for this list."""
    try:
        return [str(part) for part in URLSafeSerializer(vault.signing_keys("cursor"), salt=of).loads(cursor)]
    except (BadSignature, TypeError):
        return []
