"""Reading one page of the rooms that somebody may see, in three statements however many rooms there are.

It reads columns instead of whole rooms. Somebody sees rooms by several relations (as owner, as member, by account or
customer); each is read by its own index and no further than the page, so a page costs the same at any depth.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.clock import now
from portal.customers.models import Customer
from portal.db import literal_limit, read, session
from portal.edge import cursors
from portal.errors import Message
from portal.keyset import Key, Keys, Position, bound_values, follows, found_first, keyset, order_by, parameters, split
from portal.people.actor import Actor
from portal.people.models import User
from portal.permissions.account_filter import AccountChoice, account_filter_for
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.permissions.visibility import (
    NEVER,
    AccessScope,
    access_scope_of,
    all_seen,
    reader_is_member,
    relations,
    visible_uuids,
)
from portal.rooms.models import Room
from portal.rooms.search import found_by
from portal.status.models import RoomStatus
from portal.web.manage.room_filter import RoomFilter, RoomOrder, StatusFilter
from portal.web.manage.room_rows import JUDGED, SHOWN, Row, rows_for
from portal.word_search import index_query

PAGE = 25
MOST_LIVE = 50
ACCOUNT = sa.bindparam("of_account", type_=sa.Uuid())
WORDS = sa.bindparam("words", type_=sa.String())
ORDERS: dict[RoomOrder, Keys] = {
    RoomOrder.NAME: (Key(Room.sort_name), Key(Room.uuid)),
    RoomOrder.NEWEST: (Key(Room.created_at, descending=True), Key(Room.uuid, descending=True)),
}
EVERYTHING = RoomFilter()
IS_LIVE = sa.and_(  # the first condition is written as in the partial index, which is used for no other form
    RoomStatus.state != sa.literal_column("'idle'"), RoomStatus.state != sa.literal_column("'unknown'")
)

_Query = TypeVar("_Query", bound=sa.Select[*tuple[Any, ...]])


@dataclass(frozen=True)
class RoomPage:
    """Live rooms (on the first page), one page of the others, and where the next page begins."""

    live: tuple[Row, ...]
    others: tuple[Row, ...]
    next: str
    asked: RoomFilter
    accounts: tuple[AccountChoice, ...]
    """The accounts that the filter offers."""
    first: bool
    may_create: bool
    why_not_now: Message | None

    @property
    def frame(self) -> "RoomFrame":
        """The page around its rows."""
        return RoomFrame(
            live=tuple(row.id for row in self.live),
            others=tuple(row.id for row in self.others),
            people=sum(row.inside or 0 for row in self.live),
            next=self.next,
            asked=self.asked,
            accounts=self.accounts,
            first=self.first,
            may_create=self.may_create,
            why_not_now=self.why_not_now,
        )


@dataclass(frozen=True)
class RoomFrame:
    """What a page of the list says around its rows: of rooms their ids only. See `RoomPage`."""

    live: tuple[str, ...]
    others: tuple[str, ...]
    people: int
    """How many people are in the live rooms shown."""
    next: str
    asked: RoomFilter
    accounts: tuple[AccountChoice, ...]
    first: bool
    may_create: bool
    why_not_now: Message | None

    @property
    def ids(self) -> str:
        """The ids of all rooms on the page, for asking about their status together."""
        return " ".join((*self.live, *self.others))


def page_of_rooms(actor: Actor, *, after: str = "", asked: RoomFilter = EVERYTHING) -> RoomPage:
    """The page of the actor's rooms that fit the filter `asked`, after the cursor `after`.

    An invalid cursor, or one of another order, means the first page. An account whose rooms the actor may not all see
    is ignored.
    """
    at = now()
    position = cursors.position_in(after, of="rooms", keys=ORDERS[asked.order], order=asked.order)
    choices = account_filter_for(actor, asked.account)
    access_scope, account = choices.access_scope, choices.chosen
    asked = replace(asked, account=account.id if account else "")
    params = access_scope.params(at) | {"reader": actor.uuid}
    if account is not None:
        params |= {ACCOUNT.key: account.uuid}
    if asked.search:
        params |= {WORDS.key: index_query(asked.search)}
    params |= bound_values(position or ())
    statement = _page(
        # with an account, its conditions are all that there are
        replace(access_scope.template, everything=access_scope.everything or account is not None),
        position is None,
        replace(asked, account="one" if account else "", search="words" if asked.search else ""),
        session.get_bind().dialect.name,
    )
    hopeless = asked.search and not params[WORDS.key]  # it has no word
    found = read(statement, params).all() if not hopeless else []
    live = [row for row in found if row.live]
    others, last = split([row for row in found if not row.live], PAGE)
    as_row = rows_for(actor, at)
    return RoomPage(
        live=tuple(map(as_row, live)),
        others=tuple(map(as_row, others)),
        next=cursor_after((last.place, last.uuid), asked.order) if last is not None else "",
        asked=asked,
        accounts=choices.offered,
        first=position is None,
        may_create=choices.may_create,
        why_not_now=choices.why_not_now,
    )


def rows_of(actor: Actor, room_ids: list[str]) -> list[Row]:
    """The rows of the rooms with these ids, without those that the actor may not see."""
    at = now()
    named = sa.select(Room.uuid, sa.false().label("live")).where(
        Room.id.in_(room_ids[: PAGE + MOST_LIVE]),
        Room.trashed_at.is_(None),
        sa.or_(*relations(access_scope_of(actor), at)),
    )
    return list(map(rows_for(actor, at), read(_shown(named), {"reader": actor.uuid})))


@lru_cache(maxsize=256)
def _page(access_scope: AccessScope, first: bool, asked: RoomFilter, _dialect: str) -> sa.Select[*tuple[Any, ...]]:
    """The statement that reads a page, cached, because building it is slow.

    It is shared by all actors with the same template of an access scope.
    """
    live = _live(access_scope, NEVER, asked)
    others = _others(access_scope, NEVER, live, first, asked)
    keys = sa.union_all(sa.select(live.c.uuid, sa.true().label("live")), others) if first else others
    return _shown(keys, asked.order)


def _live(access_scope: AccessScope, at: datetime, asked: RoomFilter) -> sa.CTE:
    """The uuids of the rooms shown as live: the `MOST_LIVE` that went live last."""
    live = _known_live(access_scope, at, asked).order_by(RoomStatus.since.desc(), RoomStatus.room_uuid)
    return live.limit(literal_limit(MOST_LIVE)).cte("live")


def _known_live(access_scope: AccessScope, at: datetime, asked: RoomFilter, first: bool = True) -> sa.Select[UUID]:
    """The uuids of live rooms whose status the reader may see: all, or without `first` those after the cursor.

    There are few live rooms, so they are found by their own index, and an EXISTS checks each of them. With a join,
    SQLite would begin with the visible rooms.
    """
    judged = sa.select(Room.uuid).where(
        Room.uuid == RoomStatus.room_uuid,
        Room.trashed_at.is_(None),
        sa.or_(*relations(access_scope, at, Permission.STATUS_VIEW)),
    )
    return sa.select(RoomStatus.room_uuid.label("uuid")).where(IS_LIVE, _fitting(judged, asked, first).exists())


def _others(
    access_scope: AccessScope, at: datetime, live: sa.CTE, first: bool, asked: RoomFilter
) -> sa.Select[*tuple[Any, ...]]:
    """The uuids of one page of the rooms not shown as live, in order, and of one room more.

    If only live rooms are asked for, these are the live rooms beyond `MOST_LIVE`.
    """
    shown, keys = sa.select(live.c.uuid), ORDERS[asked.order]

    def page(relation: sa.Select[UUID]) -> sa.Select[UUID]:
        fitting = _fitting(relation.where(Room.uuid.not_in(shown)), asked, first)
        return keyset(fitting, keys).limit(literal_limit(PAGE + 1))

    if asked.status is StatusFilter.LIVE:
        seen = _known_live(access_scope, at, asked, first).where(RoomStatus.room_uuid.not_in(shown)).subquery()
    elif asked.search:  # each match is found once, by the words' index, however many relations let the reader see it
        narrowed = all_seen(access_scope, at).where(Room.uuid.not_in(shown))
        found, own_keys = found_first(_fitting(narrowed, asked, first), keys)
        seen = keyset(sa.select(found.c.uuid), own_keys).limit(literal_limit(PAGE + 1)).subquery()
    else:
        seen = visible_uuids(access_scope, at, page).subquery()
    joined = sa.select(Room.uuid, sa.false().label("live")).join(seen, seen.c.uuid == Room.uuid)
    part = keyset(joined, keys).limit(literal_limit(PAGE + 1)).subquery()
    return sa.select(part.c.uuid, part.c.live)


def _fitting(query: _Query, asked: RoomFilter, first: bool = True) -> _Query:
    """Narrow a SELECT over `Room` by the filter, except for whether rooms are live."""
    if asked.account:
        query = query.where(Room.account_uuid == ACCOUNT)
    if asked.status in {StatusFilter.ACTIVE, StatusFilter.INACTIVE}:  # a literal, as in the partial indexes
        query = query.where(Room.status == sa.literal_column(f"'{asked.status}'"))
    if not first:
        keys = ORDERS[asked.order]
        query = query.where(follows(keys, parameters(keys, (True, True))))
    return query.where(found_by(WORDS)) if asked.search else query


def _shown(
    keys: sa.Select[*tuple[Any, ...]] | sa.CompoundSelect[*tuple[Any, ...]], order: RoomOrder = RoomOrder.NAME
) -> sa.Select[*tuple[Any, ...]]:
    """The columns of the rooms in `keys` (uuid, live): live ones first, those that went live last; others in order."""
    chosen = keys.subquery()
    return (
        sa.select(
            *SHOWN,
            *JUDGED,
            Room.uuid,
            chosen.c.live,
            ORDERS[order][0].column.label("place"),
        )
        .join_from(chosen, Room, Room.uuid == chosen.c.uuid)
        .join(Account, Account.uuid == Room.account_uuid)
        .join(Customer, Customer.uuid == Room.customer_uuid)
        .join(User, User.uuid == Room.owner_uuid)
        .outerjoin(RoomMember, reader_is_member())
        .outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)
        .order_by(
            chosen.c.live.desc(),
            sa.case((chosen.c.live, RoomStatus.since)).desc(),
            *order_by(ORDERS[order]),
        )
    )


def cursor_after(position: Position, order: RoomOrder = RoomOrder.NAME) -> str:
    """The cursor of the page that follows this position, (sort name or creation time, uuid), in this order."""
    return cursors.encode(position, of="rooms", order=order)
