"""Rooms: where people meet, watch or broadcast; and the three roles that somebody can have in one."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account
from portal.customers.models import Customer
from portal.db import Base, Dated, Identified, one_of
from portal.people.models import User
from portal.subscriptions.models import ServiceType, Subscription

ROOM_NAME_LENGTH = 200
SLUG_LENGTH = 80


class Role(StrEnum):
    """What a participant may do in a room. Comes from the server's record only."""

    MODERATOR = "moderator"
    ATTENDEE = "attendee"
    GUEST = "guest"


class RoomStatusWord(StrEnum):
    """May the room be used at all? (Whether something happens in it now is its live state.)"""

    ACTIVE = "active"
    INACTIVE = "inactive"


class Room(Identified, Dated, Base):
    """A room. Customer, subscription and type follow from its account and never change."""

    __tablename__ = "rooms"

    customer_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("customers.uuid"), index=True)
    account_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("accounts.uuid"), index=True)
    subscription_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("subscriptions.uuid"), index=True)
    owner_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid"), index=True)
    room_name: Mapped[str] = mapped_column(sa.String(ROOM_NAME_LENGTH))
    sort_name: Mapped[str] = mapped_column(sa.String(ROOM_NAME_LENGTH * 3))  # casefolded, which may triple it
    status: Mapped[RoomStatusWord] = mapped_column(one_of(RoomStatusWord), default=RoomStatusWord.ACTIVE)
    is_public: Mapped[bool] = mapped_column(default=False)
    room_type: Mapped[ServiceType] = mapped_column(one_of(ServiceType))
    slug: Mapped[str] = mapped_column(sa.String(SLUG_LENGTH))
    room_features: Mapped[dict[str, Any]] = mapped_column(default=dict)
    room_settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    room_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    trashed_at: Mapped[datetime | None]

    customer: Mapped[Customer] = relationship()
    account: Mapped[Account] = relationship()
    subscription: Mapped[Subscription] = relationship()
    owner: Mapped[User] = relationship()

    __table_args__ = (sa.Index("ix_rooms_sort_name_uuid", "sort_name", "uuid"),)

    @property
    def path(self) -> str:
        """The room's address below the public base URL."""
        return f"/rooms/{self.id}/{self.slug}"

    @property
    def description(self) -> str:
        """The global setting that every room has, or ""."""
        return str(self.room_settings.get("description") or "")
