"""A door as plain values: a room with all that it stands under, the visitor's link, and who is in.

They have the shape of the rows, so that the rules take either; but nothing is loaded behind them, and nothing that is
changed in them is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account, AccountStatus
from portal.admission.links import LinkLife
from portal.admission.models import RoomToken
from portal.admission.occupancy import Occupancy, this_token, with_occupancy
from portal.column_types import constant
from portal.customers.models import Customer, CustomerStatus, display_name
from portal.media.capacity import Counts, counts_column
from portal.people.models import User
from portal.plain_values import columns_for
from portal.providers.base import LiveState, RecordingMode
from portal.rooms.models import Role, Room, RoomStatusWord, description_in, path_of
from portal.rooms.protocols import AccountLike, CustomerLike
from portal.status.entrance import with_run
from portal.status.models import RoomSession, RoomStatus
from portal.subscriptions.feature_catalog import Value
from portal.subscriptions.models import Subscription, is_active, plan_column, plan_values
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.term_read import TERM, TermRead


@dataclass(frozen=True)
class DoorCustomer:
    """The customer of a room."""

    status: CustomerStatus
    company_name: str | None
    first_name: str | None
    last_name: str | None
    email: str
    webhooks: int

    @property
    def display_name(self) -> str:
        """The name to show: the company's, else the person's, else the e-mail address."""
        return display_name(self.company_name, self.first_name, self.last_name, self.email)

    @property
    def usable(self) -> bool:
        """Whether the customer's rooms work."""
        return self.status.usable


@dataclass(frozen=True)
class DoorAccount:
    """The account of a room."""

    status: AccountStatus


@dataclass(frozen=True)
class DoorProvider:
    """The provider on which runs of a room start."""

    uuid: UUID
    id: str
    provider_type: str
    active: bool
    draining: bool
    down_since: datetime | None
    last_error_at: datetime | None
    properties: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class DoorSubscription:
    """The subscription of a room: its term, the values of its plan, and its provider."""

    term: TermRead
    values: Mapping[str, Value]
    provider: ProviderLike

    def is_active(self, at: datetime) -> bool:
        """Whether it may be used at `at`."""
        return is_active(self.term, at)


@dataclass(frozen=True)
class DoorRoom:
    """A room, not trashed, with all that it stands under."""

    __tablename__ = Room.__tablename__

    uuid: UUID
    id: str
    room_name: str
    slug: str
    status: RoomStatusWord
    is_public: bool
    room_type: ServiceType
    room_features: dict[str, Any]
    room_settings: dict[str, Any]
    customer_uuid: UUID
    account_uuid: UUID
    subscription_uuid: UUID
    owner_uuid: UUID
    owner_name: str
    account: AccountLike
    customer: CustomerLike
    subscription: DoorSubscription

    @property
    def path(self) -> str:
        """The path of the room's page, to be appended to the base URL."""
        return path_of(self.id, self.slug)

    @property
    def description(self) -> str:
        """The room's setting `description`, or ""."""
        return description_in(self.room_settings)


@dataclass(frozen=True)
class DoorLink(LinkLife):
    """The link by which a visitor came."""

    __tablename__ = RoomToken.__tablename__

    uuid: UUID
    room_uuid: UUID
    role: Role
    person: str
    not_before: datetime | None
    expires_at: datetime | None
    grace_until: datetime | None
    max_uses: int | None
    use_count: int
    paused_at: datetime | None
    revoked_at: datetime | None
    automatic: bool
    rotated_to_uuid: UUID | None
    chain_uuid: UUID | None


@dataclass(frozen=True)
class Door:
    """A room with everything that it belongs to, the visitor's link if he has one, and the occupancy if it was read.

    `people_in`: how many are in by the stored status; None if the room is not live. `run_provider_uuid`: the provider
    of the running run; None if none is running. `run_recording`: whether that run may be recorded, if anybody has noted
    it. `recordings`: how many there are, where a run that starts now depends on that.
    """

    room: DoorRoom
    token: DoorLink | None
    people_in: int | None
    run_provider_uuid: UUID | None
    run_recording: RecordingMode | None
    recordings: Counts | None
    occupancy: Occupancy | None


_ROOM = columns_for(DoorRoom, Room, without=("account", "customer", "subscription"), owner_name=User.name)
_ACCOUNT, _CUSTOMER = columns_for(DoorAccount, Account), columns_for(DoorCustomer, Customer)
_PROVIDER = columns_for(DoorProvider, ServiceProvider)
LINK = columns_for(DoorLink, RoomToken)
_PEOPLE_IN = sa.case((RoomStatus.state == constant(LiveState.LIVE), RoomStatus.count))

FIND_DOOR = with_run(
    sa.select(
        *_ROOM,
        *_ACCOUNT,
        *_CUSTOMER,
        *TERM,
        plan_column(Room.subscription_uuid),
        *_PROVIDER,
        *LINK,
        _PEOPLE_IN,
        RoomSession.provider_uuid,
        RoomSession.recording,
        counts_column(),
    )
    .select_from(Room)
    .join(Account, Account.uuid == Room.account_uuid)
    .join(Customer, Customer.uuid == Room.customer_uuid)
    .join(Subscription, Subscription.uuid == Room.subscription_uuid)
    .join(ServiceProvider, ServiceProvider.uuid == Subscription.provider_uuid)
    .join(User, User.uuid == Room.owner_uuid)
    .outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)
    .outerjoin(RoomToken, this_token())
    .where(Room.id == sa.bindparam("room_id", type_=sa.String()), Room.trashed_at.is_(None))
)
"""The SELECT of a door without occupancy. Built once, because building it takes longer than executing it."""

FIND_DOOR_AND_OCCUPANCY = with_occupancy(FIND_DOOR)
"""The SELECT of a door with occupancy."""


def door_from_row(row: Any) -> Door:
    """The door in a row of `FIND_DOOR` or `FIND_DOOR_AND_OCCUPANCY`."""
    values: Iterator[Any] = iter(row)

    def take(columns: tuple[Any, ...]) -> Iterator[Any]:
        return islice(values, len(columns))

    room = [*take(_ROOM)]
    account, customer, term = DoorAccount(*take(_ACCOUNT)), DoorCustomer(*take(_CUSTOMER)), TermRead(*take(TERM))
    plan = plan_values(next(values))
    subscription = DoorSubscription(term, plan, DoorProvider(*take(_PROVIDER)))
    link = tuple(take(LINK))
    return Door(
        DoorRoom(*[*room, account, customer, subscription]),
        DoorLink(*link) if link[0] is not None else None,
        next(values),
        next(values),
        next(values),
        next(values),
        Occupancy(*occupancy) if (occupancy := tuple(values)) else None,
    )
