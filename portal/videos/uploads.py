"""Uploads: beginning one, which promises storage; finishing it, when its file is whole; and giving it up.

The bytes stream into the storage, and nobody holds a transaction meanwhile: see `portal.edge.tus`. While they come, the
row is the promise. When all are there the file becomes the video's newest one, and its preparation is queued.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.creating import require_creating
from portal.db import lock, on_commit, session, transaction
from portal.enqueueing import enqueue
from portal.errors import Conflict, Invalid, Message, NotFound
from portal.identifiers import Identified
from portal.people.actor import Actor
from portal.people.names import clean_name, printable
from portal.rooms.models import Room
from portal.rooms.operations import nudge_watchers
from portal.storage import Incoming, storage
from portal.storage.local_folder import UPLOADS
from portal.subscriptions.provider_models import ServiceType
from portal.videos.leftovers import PURGE, clean_up, file_of
from portal.videos.models import FILE_NAME_LENGTH, VIDEO_NAME_LENGTH, RoomVideo, VideoUpload
from portal.videos.preparation import queue_preparation
from portal.videos.queries import require_place
from portal.videos.storage_used import GIGABYTE, require_storage

KEPT = timedelta(hours=24)
"""So long an upload waits for its next byte, then it is given up."""
LARGEST_FILE = 200 * GIGABYTE
_ENDED = timedelta(hours=25)


def begin_upload(
    *, room: Room, by: Actor, file_name: str, size: int, name: str = "", video: RoomVideo | None = None
) -> VideoUpload:
    """Promise a file of `size` bytes its storage: for a new video at the end of the room's, or in place of a file.

    `file_name` is what its sender calls it; a new video is called so unless it gets a `name`. Raises `NotFound` if the
    room is none of videos, `Invalid` on `size` or `name`, `Conflict` if nothing new may be made for the customer or
    the room has its most, and `QuotaUsedUp` on `size`.
    """
    if room.room_type is not ServiceType.VIDEO:
        raise NotFound
    if not 1 <= size <= LARGEST_FILE:
        raise Invalid(size=SIZES[size < 1])
    require_creating(room.customer.status)
    called = shown_file_name(file_name)
    lock(room.subscription)
    require_storage(room, size)
    storage().require_room(size)
    replaces = video is not None
    if video is None:
        require_place(room)
        video = RoomVideo(
            room=room,
            name=clean_name(name or called.rpartition(".")[0] or called, field="name", longest=VIDEO_NAME_LENGTH),
            position=next_position(room),
            created_by_uuid=by.uuid,
        )
        session.add(video)
        session.flush()
        record_event("video.created", video, by=by, room=room.uuid, name=video.name)
    at = now()
    upload = VideoUpload(
        video=video,
        file_name=called,
        size=size,
        replaces=replaces,
        created_at=at,
        expires_at=at + KEPT,
        created_by_uuid=by.uuid,
    )
    session.add(upload)
    session.flush()
    nudge_watchers(room)
    return upload


SIZES = {
    True: Message("This file is empty."),
    False: Message("This file is too large: at most %(most)d GB are taken.", most=LARGEST_FILE // GIGABYTE),
}


def uploads_of(room: Identified) -> list[VideoUpload]:
    """The uploads of the room that have not ended, the oldest first."""
    own = sa.select(VideoUpload).join(RoomVideo, RoomVideo.uuid == VideoUpload.video_uuid)
    return list(
        session.scalars(own.where(*_in(room)).options(contains_eager(VideoUpload.video)).order_by(VideoUpload.uuid))
    )


def find_upload(room: Identified, upload_id: str) -> VideoUpload:
    """The upload of this room with this id. Raises `NotFound`."""
    own = sa.select(VideoUpload).join(RoomVideo, RoomVideo.uuid == VideoUpload.video_uuid)
    found = session.scalar(own.where(*_in(room), VideoUpload.id == upload_id))
    if found is None:
        raise NotFound
    return found


def room_id_of_upload(upload_id: str) -> str:
    """The public id of the room for which something is uploaded. Raises `NotFound`."""
    query = sa.select(Room.id).join(RoomVideo, RoomVideo.room_uuid == Room.uuid)
    found = session.scalar(
        query.join(VideoUpload, VideoUpload.video_uuid == RoomVideo.uuid).where(VideoUpload.id == upload_id)
    )
    if found is None:
        raise NotFound
    return found


def received(upload: VideoUpload) -> int:
    """How many of its bytes have come: all, if its file was put where it belongs and that was not written down."""
    if storage().has(_place(upload)):
        return upload.size
    return min(storage().grown(upload.uuid), upload.size)


def expires_at(upload: VideoUpload) -> datetime:
    """When it is given up: a day after its last byte, be it that nobody could note that this came."""
    changed = storage().changed_at(upload.uuid)
    return upload.expires_at if changed is None else max(upload.expires_at, changed + KEPT)


def continue_upload(upload: VideoUpload, *, by: Actor) -> bool:
    """Note that bytes have come. Returns whether those were the last ones: then the file is the video's newest."""
    if received(upload) < upload.size:
        upload.expires_at = now() + KEPT
        session.flush()
        return False
    finish_upload(upload, by=by)
    return True


