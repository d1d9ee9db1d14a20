"""Finding the runs of a room (`RoomSession`): a page of them, newest first, or one by id."""

import sqlalchemy as sa

from portal.db import session
from portal.identifiers import matches_identifier
from portal.keyset import Key, Position, keyset
from portal.rooms.models import Room
from portal.status.models import RoomSession

NEWEST_FIRST = Key(RoomSession.started_at, descending=True), Key(RoomSession.uuid, descending=True)
"""The order of `sessions_of`."""


def sessions_of(room: Room, *, after: Position | None = None, limit: int = 25) -> list[RoomSession]:
    """The room's runs, newest first: at most `limit` of those that follow the position `after`."""
    query = sa.select(RoomSession).where(RoomSession.room_uuid == room.uuid)
    return list(session.scalars(keyset(query, NEWEST_FIRST, after).limit(limit)))


def position_of(run: RoomSession) -> Position:
    """The position of this run, for `sessions_of`."""
    return run.started_at, run.uuid


def find_session(room: Room, session_id: str) -> RoomSession | None:
    """The run of this room with this id, uuid or ulid; None if there is none."""
    return session.scalar(
        sa.select(RoomSession).where(RoomSession.room_uuid == room.uuid, matches_identifier(RoomSession, session_id))
    )
