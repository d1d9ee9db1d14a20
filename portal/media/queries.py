"""Finding the recordings of a room: those that somebody sees, newest first, or one by its id."""

import sqlalchemy as sa

from portal.db import session
from portal.identifiers import matches_identifier
from portal.keyset import Key, Position, keyset
from portal.media.models import Recording, RecordingVisibility
from portal.people.actor import Actor
from portal.permissions.permission import Permission
from portal.permissions.rules import can
from portal.providers.base import RecordingState
from portal.rooms.features import features_of
from portal.rooms.models import Room
from portal.rooms.protocols import RoomLike
from portal.subscriptions.feature_catalog import RECORDING
from portal.subscriptions.services import adapter_of

NEWEST_RECORDINGS = Key(Recording.started_at, descending=True), Key(Recording.uuid, descending=True)
"""The order of `recordings_of`."""

SHARED_WITH_MEMBERS = frozenset({RecordingVisibility.MEMBERS, RecordingVisibility.PARTICIPANTS})


def can_record(room: RoomLike) -> bool:
    """Whether the service behind the room records, if the plan grants it. No statement: adapters declare it."""
    return RECORDING in adapter_of(room.subscription.provider).features


def seen_recordings(room: Room, reader: Actor | None) -> sa.Select[Recording]:
    """Select the recordings of the room that `reader`, who may see the room, may see.

    All with the right to see recordings; without it those that are published and shared with members.
    """
    query = _recordings_in(room)
    if can(reader, Permission.RECORDINGS_VIEW, room):
        return query
    return query.where(_watchable(), Recording.visibility.in_(SHARED_WITH_MEMBERS))


def shared_recordings(room: RoomLike, *, limit: int = 25) -> list[Recording]:
    """The published recordings of the room that participants may see, newest first."""
    return list(session.scalars(keyset(_shared(room), NEWEST_RECORDINGS, None).limit(limit)))


def find_shared_recording(room: RoomLike, recording_id: str) -> Recording | None:
    """The recording of this room with this id, uuid or ulid, if participants may see it; else None."""
    return session.scalar(_shared(room).where(matches_identifier(Recording, recording_id)))


def is_recorded(room: RoomLike) -> bool:
    """Whether plan and room let the room be recorded, and its service can. No statement: all that is loaded."""
    rows = (row for row in features_of(room) if row.code == RECORDING)
    return any(row.available and bool(row.used_value) for row in rows)


def recordings_of(
    room: Room, reader: Actor | None, *, after: Position | None = None, limit: int = 25
) -> list[Recording]:
    """The recordings of the room that `reader` may see, newest first: at most `limit` that follow `after`."""
    return list(session.scalars(keyset(seen_recordings(room, reader), NEWEST_RECORDINGS, after).limit(limit)))


def position_of_recording(recording: Recording) -> Position:
    """The position of this recording, for `recordings_of`."""
    return recording.started_at, recording.uuid


def sees_recordings(room: Room, reader: Actor | None) -> bool:
    """Whether the room has recordings that `reader` may see. No statement for a room that never had any."""
    if room.first_recorded_at is None:
        return False
    return bool(session.scalar(sa.select(seen_recordings(room, reader).exists())))


def find_recording(room: Room, recording_id: str, reader: Actor | None) -> Recording | None:
    """The recording of this room with this id, uuid or ulid, if `reader` may see it; else None."""
    return session.scalar(seen_recordings(room, reader).where(matches_identifier(Recording, recording_id)))


def _recordings_in(room: RoomLike) -> sa.Select[Recording]:
    return sa.select(Recording).where(Recording.room_uuid == room.uuid, Recording.deleted_at.is_(None))


def _shared(room: RoomLike) -> sa.Select[Recording]:
    return _recordings_in(room).where(_watchable(), Recording.visibility == RecordingVisibility.PARTICIPANTS)


def _watchable() -> sa.ColumnElement[bool]:
    return sa.and_(Recording.published.is_(True), Recording.state == RecordingState.READY)
