"""The rows of the list of rooms."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from markupsafe import Markup

from portal.accounts.models import Account
from portal.customers.models import Customer, customer_is_usable, display_name
from portal.edge.i18n import ago, duration, seconds_since
from portal.people.actor import Actor
from portal.people.models import User
from portal.permissions.members import RoomMember, granted
from portal.permissions.permission import Permission
from portal.permissions.rules import Owners, effective_permissions
from portal.permissions.visibility import READER
from portal.plain_values import columns_for
from portal.providers.base import LiveState
from portal.rooms.models import Room, RoomStatusWord
from portal.status.models import RoomStatus, is_happening
from portal.subscriptions.provider_models import ServiceType
from portal.web.fragment_cache import words

END_OF_ROW = Markup("<!-- end of row -->")
"""What a template writes after each of the rows that it renders together. No name can hold it: it would be escaped."""


def row_gap(room_id: str) -> str:
    """The gap for the row of this room in the frame of the list: see `fragment_cache`."""
    return f"row-{room_id}"


@dataclass(frozen=True, slots=True)
class Status:
    """The part of a room's stored status that lists show."""

    state: LiveState
    since: datetime | None
    checked_at: datetime
    stale: bool
    count: int
    names: tuple[str, ...]
    last_live_at: datetime | None

    @property
    def happening(self) -> bool:
        """Whether the room is in use."""
        return is_happening(self.state)


@dataclass(frozen=True, slots=True)
class Row:
    """A room in the list as it is read, and what the reader may do. It is the key of what is rendered of it.

    What only rendering needs, such as the customer's name, is put together when it is asked for.
    """

    id: str
    room_name: str
    room_type: ServiceType
    status_word: RoomStatusWord
    is_public: bool
    account: str
    company_name: str | None
    first_name: str | None
    last_name: str | None
    email: str
    owner: str
    """The owner's name, or "" for the reader's own room."""
    state: LiveState | None
    """None if no status is stored. This and what follows may be secret: see `status`."""
    since: datetime | None
    checked_at: datetime | None
    stale: bool | None
    inside: int | None
    names: str | None
    """The names of people inside, as JSON: most rows are shown from the cache, and nobody reads their names."""
    last_live_at: datetime | None
    rights: frozenset[Permission]

    @property
    def customer(self) -> str:
        """The customer's name."""
        return display_name(self.company_name, self.first_name, self.last_name, self.email)

    @property
    def status(self) -> Status | None:
        """The stored status; None if there is none, or the reader may not see it."""
        if self.state is None or self.checked_at is None or Permission.STATUS_VIEW not in self.rights:
            return None
        names = tuple(json.loads(self.names or "[]"))
        return Status(
            self.state, self.since, self.checked_at, bool(self.stale), self.inside or 0, names, self.last_live_at
        )


SHOWN = columns_for(
    Row,
    Room,
    without={"rights"},
    status_word=Room.status,
    account=Account.account_name,
    company_name=Customer.company_name,
    first_name=Customer.first_name,
    last_name=Customer.last_name,
    email=Customer.email,
    owner=sa.case((Room.owner_uuid == READER, ""), else_=User.name),
    state=RoomStatus.state,
    since=RoomStatus.since,
    checked_at=RoomStatus.checked_at,
    stale=RoomStatus.stale,
    inside=RoomStatus.count,
    names=sa.cast(RoomStatus.names, sa.Text),
    last_live_at=RoomStatus.last_live_at,
)
JUDGED = (
    Room.owner_uuid,
    Account.owner_uuid.label("account_owner"),
    Customer.owner_uuid.label("customer_owner"),
    customer_is_usable().label("usable"),
    RoomMember.permissions,
    RoomMember.until,
)
"""The columns that say what the reader may do. A statement for `rows_for` begins with `SHOWN` and these."""


def rows_for(actor: Actor, at: datetime) -> Callable[[Any], Row]:
    """A function that makes a `Row` of what a statement reads for `actor`, with what he may do at `at`."""

    @cache  # because the rooms of a list belong to few
    def rights(*owners: UUID) -> frozenset[Permission]:
        return effective_permissions(actor, Owners(*owners), frozenset())

    def as_row(read: Any) -> Row:
        *owners, usable, permissions, until = read[len(SHOWN) : len(SHOWN) + len(JUDGED)]
        if not usable:
            return Row(*(*read[: len(SHOWN)], effective_permissions(actor, Owners(), frozenset())))
        if permissions is None:
            return Row(*(*read[: len(SHOWN)], rights(*owners)))
        member = granted(permissions, until, at)
        return Row(*(*read[: len(SHOWN)], effective_permissions(actor, Owners(*owners), member)))

    return as_row


def ages_of(rows: Iterable[Row]) -> dict[str, bytes]:
    """What fills the gaps of these rows that change every second: how long a run lasts, how old its status is.

    Rooms are often checked together, so equal ages are put into words once.
    """
    ages: dict[str, bytes] = {}

    @cache
    def age(moment: datetime) -> tuple[bytes, bytes]:
        return words(ago(moment)), words(str(seconds_since(moment)))

    for row in rows:
        if row.state in {None, LiveState.IDLE}:
            continue
        status = row.status
        if status is not None:
            checked, lasts = f"checked-{row.id}", f"lasts-{row.id}"
            ages[checked], ages[f"{checked}-s"] = age(status.checked_at)
            if status.since is not None:
                ages[lasts], ages[f"{lasts}-s"] = words(duration(status.since)), words(str(seconds_since(status.since)))
    return ages
