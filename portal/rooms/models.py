"""The table of rooms, and the three roles that a participant can have in one."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from portal.accounts.models import Account, AccountStatus
from portal.column_types import enum_type
from portal.customers.models import Customer, CustomerStatus
from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin
from portal.partial_indexes import partial_index
from portal.people.models import User
from portal.search_terms import search_terms
from portal.subscriptions.models import Subscription
from portal.subscriptions.provider_models import ServiceType

ROOM_NAME_LENGTH = 200
SORT_NAME_LENGTH = 400
SLUG_LENGTH = 80
RELATIONS = ("owner_uuid", "account_uuid", "customer_uuid")  # by which somebody sees rooms


class Role(StrEnum):
    """What a participant may do in a room. It is read from the database, never from the client."""

    MODERATOR = "moderator"
    ATTENDEE = "attendee"
    GUEST = "guest"

    @property
    def rank(self) -> int:
        """A number for comparing roles: the more a role may do, the higher."""
        return -list(Role).index(self)


class RoomStatusWord(StrEnum):
    """Whether a room may be used at all. Whether it is in use now is another matter: its live state."""

    ACTIVE = "active"
    INACTIVE = "inactive"


def sort_name_of(name: str) -> str:
    """The casefolded name, by which rooms are sorted and exact names are found."""
    return name.casefold()[:SORT_NAME_LENGTH]  # folding may triple it


def name_columns(name: str) -> dict[str, str]:
    """The column for a room's name, with those that follow from it, for sorting and searching."""
    return {"room_name": name, "sort_name": sort_name_of(name), "name_words": " ".join(search_terms(name))}


def description_in(settings: Mapping[str, Any]) -> str:
    """The setting `description` of a room with these settings, or ""."""
    return str(settings.get("description") or "")


def path_of(room_id: str, slug: str) -> str:
    """The path of a room's page, to be appended to the base URL."""
    return f"/rooms/{room_id}/{slug}"


class Room(IdentifierMixin, TimestampMixin, Base):
    """A place where people meet, watch or broadcast. Customer, subscription and type follow from its account."""

    __tablename__ = "rooms"

    customer_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("customers.uuid"))
    account_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("accounts.uuid"))
    subscription_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("subscriptions.uuid"))
    owner_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid"))
    room_name: Mapped[str] = mapped_column(sa.String(ROOM_NAME_LENGTH))
    sort_name: Mapped[str] = mapped_column(sa.String(SORT_NAME_LENGTH))
    name_words: Mapped[str] = mapped_column(sa.Text)
    status: Mapped[RoomStatusWord] = mapped_column(enum_type(RoomStatusWord), default=RoomStatusWord.ACTIVE)
    is_public: Mapped[bool] = mapped_column(default=False)
    room_type: Mapped[ServiceType] = mapped_column(enum_type(ServiceType))
    slug: Mapped[str] = mapped_column(sa.String(SLUG_LENGTH))
    room_features: Mapped[dict[str, Any]] = mapped_column(default=dict)
    room_settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    room_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    trashed_at: Mapped[datetime | None]
    first_recorded_at: Mapped[datetime | None]
    """When its first recording came to be known; None: it never had any, so that nobody needs to look for some."""

    customer: Mapped[Customer] = relationship()
    account: Mapped[Account] = relationship()
    subscription: Mapped[Subscription] = relationship()
    owner: Mapped[User] = relationship()

    __table_args__ = (  # a page of rooms by name, for each relation by which somebody sees them
        sa.Index("ix_rooms_sort_name_uuid", "sort_name", "uuid"),
        sa.Index("ix_rooms_owner_uuid_sort_name_uuid", "owner_uuid", "sort_name", "uuid"),
        sa.Index("ix_rooms_account_uuid_sort_name_uuid", "account_uuid", "sort_name", "uuid"),
        sa.Index("ix_rooms_customer_uuid_sort_name_uuid", "customer_uuid", "sort_name", "uuid"),
        *(  # and newest first
            sa.Index(f"ix_rooms_{relation}_created_at_uuid", relation, "created_at", "uuid") for relation in RELATIONS
        ),
        *(  # both of inactive rooms, of which there may be few among many
            partial_index(f"ix_rooms_inactive_{'_'.join(columns)}", *columns, where="status = 'inactive'")
            for order in ("sort_name", "created_at")
            for columns in ((order, "uuid"), *((relation, order, "uuid") for relation in RELATIONS))
        ),
        sa.Index("ix_rooms_created_at_uuid", "created_at", "uuid"),
        sa.Index("ix_rooms_updated_at_uuid", "updated_at", "uuid"),  # of who sees many: of few, sorting costs little
        sa.Index("ix_rooms_subscription_uuid_trashed_at", "subscription_uuid", "trashed_at"),  # for counting
    )

    @validates("room_name")
    def _follow(self, _key: str, name: str) -> str:
        """Derive the columns for sorting and searching whenever the name is set."""
        columns = name_columns(name)
        self.sort_name, self.name_words = columns["sort_name"], columns["name_words"]
        return name

    def usable(self, at: datetime) -> bool:
        """Whether runs may go on in it: it is active and not deleted, and so is all that stands above it."""
        return (
            self.status is RoomStatusWord.ACTIVE
            and self.trashed_at is None
            and self.customer.usable
            and self.account.status is AccountStatus.ACTIVE
            and self.subscription.is_active(at)
            and self.subscription.provider.active
        )

    @property
    def path(self) -> str:
        """The path of the room's page, to be appended to the base URL."""
        return path_of(self.id, self.slug)

    @property
    def customer_id(self) -> str:
        """The public id of its customer."""
        return self.customer.id

    @property
    def customer_status(self) -> CustomerStatus:
        """What its customer may do."""
        return self.customer.status

    @property
    def customer_owner_uuid(self) -> UUID:
        """Who owns its customer."""
        return self.customer.owner_uuid

    @property
    def webhooks(self) -> int:
        """How many active webhooks its customer has."""
        return self.customer.webhooks

    @property
    def account_id(self) -> str:
        """The public id of its account."""
        return self.account.id

    @property
    def account_owner_uuid(self) -> UUID:
        """Who owns its account."""
        return self.account.owner_uuid

    @property
    def subscription_id(self) -> str:
        """The public id of its subscription."""
        return self.subscription.id

    @property
    def owner_id(self) -> str:
        """The public id of its owner."""
        return self.owner.id

    @property
    def owner_name(self) -> str:
        """What its owner is called."""
        return self.owner.name

    @property
    def description(self) -> str:
        """The room's setting `description`, or ""."""
        return description_in(self.room_settings)
