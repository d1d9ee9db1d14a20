"""Deleting rooms for good, with all that belongs to them.

The audit keeps the names of what is deleted, by which older lines about the rooms, and about what was in them, go on to
tell of them.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import record_events
from portal.clock import now
from portal.db import session
from portal.people.actor import Actor
from portal.rooms.models import Room

TRASH_DAYS = 30


@dataclass(frozen=True)
class PurgedRoom:
    """A room that is not there any more."""

    __tablename__ = Room.__tablename__

    uuid: UUID
    room_name: str
    customer_uuid: UUID


def purge_rooms(which: sa.ColumnElement[bool], *, by: Actor | None) -> None:
    """Delete these rooms, whoever is inside: see `status.customer_lifecycle.delete_rooms`.

    `by` is None for the portal itself.
    """
    told = Room.uuid, Room.room_name, Room.customer_uuid
    rooms = session.execute(sa.delete(Room).where(which).returning(*told)).all()
    record_events("room.purged", [(PurgedRoom(*row), by) for row in rooms], name_of=lambda room: room.room_name)


def empty_trash() -> None:
    """Housekeeping: delete rooms that were in the trash for 30 days."""
    purge_rooms(Room.trashed_at < now() - timedelta(days=TRASH_DAYS), by=None)
