"""Cursors: signed, opaque texts in an address that say after which row of a list a page begins.

A cursor names the list, its order and a position. It is believed for this list only, and read by the order that it
names.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from portal import vault
from portal.keyset import Key, Keys, Position

LONGEST = 7_000  # characters: a name of the longest kind, escaped, in a request line that servers take


def encode(position: Position, *, of: str, order: str = "") -> str:
    """The cursor for the page after this position in the list called `of`, in the order called `order`."""
    return str(_serializer(of).dumps([order, *map(_written, position)]))


def decode(cursor: str, *, of: str, orders: Mapping[str, Keys]) -> tuple[str, Position]:
    """The order and the position that the cursor names, which is one of `orders`.

    Raises `ValueError` for a cursor that `encode` did not make for this list.
    """
    try:
        order, *values = _serializer(of).loads(cursor)
        keys = orders[order]
        return order, [_read(value, key) for value, key in zip(values, keys, strict=True)]
    except (BadSignature, TypeError, KeyError) as error:
        raise ValueError("no cursor of this list") from error


def position_in(cursor: str, *, of: str, keys: Keys, order: str = "") -> Position | None:
    """The position that the cursor names; None for "", and for a cursor of another list or order."""
    try:
        return decode(cursor, of=of, orders={order: keys})[1] if cursor else None
    except ValueError:
        return None


def _serializer(of: str) -> URLSafeSerializer:
    return URLSafeSerializer(vault.signing_keys("cursor"), salt=of)


def _written(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case Enum():
            return value.value
    return value


def _read(value: Any, key: Key) -> Any:
    """The value of the key's column that `_written` wrote. Raises `ValueError` or `TypeError`."""
    if value is None:
        if not key.nullable:
            raise ValueError("this column has a value in every row")
        return None
    kind = key.column.type.python_type
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is UUID or issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, kind):
        raise TypeError(value)
    return value
