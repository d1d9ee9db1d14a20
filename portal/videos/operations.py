"""Changing a video, its place among the others, and deleting it: first into the trash, then for good by a job."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event, record_events
from portal.clock import now
from portal.db import lock, session, transaction
from portal.enqueueing import enqueue
from portal.errors import Conflict, Message, NotFound
from portal.people.actor import Actor
from portal.people.names import clean_name, clean_text
from portal.rooms.models import Room
from portal.rooms.operations import nudge_watchers
from portal.storage import storage
from portal.videos.leftovers import PURGE
from portal.videos.models import DESCRIPTION_LENGTH, VIDEO_NAME_LENGTH, RoomVideo
from portal.videos.preparation import UNDER_WAY, cancel_preparation
from portal.videos.queries import require_place, videos_of
from portal.videos.service_videos import delete_at_service
from portal.videos.storage_used import promised_to, require_storage

TRASH_TIME = timedelta(days=30)
CHANGEABLE = ("name", "description", "published", "published_from")
Direction = Literal["up", "down"]


def change_video(
    video: RoomVideo,
    *,
    by: Actor,
    name: str | None = None,
    description: str | None = None,
    published: bool | None = None,
    published_from: datetime | Literal["unchanged"] | None = "unchanged",
) -> None:
    """Rename or describe a video, publish or hide it. What is None stays; as `published_from` it takes that away.

    One that is published before it is ready appears once it can be watched. Raises `Invalid` on the name of the field.
    """
    lock_video(video)
    before = values_of(video, CHANGEABLE)
    if name is not None:
        video.name = clean_name(name, field="name", longest=VIDEO_NAME_LENGTH)
    if description is not None:
        video.description = clean_text(description, field="description", longest=DESCRIPTION_LENGTH)
    if published is not None:
        video.published = published
    if published_from != "unchanged":
        video.published_from = published_from
    changes = changes_since(before, video)
    if changes:
        session.flush()
        record_event("video.changed", video, by=by, room=video.room_uuid, name=video.name, changes=changes)
        _nudge(video)


def move_video(video: RoomVideo, *, by: Actor, direction: Direction) -> None:
    """Move a video one place up or down among those of its room. At the end it stays where it is."""
    place_video(video, by=by, position=lambda at: at - 1 if direction == "up" else at + 1)


def place_video(video: RoomVideo, *, by: Actor, position: Callable[[int], int]) -> None:
    """Move a video to the place that `position` returns for the one that it has: 0 is the first.

    All videos of the room get numbers of their own, under the lock of the room.
    """
    lock_video(video)
    assert video.room is not None
    order = videos_of(video.room)
    at = next(number for number, one in enumerate(order) if one.uuid == video.uuid)
    to = min(max(position(at), 0), len(order) - 1)
    order.insert(to, order.pop(at))
    for number, one in enumerate(order):
        one.position = number
    session.flush()
    if to != at:
        record_event("video.moved", video, by=by, room=video.room_uuid, name=video.name, place=to + 1)
        _nudge(video)


def trash_video(video: RoomVideo, *, by: Actor) -> None:
    """Put a video into the trash: nobody sees it, and its bytes do not count. Its preparation is cancelled."""
    lock_video(video)
    if video.state in UNDER_WAY and video.held is None:
        cancel_preparation(video, by=by)
    video.trashed_at = now()
    session.flush()
    record_event("video.deleted", video, by=by, room=video.room_uuid, name=video.name)
    _nudge(video)


def restore_video(video: RoomVideo, *, by: Actor) -> None:
    """Take a video out of the trash again. Raises `Conflict` if it is not there any more, or `QuotaUsedUp`."""
    if video.room is not None:
        lock(video.room.subscription)
    lock_video(video, trashed=True)
    if video.trashed_at is None or video.trashed_at < now() - TRASH_TIME:
        raise Conflict(Message("This video is not in the trash any more."))
    assert video.room is not None
    require_place(video.room)
    if video.held is None:
        require_storage(video.room, video.size + promised_to(video))
    video.trashed_at = None
    session.flush()
    record_event("video.restored", video, by=by, room=video.room_uuid, name=video.name)
    _nudge(video)


def find_trashed(room: Room, video_id: str) -> RoomVideo:
    """The video of this room with this id that is in the trash. Raises `NotFound`."""
    own = sa.select(RoomVideo).where(RoomVideo.room_uuid == room.uuid, RoomVideo.id == video_id)
    found = session.scalar(own.where(RoomVideo.trashed_at.is_not(None)))
    if found is None:
        raise NotFound
    return found


def lock_video(video: RoomVideo, *, trashed: bool = False) -> None:
    """Lock the room and then the video, and reload it. Raises `NotFound` if it is gone, or in the trash.

    Everything locks in this order, so that there is no deadlock.
    """
    if video.room is None:
        raise NotFound
    lock(video.room, relations=False)
    lock(video)
    if video.room_uuid is None or (video.trashed_at is not None and not trashed):
        raise NotFound


def empty_video_trash() -> None:
    """Housekeeping: have videos deleted for good that were in the trash for 30 days."""
    overdue = sa.update(RoomVideo).where(RoomVideo.trashed_at < now() - TRASH_TIME).values(room_uuid=None)
    told = session.execute(overdue.returning(RoomVideo.uuid).execution_options(synchronize_session=False)).all()
    for (uuid,) in told:
        enqueue(PURGE, str(uuid))


def videos_to_purge() -> list[UUID]:
    """Those without a room, whose files are to be deleted."""
    return list(session.scalars(sa.select(RoomVideo.uuid).where(RoomVideo.room_uuid.is_(None)).limit(100)))


def purge_video(video_uuid: UUID) -> None:
    """Delete the files of a video that has no room, and then the row. It can be done again."""
    with transaction():
        found = session.get(RoomVideo, video_uuid)
        if found is None or found.room_uuid is not None:
            return
        key, name = found.key, found.name
        if found.state in UNDER_WAY and found.held is None:
            cancel_preparation(found, by=None)
    delete_at_service(video_uuid)
    storage().delete(key)
    with transaction():
        found = session.get(RoomVideo, video_uuid)
        if found is not None:
            record_events("video.purged", [(found, None)], name_of=lambda _video: name)
            session.delete(found)


def _nudge(video: RoomVideo) -> None:
    if video.room is not None:
        nudge_watchers(video.room)
