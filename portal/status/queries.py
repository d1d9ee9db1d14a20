"""Finding the runs of a room (`RoomSession`): a page of them, newest first, or one by id."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.db import session
from portal.identifiers import matches_identifier
from portal.rooms.models import Room
from portal.status.models import RoomSession

SessionCursor = tuple[datetime, UUID]
"""Where a page of runs ends: the `started_at` and uuid of its last run."""


def sessions_of(room: Room, *, after: SessionCursor | None = None, limit: int = 25) -> list[RoomSession]:
    """The room's runs, newest first: at most `limit` of those that follow the one at the cursor `after`."""
    query = sa.select(RoomSession).where(RoomSession.room_uuid == room.uuid)
    if after is not None:
        started_at, uuid = after
        query = query.where(
            sa.tuple_(RoomSession.started_at, RoomSession.uuid)
            < sa.tuple_(sa.literal(started_at, RoomSession.started_at.type), sa.literal(uuid, sa.Uuid()))
        )
    return list(session.scalars(query.order_by(RoomSession.started_at.desc(), RoomSession.uuid.desc()).limit(limit)))


def cursor_of(run: RoomSession) -> SessionCursor:
    """The cursor of this run, for `sessions_of`."""
    return run.started_at, run.uuid


def find_session(room: Room, session_id: str) -> RoomSession | None:
    """The run of this room with this id, uuid or ulid; None if there is none."""
    return session.scalar(
        sa.select(RoomSession).where(RoomSession.room_uuid == room.uuid, matches_identifier(RoomSession, session_id))
    )
