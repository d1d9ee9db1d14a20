"""Members of rooms: users with permissions that somebody granted them one by one."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin
from portal.people.models import User
from portal.permissions.permission import IMPLIED, Permission
from portal.rooms.models import Room


class RoomMember(IdentifierMixin, TimestampMixin, Base):
    """A user in a room. `until` ends the grants."""

    __tablename__ = "room_members"

    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"))
    user_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid", ondelete="CASCADE"), index=True)
    permissions: Mapped[list[str]] = mapped_column(default=list)
    until: Mapped[datetime | None]
    room: Mapped[Room] = relationship()
    user: Mapped[User] = relationship()

    __table_args__ = (sa.UniqueConstraint("room_uuid", "user_uuid"),)

    def granted(self, at: datetime) -> frozenset[Permission]:
        """What is granted at this time, with what it implies."""
        return granted(self.permissions, self.until, at)


def grants(permission: Permission) -> sa.ColumnElement[bool]:
    """The condition that a `RoomMember` was given this right, whatever its end: rights are stored as a JSON list."""
    return sa.cast(RoomMember.permissions, sa.String).contains(f'"{permission}"')


def granted(permissions: list[str], until: datetime | None, at: datetime) -> frozenset[Permission]:
    """What these words grant at this time, with what they imply; unknown words grant nothing."""
    if until is not None and at >= until:
        return frozenset()
    explicit = {Permission(word) for word in permissions if word in set(Permission)}
    return frozenset(explicit | {IMPLIED[permission] for permission in explicit & set(IMPLIED)})
