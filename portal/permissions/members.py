"""The table of room members: users with permissions on a room that somebody granted them one by one."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin
from portal.people.memberships import MembershipMixin, words_granted
from portal.permissions.permission import IMPLIED, Permission
from portal.rooms.models import Room


class RoomMember(MembershipMixin, IdentifierMixin, TimestampMixin, Base):
    """A user in a room."""

    __tablename__ = "room_members"

    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"))
    room: Mapped[Room] = relationship()

    __table_args__ = (sa.UniqueConstraint("room_uuid", "user_uuid"),)

    def granted(self, at: datetime) -> frozenset[Permission]:
        """The permissions granted at `at`, with those that they imply."""
        return granted(self.permissions, self.until, at)


def granted(permissions: list[str], until: datetime | None, at: datetime) -> frozenset[Permission]:
    """What these columns of a membership grant in a room at this time, with what they imply."""
    explicit = {Permission(word) for word in words_granted(permissions, until, at) if word in set(Permission)}
    return frozenset(explicit | {IMPLIED[permission] for permission in explicit & set(IMPLIED)})
