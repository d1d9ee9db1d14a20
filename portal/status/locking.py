"""How it stands in a room right now, read under the room's lock.

Locks are taken in one order everywhere: subscription, then room (several rooms by uuid), then links and
participations. On SQLite a transaction that writes holds everything from its first statement on.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.db import locked_rows, session
from portal.rooms.models import Room
from portal.status.models import Participation, RoomSession, RoomStatus


@dataclass
class LockedRoom:
    """The stored snapshot, the running session, and who is in, in the order of entering."""

    room: Room
    status: RoomStatus | None
    run: RoomSession | None
    people: list[Participation]


def lock_room(room_uuid: UUID) -> Room | None:
    """Lock the room until the end of the transaction. None if there is no such room any more."""
    if session.get_bind().dialect.name == "sqlite" or ("room", room_uuid) in locked_rows():
        return session.get(Room, room_uuid)
    locking = sa.select(Room).where(Room.uuid == room_uuid).with_for_update(of=Room, key_share=True)
    room = session.scalars(locking).one_or_none()
    if room is not None:
        locked_rows().add(("room", room_uuid))
    return room


def read_locked_room(room: Room) -> LockedRoom:
    """Read anew, whatever this transaction has seen before. The caller holds the room."""
    return locked_room_from_rows(room, session.execute(locked_room_query(room.uuid)).all())


def locked_room_query(room_uuid: UUID | sa.BindParameter[UUID]) -> sa.Select[RoomStatus, RoomSession, Participation]:
    """Rows of (status, running session, participation): one for each who is in, at least one."""
    return (
        sa.select(RoomStatus, RoomSession, Participation)
        .select_from(Room)
        .outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)
        .outerjoin(RoomSession, sa.and_(RoomSession.room_uuid == Room.uuid, RoomSession.ended_at.is_(None)))
        .outerjoin(Participation, sa.and_(Participation.room_uuid == Room.uuid, Participation.left_at.is_(None)))
        .where(Room.uuid == room_uuid)
        .order_by(Participation.entered_at, Participation.uuid)
        .execution_options(populate_existing=True)
    )


def locked_room_from_rows(room: Room, rows: Any) -> LockedRoom:
    """The rows of `locked_room_query`, of which more columns may follow, as a value."""
    status, run = (rows[0][0], rows[0][1]) if rows else (None, None)
    return LockedRoom(room, status, run, [row[2] for row in rows if row[2] is not None])
