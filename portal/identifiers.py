"""By what a thing is called: its uuid, which tells its age, and a short public id, which tells nothing.

Apart from the database, so that what only spells an identifier needs no session.
"""

from secrets import choice
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from ulid import ULID

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # base 58
ID_LENGTH = 10


def new_uuid() -> UUID:
    """A UUIDv7, which is also a ULID: ordered by creation (RFC 9562)."""
    return ULID().to_uuid7(compliant=True)


def new_id() -> str:
    """A short public identifier, which says nothing about order or number."""
    return "".join(choice(_ALPHABET) for _ in range(ID_LENGTH))


class IdentifierMixin:
    """A row with the identifiers of the domain: `uuid`, its spelling `ulid`, and the short public `id`.

    Columns that refer to such a row hold the uuid and are called after it: `room_uuid`.
    """

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), unique=True, default=new_id)

    @property
    def ulid(self) -> str:
        """The same 128 bits in Crockford's base 32: 26 characters."""
        return str(ULID.from_uuid(self.uuid))

    def has_identifier(self, text: str) -> bool:
        """Whether its id, uuid or ulid is spelt like this."""
        return text == self.id if len(text) == ID_LENGTH else _parse_uuid(text) == self.uuid


def matches_identifier(model: type[IdentifierMixin], text: str) -> sa.ColumnElement[bool]:
    """The row whose id, uuid or ulid is spelt like this; none for what is no spelling at all."""
    if len(text) == ID_LENGTH:
        return model.id == text
    uuid = _parse_uuid(text)
    return model.uuid == uuid if uuid is not None else sa.false()


def _parse_uuid(text: str) -> UUID | None:
    """The uuid that is spelt like this, or as a ulid."""
    try:
        return UUID(text) if "-" in text else ULID.from_str(text).to_uuid()
    except ValueError:
        return None
