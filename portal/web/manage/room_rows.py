"""The rows of the list of rooms."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from markupsafe import Markup

from portal.customers.models import display_name
from portal.edge.i18n import ago, duration, seconds_since
from portal.people.actor import Actor
from portal.permissions.members import granted
from portal.permissions.permission import Permission
from portal.permissions.rules import Owners, effective_permissions
from portal.providers.base import LiveState
from portal.rooms.models import RoomStatusWord
from portal.status.models import HAPPENING
from portal.subscriptions.provider_models import ServiceType

END_OF_ROW = Markup("<!-- end of row -->")
"""What a template writes after each of the rows that it renders together. No name can hold it: it would be escaped."""


def row_placeholder(room_id: str) -> str:
    """The placeholder for the row of this room in the frame of the list: see `fragment_cache.placeholder`."""
    return f"row-{room_id}"


@dataclass(frozen=True)
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
        """Whether the room is in use now."""
        return self.state in HAPPENING


@dataclass(frozen=True)
class Row:
    """A room in the list, its status (None without the right to see it), and what the reader may do."""

    id: str
    room_name: str
    room_type: ServiceType
    status_word: RoomStatusWord
    is_public: bool
    customer: str
    account: str
    owner: str
    """The owner's name, or "" for the reader's own room."""
    status: Status | None
    rights: frozenset[Permission]


def ages_of(rows: Iterable[Row]) -> dict[str, str]:
    """The texts in these rows that change every second, by placeholder: how long a run lasts, how old its status is.

    Rooms are often checked together, so equal ages are put into words once.
    """
    ages: dict[str, str] = {}
    words_of_age, words_of_duration = cache(ago), cache(duration)
    for row in rows:
        status = row.status
        if status is not None and status.state is not LiveState.IDLE:
            checked, lasts = f"checked-{row.id}", f"lasts-{row.id}"
            ages[checked], ages[f"{checked}-s"] = words_of_age(status.checked_at), str(seconds_since(status.checked_at))
            if status.since is not None:
                ages[lasts], ages[f"{lasts}-s"] = words_of_duration(status.since), str(seconds_since(status.since))
    return ages


def as_row(actor: Actor, row: Any, at: datetime) -> Row:
    """A row of the list from one of the database's, with what `actor` may do at `at`."""
    member = granted(row.permissions, row.until, at) if row.permissions is not None else frozenset()
    rights = effective_permissions(actor, Owners(row.owner_uuid, row.account_owner, row.customer_owner), member)
    status = None
    if row.state is not None and Permission.STATUS_VIEW in rights:
        status = Status(row.state, row.since, row.checked_at, row.stale, row.inside, tuple(row.names), row.last_live_at)
    return Row(
        id=row.id,
        room_name=row.room_name,
        room_type=row.room_type,
        status_word=row.status,
        is_public=row.is_public,
        customer=display_name(row.company_name, row.first_name, row.last_name, row.email),
        account=row.account_name,
        owner="" if row.owner_uuid == actor.uuid else row.owner_name,
        status=status,
        rights=rights,
    )
