"""One page of the rooms that somebody may see, in three statements however many rooms there are.

Columns are read instead of whole rooms, and each relation by which somebody sees rooms (see `Reach`)
reads no further than the page by its own index, so that a page costs the same at any depth.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.clock import now
from portal.customers.models import Customer, display_name
from portal.db import session, so_many
from portal.edge import cursors
from portal.edge.words import ago, duration, seconds_since
from portal.people.models import User
from portal.permissions.actor import Actor
from portal.permissions.members import RoomMember, granted
from portal.permissions.permission import Permission
from portal.permissions.rules import Place, rights_at
from portal.permissions.visibility import Reach, reach_of, relations, seen_uuids
from portal.rooms.models import Room, RoomStatusWord
from portal.rooms.search import matching
from portal.status.models import HAPPENING, LiveState, RoomStatus

PAGE = 25
MOST_LIVE = 50
NOBODY, NEVER = UUID(int=0), datetime.min.replace(tzinfo=UTC)  # stand in for values that each request gives
READER = sa.bindparam("reader", type_=sa.Uuid())
AFTER = sa.tuple_(sa.bindparam("after_name", type_=sa.String()), sa.bindparam("after_uuid", type_=sa.Uuid()))
IS_LIVE = sa.and_(  # the first as in the partial index, which answers no other spelling
    RoomStatus.state != sa.literal_column("'idle'"), RoomStatus.state != sa.literal_column("'unknown'")
)


@dataclass(frozen=True)
class Status:
    """The stored snapshot, as far as lists show it."""

    state: LiveState
    since: datetime | None
    checked_at: datetime
    stale: bool
    count: int
    names: tuple[str, ...]
    last_live_at: datetime | None

    @property
    def happening(self) -> bool:
        """As `RoomStatus.happening`."""
        return self.state in HAPPENING


@dataclass(frozen=True)
class Row:
    """A room in the list, its status (None without the right to see it), and what the reader may do."""

    id: str
    room_name: str
    status_word: RoomStatusWord
    is_public: bool
    customer: str
    account: str
    owner: str
    """The owner's name, or "" for the reader's own room."""
    status: Status | None
    rights: frozenset[Permission]


@dataclass(frozen=True)
class RoomPage:
    """Live rooms (on the first page), one page of the others, and where the next page begins."""

    live: tuple[Row, ...]
    others: tuple[Row, ...]
    next: str
    search: str
    first: bool
    may_create: bool

    @property
    def people(self) -> int:
        """How many people are in the live rooms shown."""
        return sum(row.status.count for row in self.live if row.status)

    @property
    def ids(self) -> str:
        """The ids of all rooms on the page, for asking about their status together."""
        return " ".join(row.id for row in [*self.live, *self.others])


def page_of_rooms(actor: Actor, *, after: str = "", search: str = "") -> RoomPage:
    """The page after the cursor `after`, of rooms whose names match `search`: see `portal.rooms.search`."""
    at, cursor, search = now(), read_cursor(after), " ".join(search.split())[:100]
    reach = reach_of(actor)
    facts = reach.facts(at) | {"reader": actor.uuid}
    if cursor is not None:
        facts |= {"after_name": cursor[0], "after_uuid": cursor[1]}
    statement = _page(
        Reach(NOBODY, reach.everything, (NOBODY,) * len(reach.customers), (NOBODY,) * len(reach.accounts), False),
        cursor is None,
        search,
        session.get_bind().dialect.name,
    )
    found = session.execute(statement, facts).all()
    live = [row for row in found if row.live]
    others = [row for row in found if not row.live]
    last = others[PAGE - 1] if len(others) > PAGE else None
    return RoomPage(
        live=tuple(_row(actor, row, at) for row in live),
        others=tuple(_row(actor, row, at) for row in others[:PAGE]),
        next=write_cursor(last.sort_name, last.uuid) if last else "",
        search=search,
        first=cursor is None,
        may_create=reach.may_create,
    )


def ages_of(rows: Iterable[Row]) -> dict[str, str]:
    """What counts on in these rows: how long something lasts, and how old the information is."""
    ages: dict[str, str] = {}
    for row in rows:
        status = row.status
        if status is not None and status.state is not LiveState.IDLE:
            checked, lasts = f"checked-{row.id}", f"lasts-{row.id}"
            ages[checked], ages[f"{checked}-s"] = ago(status.checked_at), str(seconds_since(status.checked_at))
            if status.since is not None:
                ages[lasts], ages[f"{lasts}-s"] = duration(status.since), str(seconds_since(status.since))
    return ages


def rows_of(actor: Actor, room_ids: list[str]) -> list[Row]:
    """Those of the named rooms that the actor may see."""
    at = now()
    named = sa.select(Room.uuid, sa.false().label("live")).where(
        Room.id.in_(room_ids[: PAGE + MOST_LIVE]),
        Room.trashed_at.is_(None),
        sa.or_(*relations(reach_of(actor), at)),
    )
    return [_row(actor, row, at) for row in session.execute(_shown(named), {"reader": actor.uuid})]


@lru_cache(maxsize=256)
def _page(reach: Reach, first: bool, search: str, _dialect: str) -> sa.Select[*tuple[Any, ...]]:
    """The statement for everybody with as many customers and accounts as `reach`: making it takes long."""
    live = _live(reach, NEVER, search)
    others = _others(reach, NEVER, live, first, search)
    return _shown(sa.union_all(sa.select(live.c.uuid, sa.true().label("live")), others) if first else others)


def _live(reach: Reach, at: datetime, search: str) -> sa.CTE:
    """The rooms that are shown as live, latest first: those whose status somebody may see, so many at most.

    There are few live rooms, so they are read by their own index and then judged.
    """
    query = (
        sa.select(Room.uuid)
        .join(RoomStatus, RoomStatus.room_uuid == Room.uuid)
        .where(IS_LIVE, Room.trashed_at.is_(None), sa.or_(*relations(reach, at, Permission.STATUS_VIEW)))
    )
    return matching(query, search).order_by(RoomStatus.since.desc(), Room.uuid).limit(so_many(MOST_LIVE)).cte("live")


def _others(reach: Reach, at: datetime, live: sa.CTE, first: bool, search: str) -> sa.Select[*tuple[Any, ...]]:
    """One page of all other rooms, by name, and one room more."""

    def page(arm: sa.Select[UUID]) -> sa.Select[UUID]:
        arm = matching(arm.where(Room.uuid.not_in(sa.select(live.c.uuid))), search)
        if not first:
            arm = arm.where(sa.tuple_(Room.sort_name, Room.uuid) > AFTER)
        return arm.order_by(Room.sort_name, Room.uuid).limit(so_many(PAGE + 1))

    seen = seen_uuids(reach, at, page).subquery()
    part = (
        sa.select(Room.uuid, sa.false().label("live"))
        .join(seen, seen.c.uuid == Room.uuid)
        .order_by(Room.sort_name, Room.uuid)
        .limit(so_many(PAGE + 1))
    ).subquery()
    return sa.select(part.c.uuid, part.c.live)


def _shown(keys: sa.Select[*tuple[Any, ...]] | sa.CompoundSelect[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """What is shown of the rooms that `keys` (uuid, live) names: live ones first, latest first, others by name."""
    chosen = keys.subquery()
    return (
        sa.select(
            Room.uuid,
            chosen.c.live,
            Room.sort_name,
            Room.id,
            Room.room_name,
            Room.status,
            Room.is_public,
            Room.owner_uuid,
            Account.account_name,
            Account.owner_uuid.label("account_owner"),
            Customer.company_name,
            Customer.first_name,
            Customer.last_name,
            Customer.email,
            Customer.owner_uuid.label("customer_owner"),
            User.name.label("owner_name"),
            RoomMember.permissions,
            RoomMember.until,
            RoomStatus.state,
            RoomStatus.since,
            RoomStatus.checked_at,
            RoomStatus.stale,
            RoomStatus.count.label("inside"),
            RoomStatus.names,
            RoomStatus.last_live_at,
        )
        .join_from(chosen, Room, Room.uuid == chosen.c.uuid)
        .join(Account, Account.uuid == Room.account_uuid)
        .join(Customer, Customer.uuid == Room.customer_uuid)
        .join(User, User.uuid == Room.owner_uuid)
        .outerjoin(RoomMember, sa.and_(RoomMember.room_uuid == Room.uuid, RoomMember.user_uuid == READER))
        .outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)
        .order_by(
            chosen.c.live.desc(),
            sa.case((chosen.c.live, RoomStatus.since)).desc(),
            Room.sort_name,
            Room.uuid,
        )
    )


def _row(actor: Actor, row: Any, at: datetime) -> Row:
    member = granted(row.permissions, row.until, at) if row.permissions is not None else frozenset()
    rights = rights_at(actor, Place(row.owner_uuid, row.account_owner, row.customer_owner), member)
    status = None
    if row.state is not None and Permission.STATUS_VIEW in rights:
        status = Status(row.state, row.since, row.checked_at, row.stale, row.inside, tuple(row.names), row.last_live_at)
    return Row(
        id=row.id,
        room_name=row.room_name,
        status_word=row.status,
        is_public=row.is_public,
        customer=display_name(row.company_name, row.first_name, row.last_name, row.email),
        account=row.account_name,
        owner="" if row.owner_uuid == actor.uuid else row.owner_name,
        status=status,
        rights=rights,
    )


def write_cursor(sort_name: str, uuid: UUID) -> str:
    """The cursor of the page after this room."""
    return cursors.write([sort_name, str(uuid)], of="rooms")


def read_cursor(text: str) -> tuple[str, UUID] | None:
    """What `write_cursor` wrote; None for anything else."""
    match cursors.read(text, of="rooms") if text else []:
        case [name, uuid]:
            return name, UUID(uuid)
    return None
