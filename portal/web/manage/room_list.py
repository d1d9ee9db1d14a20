"""One page of the rooms that somebody may see, in few statements however many rooms there are."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import contains_eager, joinedload

from portal import vault
from portal.clock import now
from portal.db import session
from portal.people.models import User
from portal.permissions.actor import Actor
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.permissions.rules import rights
from portal.permissions.visibility import seen_rooms
from portal.rooms.models import Room
from portal.status.models import HAPPENING, RoomStatus

PAGE = 25
MOST_LIVE = 50


@dataclass(frozen=True)
class Row:
    """A room in the list, its status (None without the right to see it), and what the reader may do."""

    room: Room
    status: RoomStatus | None
    rights: frozenset[Permission]


@dataclass(frozen=True)
class RoomPage:
    """Live rooms (on the first page), one page of the others, and where the next page begins."""

    live: list[Row]
    others: list[Row]
    next: str
    search: str
    first: bool

    @property
    def people(self) -> int:
        """How many people are in the live rooms shown."""
        return sum(row.status.count for row in self.live if row.status)

    @property
    def ids(self) -> str:
        """The ids of all rooms on the page, for asking about their status together."""
        return " ".join(row.room.id for row in [*self.live, *self.others])


def page_of_rooms(actor: Actor, *, after: str = "", search: str = "") -> RoomPage:
    """The page after the cursor `after`; names that begin with, or have a word that begins with, `search`."""
    cursor = _read(after)
    search = " ".join(search.split())[:100]
    live_state = RoomStatus.state.in_(sorted(HAPPENING))
    live: list[Row] = []
    if cursor is None:
        query = _rows(actor, search).where(live_state).order_by(RoomStatus.since.desc(), Room.uuid)
        live = _read_rows(actor, query.limit(MOST_LIVE))
    query = _rows(actor, search).where(sa.or_(RoomStatus.state.is_(None), sa.not_(live_state)))
    if cursor is not None:
        query = query.where(sa.tuple_(Room.sort_name, Room.uuid) > sa.tuple_(*_bound(cursor)))
    others = _read_rows(actor, query.order_by(Room.sort_name, Room.uuid).limit(PAGE + 1))
    more = len(others) > PAGE
    others = others[:PAGE]
    last = others[-1].room if more else None
    return RoomPage(
        live=[row for row in live if row.status is not None],
        others=[row for row in live if row.status is None] + others,
        next=_write((last.sort_name, last.uuid)) if last else "",
        search=search,
        first=cursor is None,
    )


def rows_of(actor: Actor, room_ids: list[str]) -> list[Row]:
    """Those of the named rooms that the actor may see."""
    return _read_rows(actor, _rows(actor, "").where(Room.id.in_(room_ids[: PAGE + MOST_LIVE])))


def _rows(actor: Actor, search: str) -> sa.Select[Room, RoomMember | None, RoomStatus | None]:
    query = (
        seen_rooms(actor, now())
        .add_columns(RoomStatus)
        .outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)
        .options(
            contains_eager(Room.account),
            contains_eager(Room.customer),
            joinedload(Room.owner).lazyload(User.platform_roles),
        )
    )
    for word in search.casefold().split():
        beginning = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(
            sa.or_(
                Room.sort_name.like(beginning, escape="\\"),
                Room.sort_name.like(f"% {beginning}", escape="\\"),
            )
        )
    return query


def _read_rows(actor: Actor, query: sa.Select[Room, RoomMember | None, RoomStatus | None]) -> list[Row]:
    at = now()
    rows = []
    for room, member, status in session.execute(query).unique():
        actor.memberships[room.uuid] = member
        granted = rights(actor, room, member, at)
        rows.append(Row(room, status if Permission.STATUS_VIEW in granted else None, granted))
    return rows


def _bound(cursor: tuple[str, UUID]) -> tuple[sa.BindParameter[str], sa.BindParameter[UUID]]:
    return sa.literal(cursor[0]), sa.literal(cursor[1], sa.Uuid())


def _write(cursor: tuple[str, UUID]) -> str:
    return str(_signer().dumps([cursor[0], str(cursor[1])]))


def _read(text: str) -> tuple[str, UUID] | None:
    if not text:
        return None
    try:
        name, uuid = _signer().loads(text)
        return str(name), UUID(uuid)
    except (BadSignature, ValueError, TypeError):
        return None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(vault.signing_keys("cursor"), salt="rooms")
