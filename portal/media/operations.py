"""Changing a recording, and deleting it: stored at once; its service, if it has one, is told after the commit."""

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import lock, session
from portal.enqueueing import enqueue
from portal.errors import Invalid, Message, NotFound
from portal.media.models import RECORDING_NAME_LENGTH, Recording, RecordingVisibility
from portal.people.actor import Actor
from portal.people.names import clean_name
from portal.providers.base import RecordingState
from portal.rooms.models import Room
from portal.status.locking import lock_room

TELL = "tell-recording"
"""The job that tells a service what was decided about a recording here; its id is the uuid of the recording."""

CHANGEABLE = ("name", "published", "visibility")


def add_recording(recording: Recording, *, room: Room) -> bool:
    """Store a new recording of the room, which is locked. False if a service has told it of another room before."""
    recording.room = room
    try:
        with session.begin_nested():
            session.add(recording)
    except IntegrityError:
        return False
    if room.first_recorded_at is None:
        values = {"first_recorded_at": now(), "updated_at": Room.updated_at}  # which is no change of the room
        session.execute(sa.update(Room).where(Room.uuid == room.uuid).values(values))
    return True


def change_recording(
    changed: Recording,
    *,
    by: Actor,
    name: str | None = None,
    published: bool | None = None,
    visibility: RecordingVisibility | None = None,
) -> None:
    """Rename, publish or unpublish a recording, and say who sees it once it is published. What is None stays.

    The caller has locked it by `lock_recording`. Raises `Invalid` on `name`, or on `published` for one that cannot be
    watched yet.
    """
    told = values_of(changed, CHANGEABLE)
    if published and not changed.published and changed.state is not RecordingState.READY:
        raise Invalid(published=Message("This recording cannot be watched yet. Publish it when it is ready."))
    if name is not None:
        changed.name = clean_name(name, field="name", longest=RECORDING_NAME_LENGTH)
    if published is not None:
        changed.published = published
    if visibility is not None:
        changed.visibility = visibility
    changes = changes_since(told, changed)
    if not changes:
        return
    if {"name", "published"} & set(changes):
        tell_service_of(changed)
    session.flush()
    record_event("recording.changed", changed, by=by, room=changed.room_uuid, changes=changes)


def delete_recording(deleted: Recording, *, by: Actor | None) -> None:
    """Delete a recording for good, here and at its service. `by` is None where the plan's limits do.

    The caller has locked it by `lock_recording`. It is gone here at once, whatever its service is like: that is told
    until it has answered.
    """
    record_event("recording.deleted" if by else "recording.expired", deleted, by=by, room=deleted.room_uuid)
    if deleted.provider_uuid is None:
        session.delete(deleted)
    else:
        deleted.deleted_at = now()
        deleted.published, deleted.formats = False, []
        tell_service_of(deleted)
    session.flush()


def lock_recording(recording: Recording) -> None:
    """Lock the room and then the recording, and reload the recording. Raises `NotFound` if it is gone or deleted.

    Everything locks in this order, so that there is no deadlock.
    """
    if recording.room_uuid is not None:
        lock_room(recording.room_uuid)
    lock(recording)
    if recording.deleted_at is not None:
        raise NotFound


def tell_service_of(recording: Recording) -> None:
    """Have the service of a recording told what was decided here, after the commit."""
    if recording.provider_uuid is not None:
        recording.changed_at = recording.tell_at = now()
        recording.rename_refused = False
        enqueue(TELL, str(recording.uuid))


def delete_with_rooms() -> None:
    """Housekeeping: have services delete the recordings of rooms that are gone for good. Others go at once."""
    gone = Recording.room_uuid.is_(None)
    told = sa.and_(Recording.deleted_at.is_not(None), Recording.tell_at.is_(None))
    session.execute(sa.delete(Recording).where(gone, sa.or_(Recording.provider_uuid.is_(None), told)))
    at = now()
    session.execute(
        sa.update(Recording)
        .where(gone, Recording.deleted_at.is_(None))
        .values(deleted_at=at, changed_at=at, tell_at=at, formats=[], published=False)
        .execution_options(synchronize_session=False)
    )
