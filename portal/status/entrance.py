"""A locked room as somebody enters it: its run, who is in, and the place that his device has already, as plain values.

People are counted by the database, so that entering a full room costs no more than an empty one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.column_types import constant, json_rows, json_values
from portal.db import literal_limit
from portal.rooms.models import Role, Room
from portal.rooms.protocols import RoomLike
from portal.status.models import Driver, Participation, RoomSession
from portal.status.recording import NAMES_KEPT


@dataclass(frozen=True)
class RunningRun:
    """The running run of a room."""

    uuid: UUID
    driver: Driver
    provider_uuid: UUID | None
    external: str
    started_at: datetime
    most: int


@dataclass(frozen=True)
class OwnPlace:
    """The open participation that the device which enters has already."""

    uuid: UUID
    id: str
    role: Role
    token_uuid: UUID | None
    user_uuid: UUID | None
    away_since: datetime | None


@dataclass(frozen=True)
class Entrance:
    """A locked room as somebody enters it. `own` is the place that his device has already.

    `present` has the numbers of `present_column`, and `names` (whether it is his own device's, name) of the first who
    are in, in the order of entering.
    """

    room: RoomLike
    run: RunningRun | None
    own: OwnPlace | None
    names: Sequence[tuple[bool, str]]
    present: Sequence[int]

    def without_own(self) -> "Entrance":
        """Who is in after the participation of the visitor's device, if it has one, is over."""
        if self.own is None:
            return self
        total, moderators, attendees, away = self.present
        role = self.own.role
        left = (
            total - 1,
            moderators - (role is Role.MODERATOR),
            attendees - (role is Role.ATTENDEE),
            away - (self.own.away_since is not None),
        )
        return replace(self, own=None, names=[one for one in self.names if not one[0]], present=left)

    def with_own(self, name: str, role: Role) -> "Entrance":
        """Who is in after the visitor has entered, or taken over his own place, under this name and in this role."""
        total, moderators, attendees, away = self.without_own().present
        present = (total + 1, moderators + (role is Role.MODERATOR), attendees + (role is Role.ATTENDEE), away)
        if self.own is None:
            names = [*self.names, (True, name)]
        else:
            names = [(own, name if own else other) for own, other in self.names]
        return replace(self, names=names, present=present)


def present_column() -> sa.ScalarSelect[Any]:
    """How many are in a `Room`, as one JSON list: all, moderators, attendees, and those who are away."""
    figures = json_values(
        sa.func.count(),
        sa.func.count(sa.case((Participation.role == constant(Role.MODERATOR), constant(1)))),
        sa.func.count(sa.case((Participation.role == constant(Role.ATTENDEE), constant(1)))),
        sa.func.count(Participation.away_since),
    )
    here = (Participation.room_uuid == Room.uuid, Participation.left_at.is_(None))
    return sa.select(figures).where(*here).correlate(Room).scalar_subquery()


OWN = aliased(Participation)
"""The participation that `with_own_place` joins."""
_RUN_COLUMNS = (
    RoomSession.uuid,
    RoomSession.driver,
    RoomSession.provider_uuid,
    RoomSession.external,
    RoomSession.started_at,
    RoomSession.most,
)
_OWN_COLUMNS = (OWN.uuid, OWN.id, OWN.role, OWN.token_uuid, OWN.user_uuid, OWN.away_since)
ENTRANCE_WIDTH = len(_RUN_COLUMNS) + len(_OWN_COLUMNS) + 1
"""How many columns `entrance_query` has."""


def with_run(query: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """The SELECT of `Room` with its running run, `RoomSession`, if there is one."""
    return query.outerjoin(RoomSession, sa.and_(RoomSession.room_uuid == Room.uuid, RoomSession.ended_at.is_(None)))


def with_own_place(query: sa.Select[*tuple[Any, ...]], device: sa.BindParameter[str]) -> sa.Select[*tuple[Any, ...]]:
    """The SELECT of `Room` with the open participation of this device, `OWN`, if there is one."""
    return query.outerjoin(OWN, sa.and_(OWN.room_uuid == Room.uuid, OWN.left_at.is_(None), OWN.device == device))


def entrance_query(room_uuid: sa.BindParameter[UUID], device: sa.BindParameter[str]) -> sa.Select[*tuple[Any, ...]]:
    """The SELECT of an `Entrance` but for the numbers of people, to which columns may be added."""
    first = (
        sa.select((Participation.device == device).label("own"), Participation.name)
        .where(Participation.room_uuid == room_uuid, Participation.left_at.is_(None))
        .order_by(Participation.entered_at, Participation.uuid)
        .limit(literal_limit(NAMES_KEPT))
        .subquery()
    )
    query = (
        sa.select(*_RUN_COLUMNS, *_OWN_COLUMNS, sa.select(json_rows(first.c.own, first.c.name)).scalar_subquery())
        .select_from(Room)
        .where(Room.uuid == room_uuid)
    )
    return with_own_place(with_run(query), device)


def entrance_from_row(room: RoomLike, row: Sequence[Any], present: Sequence[int]) -> Entrance:
    """An `Entrance` from the first columns of a row, which are those of `entrance_query`."""
    run, own = row[: len(_RUN_COLUMNS)], row[len(_RUN_COLUMNS) : ENTRANCE_WIDTH - 1]
    return Entrance(
        room,
        RunningRun(*run) if run[0] is not None else None,
        OwnPlace(*own) if own[0] is not None else None,
        [(bool(is_own), name) for is_own, name in row[ENTRANCE_WIDTH - 1] or ()],
        present,
    )
