"""Deleting what no viewer can fetch any more: the segments and journals of runs that have ended, and lost folders."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.broadcasts.models import Broadcast, BroadcastConnection, JournalSegment
from portal.broadcasts.producing import FOLDER, folder_of
from portal.clock import now
from portal.db import session, transaction
from portal.status.models import RoomSession
from portal.storage import storage

KEPT = timedelta(minutes=10)
"""After its end, for players that are late."""
_UNNAMED = timedelta(hours=1)
_AT_ONCE = 200


def sweep_broadcasts() -> None:
    """Housekeeping: delete the segments of runs that have ended a while ago, and folders whose run is gone."""
    with transaction():
        over = list(
            session.scalars(
                sa.select(Broadcast.session_uuid)
                .join(RoomSession, RoomSession.uuid == Broadcast.session_uuid)
                .where(RoomSession.ended_at < now() - KEPT, Broadcast.lease_until.is_(None), Broadcast.size > 0)
                .limit(_AT_ONCE)
            )
        )
    for session_uuid in over:
        _delete(session_uuid)
    keys = set(storage().keys(FOLDER, before=now() - _UNNAMED))
    with transaction():
        known = {folder_of(uuid) for uuid in session.scalars(sa.select(Broadcast.session_uuid))} if keys else set()
    for key in keys - known:
        storage().delete(key)


def delete_chunks(connection_uuid: UUID) -> None:
    """Delete what came by a connection, after all of it was made into segments."""
    storage().delete(f"uploads/{connection_uuid}")


def _delete(session_uuid: UUID) -> None:
    with transaction():
        connections = list(
            session.scalars(sa.select(BroadcastConnection.uuid).where(BroadcastConnection.session_uuid == session_uuid))
        )
    for uuid in connections:
        delete_chunks(uuid)
    storage().delete(folder_of(session_uuid))
    with transaction():
        session.execute(sa.delete(JournalSegment).where(JournalSegment.session_uuid == session_uuid))
        session.execute(sa.update(Broadcast).where(Broadcast.session_uuid == session_uuid).values(size=0))
