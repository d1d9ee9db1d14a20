"""Locking a room, and reading its status, its running run and its open participations under the lock.

Everything locks in one order, so that there is no deadlock: the plan's limit of rooms (who makes one), subscription,
then room (several rooms by uuid), then links and participations. On SQLite a transaction that writes locks the whole
database from its first statement on.
"""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from portal.db import locked_rows, session
from portal.rooms.models import Room
from portal.rooms.protocols import RoomLike
from portal.status.models import Participation, RoomSession, RoomStatus


@dataclass
class LockedRoom:
    """A locked room with its stored status, its running run, and its open participations in the order of entering."""

    room: RoomLike
    status: RoomStatus | None
    run: RoomSession | None
    people: list[Participation]


def lock_room(room_uuid: UUID) -> Room | None:
    """Lock the room until the end of the transaction and return it. None if there is no such room any more."""
    if session.get_bind().dialect.name == "sqlite" or ("room", room_uuid) in locked_rows():
        return session.get(Room, room_uuid)
    locking = sa.select(Room).where(Room.uuid == room_uuid).with_for_update(of=Room, key_share=True)
    room = session.scalars(locking).one_or_none()
    if room is not None:
        locked_rows().add(("room", room_uuid))
    return room


def read_locked_room(room: RoomLike) -> LockedRoom:
    """Read a room that the caller has locked, without using what this transaction has read before."""
    rows = session.execute(
        sa.select(RoomStatus, RoomSession, Participation)
        .select_from(Room)
        .outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)
        .outerjoin(RoomSession, sa.and_(RoomSession.room_uuid == Room.uuid, RoomSession.ended_at.is_(None)))
        .outerjoin(Participation, sa.and_(Participation.room_uuid == Room.uuid, Participation.left_at.is_(None)))
        .where(Room.uuid == room.uuid)
        .order_by(Participation.entered_at, Participation.uuid)
        .execution_options(populate_existing=True)
    ).all()
    status, run = (rows[0][0], rows[0][1]) if rows else (None, None)
    return LockedRoom(room, status, run, [row[2] for row in rows if row[2] is not None])