def adopt_file(*, room: Room, by: Actor, file_name: str, file: Incoming) -> RoomVideo:
    """Let a file that came in one piece, and that the disk has, be a new video. Raises what `begin_upload` does."""
    upload = begin_upload(room=room, by=by, file_name=file_name, size=file.size)
    return _take(upload, lambda key: storage().publish(file, key), by=by)


def finish_upload(upload: VideoUpload, *, by: Actor | None) -> RoomVideo:
    """Let the whole file, which the disk has, be the video's newest, and have it prepared. Raises `Conflict`."""
    if received(upload) < upload.size:
        raise Conflict(Message("Not all of this file has come."))

    def place(key: str) -> None:
        if not storage().has(key):
            storage().move(f"{UPLOADS}/{upload.uuid}", key)

    return _take(upload, place, by=by)


def _place(upload: VideoUpload) -> str:
    """The key of its file once that is whole."""
    return f"{upload.video.key}/{file_of(upload.id)}"


def _take(upload: VideoUpload, place: Callable[[str], None], *, by: Actor | None) -> RoomVideo:
    """Let the file be the video's newest: `place` puts it where its key says."""
    video = upload.video
    lock(video)
    lock(upload, relations=False)  # raises `NotFound` if somebody else has finished it, or given it up
    if video.room is None or video.trashed_at is not None:
        raise NotFound
    name = file_of(upload.id)
    place(f"{video.key}/{name}")
    video.source, video.file_name = name, upload.file_name
    video.size += upload.size
    session.delete(upload)
    session.flush()
    record_event("video.uploaded", video, by=by, room=video.room_uuid, name=video.name, size=upload.size)
    queue_preparation(video, by=by)
    clean_up(video)
    return video


def give_up_upload(upload: VideoUpload, *, by: Actor | None) -> None:
    """Take the promise back and delete what has come. A video that never had a file goes, too."""
    video, uuid = upload.video, upload.uuid
    lock(video)
    lock(upload, relations=False)
    session.delete(upload)
    session.flush()
    record_event("video.given_up", video, by=by, room=video.room_uuid, name=video.name)
    if video.room is not None:
        nudge_watchers(video.room)
    if video.held is not None and not video.held.arrived:
        video.room_uuid = None  # the job that deletes it for good deletes it at the service, too
        session.flush()
        enqueue(PURGE, str(video.uuid))
    elif video.held is None and not video.source and not _has_upload(video):
        session.delete(video)
        session.flush()
    on_commit(lambda: storage().delete(f"{UPLOADS}/{uuid}"))


def forget_unpromised(upload_uuid: UUID) -> None:
    """Delete what came for an upload that was given up in that moment, before it could be seen in the storage."""
    if session.scalar(sa.select(VideoUpload.uuid).where(VideoUpload.uuid == upload_uuid)) is None:
        storage().delete(f"{UPLOADS}/{upload_uuid}")


def sweep_expired() -> None:
    """Housekeeping: give up uploads for which no byte came for a day, and delete files that no row promises.

    One whose last byte came, and whose process died before it could say so, is finished.
    """
    with transaction():
        whole = [
            one.uuid
            for one in session.scalars(sa.select(VideoUpload).options(joinedload(VideoUpload.video)))
            if received(one) >= one.size
        ]
    for uuid in whole:
        with suppress(NotFound), transaction():
            upload = session.get(VideoUpload, uuid)
            if upload is not None:
                finish_upload(upload, by=None)
    with transaction():
        expired = list(session.scalars(sa.select(VideoUpload.uuid).where(VideoUpload.expires_at < now()).limit(1000)))
    for uuid in expired:
        with transaction():
            upload = session.get(VideoUpload, uuid)
            if upload is not None and expires_at(upload) <= now():
                give_up_upload(upload, by=None)
    left = set(storage().growing(before=now() - _ENDED))
    with transaction():
        known = set(session.scalars(sa.select(VideoUpload.uuid).where(VideoUpload.uuid.in_(left)))) if left else set()
    for name in left - known:
        storage().delete(f"{UPLOADS}/{name}")


def shown_file_name(sent: str) -> str:
    """What a file is called here, of a name as a browser or a program sent it: no path, and nothing hidden in it."""
    own = re.split(r"[/\\]", sent)[-1]
    stem, dot, end = own.rpartition(".")
    if not dot:
        stem, end = own, ""
    end = printable(end, longest=10).strip()
    stem = printable(stem, longest=FILE_NAME_LENGTH - 11).strip(" .") or "video"
    return f"{stem}.{end}" if end else stem


def next_position(room: Identified) -> int:
    """The place after all videos of the room."""
    own = RoomVideo.room_uuid == room.uuid, RoomVideo.trashed_at.is_(None)
    last = session.scalar(sa.select(sa.func.max(RoomVideo.position)).where(*own))
    return 0 if last is None else last + 1


def _has_upload(video: RoomVideo) -> bool:
    return session.scalar(sa.select(VideoUpload.uuid).where(VideoUpload.video_uuid == video.uuid).limit(1)) is not None


def _in(room: Identified) -> tuple[sa.ColumnElement[bool], ...]:
    return RoomVideo.room_uuid == room.uuid, RoomVideo.trashed_at.is_(None)
