"""The identifiers of a row: a UUIDv7, which is ordered by creation, and a short random public id.

This module does not import `db`, so code that only writes or parses an identifier needs no session.
"""

from secrets import choice
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from ulid import ULID, base32

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # base 58
ID_LENGTH = 10


def new_uuid() -> UUID:
    """A UUIDv7, which is also a ULID: ordered by creation (RFC 9562)."""
    return ULID().to_uuid7(compliant=True)


def new_id() -> str:
    """A short public identifier, which says nothing about order or number."""
    return "".join(choice(_ALPHABET) for _ in range(ID_LENGTH))


def ulid_of(uuid: UUID) -> str:
    """The 128 bits of `uuid` in Crockford's base 32: 26 characters."""
    return base32.encode(uuid.bytes)


def identifies(text: str, id: str, uuid: UUID) -> bool:
    """Whether `text` is the id, uuid or ulid of the row with this public id and uuid."""
    return text == id if len(text) == ID_LENGTH else _parse_uuid(text) == uuid


class Identified(Protocol):
    """A row with a uuid, or a value that was read from it."""

    @property
    def uuid(self) -> UUID: ...


class IdentifierMixin:
    """The identifiers of a row: the primary key `uuid`, the same bits written as `ulid`, and the short public `id`.

    A column of another table that refers to such a row holds the uuid and is named after the row: `room_uuid`.
    """

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), unique=True, default=new_id)

    @property
    def ulid(self) -> str:
        """The 128 bits of `uuid` in Crockford's base 32: 26 characters."""
        return ulid_of(self.uuid)

    def has_identifier(self, text: str) -> bool:
        """Whether `text` is the id, uuid or ulid of this row."""
        return identifies(text, self.id, self.uuid)


def matches_identifier(model: type[IdentifierMixin], text: str) -> sa.ColumnElement[bool]:
    """The SQL condition that `text` is the row's id, uuid or ulid; false for a text that can be none of them."""
    if len(text) == ID_LENGTH:
        return model.id == text
    uuid = _parse_uuid(text)
    return model.uuid == uuid if uuid is not None else sa.false()


def _parse_uuid(text: str) -> UUID | None:
    """The UUID that `text` writes, as a uuid or as a ulid; None if it is neither."""
    try:
        return UUID(text) if "-" in text else ULID.from_str(text).to_uuid()
    except ValueError:
        return None
