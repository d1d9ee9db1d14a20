"""Reading rooms as plain values, with what the reader was granted in each, for everything that changes nothing.

Each statement is built once, because building it takes longer than executing it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.db import read, short_id
from portal.people.actor import Actor
from portal.permissions.members import RoomMember, granted
from portal.permissions.permission import Permission
from portal.permissions.rules import holds
from portal.permissions.visibility import READER, reader_is_member
from portal.rooms.models import Room
from portal.rooms.room_read import COLUMNS, RoomRead, with_what_stands_above


@dataclass(frozen=True, slots=True)
class MembershipRead:
    """What somebody was granted in a room, from the columns of his `RoomMember`."""

    permissions: list[str]
    until: datetime | None

    def granted(self, at: datetime) -> frozenset[Permission]:
        """The permissions granted at `at`, with those that they imply."""
        return granted(self.permissions, self.until, at)


READ = (*COLUMNS, RoomMember.permissions.label("member_permissions"), RoomMember.until.label("member_until"))
"""The columns that `as_room` takes, in its order, of the SELECT that `with_reader` makes."""


def with_reader(query: sa.Select[Any]) -> sa.Select[Any]:
    """`query` over rooms, joined with all that `READ` names: bind who reads as `reader`."""
    return with_what_stands_above(query).outerjoin(RoomMember, reader_is_member())


def rooms_read(uuids: sa.Select[UUID] | sa.CompoundSelect[UUID]) -> sa.Select[*tuple[Any, ...]]:
    """A SELECT of the columns `READ` of the rooms with these uuids, without order."""
    return with_reader(sa.select(*READ)).where(Room.uuid.in_(uuids))


def as_room(actor: Actor, row: Any) -> RoomRead:
    """The room in a row that begins with the columns `READ`; the actor's membership is noted for the rules."""
    *values, permissions, until = row[: len(READ)]
    room = RoomRead(*values)
    actor.memberships[room.uuid] = MembershipRead(permissions, until) if permissions is not None else None
    return room


def one_room(*more: Any) -> sa.Select[*tuple[Any, ...]]:
    """A SELECT of the columns `READ`, and `more`, of the room `room_id` if it is not trashed."""
    return with_reader(sa.select(*READ, *more)).where(
        Room.id == sa.bindparam("room_id", type_=sa.String()), Room.trashed_at.is_(None)
    )


_ONE_ROOM = one_room()


def read_room(actor: Actor, room_id: str) -> RoomRead | None:
    """The room with this id, uuid or ulid, if the actor may see it; else None. By one statement for an id."""
    return read_one(actor, room_id, _ONE_ROOM)[0]


def read_one(actor: Actor, room_id: str, statement: sa.Select[Any]) -> tuple[RoomRead | None, tuple[Any, ...]]:
    """The room that a statement of `one_room` finds, if the actor may see it, and the values of the columns `more`."""
    params = {"room_id": short_id(Room, room_id), READER.key: actor.uuid}
    row = read(statement, params).first()
    if row is None:
        return None, ()
    room = as_room(actor, row)
    return (room, tuple(row[len(READ) :])) if holds(actor, Permission.ROOM_VIEW, room) else (None, ())
