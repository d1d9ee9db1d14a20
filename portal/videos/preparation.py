"""Preparing: a file that has come is checked, and made into what browsers can play, by the workers for media.

It is a task in the queue of media, in which customers take turns. Here is what people do with it; what its worker
writes is in `portal.videos.publishing`, and the work itself in `portal.jobs`.

Whatever names another file in a video's folder does so under the lock of the row (`portal.db.lock`), and puts the file
there within the same transaction: see `leftovers`.
"""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.db import lock, session
from portal.errors import Conflict, Message, NotFound
from portal.people.actor import Actor
from portal.rooms.operations import nudge_watchers
from portal.tasks import operations as tasks
from portal.tasks.media_line import in_line
from portal.tasks.models import Task, TaskQueue, TaskState
from portal.videos.leftovers import clean_up, recount
from portal.videos.models import RoomVideo, VideoState

PREPARE = "prepare-video"
"""The kind of its tasks."""
UNDER_WAY = (VideoState.WAITING, VideoState.CHECKING, VideoState.PREPARING)
CANCELLED = Message("Preparing was cancelled.")


def queue_preparation(video: RoomVideo, *, by: Actor | None) -> Task:
    """Have the newest file of the video, `source`, prepared when it is its customer's turn.

    What can be watched stays so until then. Whatever was under way for an earlier file is cancelled. `by` is None for
    the portal itself. Raises `NotFound` if the video has no room.
    """
    lock(video)
    if video.room is None:
        raise NotFound
    _cancel_task(video, by=by)
    task = tasks.create_task(
        kind=PREPARE, subject_uuid=video.uuid, by=by, queue=TaskQueue.MEDIA, turn_of_uuid=video.room.customer_uuid
    )
    video.state, video.error, video.task_uuid = VideoState.WAITING, "", task.uuid
    session.flush()
    nudge_watchers(video.room)
    return task


def cancel_preparation(video: RoomVideo, *, by: Actor | None) -> None:
    """Prepare the newest file no further. Raises `Conflict` if nothing is under way.

    A video that had a file before is as it was with that. Of another nothing is watched until somebody tries again.
    """
    lock(video)
    if video.state not in UNDER_WAY or video.held is not None:
        raise Conflict(Message("This video is not being prepared here."))
    _cancel_task(video, by=by)
    if video.prepared_source:
        video.source, video.file_name = video.prepared_source, video.prepared_file_name
        video.state, video.error = VideoState.READY, ""
    else:
        video.state, video.error = VideoState.FAILED, CANCELLED
        video.folder, video.playable, video.renditions = "", False, []
    recount(video)
    session.flush()
    record_event("video.cancelled", video, by=by, room=video.room_uuid, name=video.name)
    clean_up(video)
    if video.room is not None:
        nudge_watchers(video.room)


def retry_preparation(video: RoomVideo, *, by: Actor | None) -> Task:
    """Have a file that failed prepared once more. Raises `Conflict` for any other, and `NotFound` without a room."""
    lock(video)
    if video.state is not VideoState.FAILED or not video.source:
        raise Conflict(Message("Only a video that could not be prepared can be tried again."))
    return queue_preparation(video, by=by)


def place_in_line(video: RoomVideo) -> int | None:
    """Its place in the queue of media: 1 is next. None if it does not wait."""
    return places_in_line([video]).get(video.uuid)


def places_in_line(videos: Iterable[RoomVideo]) -> dict[UUID, int]:
    """The places of those that wait, by their uuids."""
    waiting = {one.task_uuid: one.uuid for one in videos if one.state is VideoState.WAITING}
    line = in_line() if waiting else []
    return {waiting[task]: place for place, task in enumerate(line, 1) if task in waiting}


def _cancel_task(video: RoomVideo, *, by: Actor | None) -> None:
    """End the task of an earlier attempt, if it has not ended. Its worker learns that at its next heartbeat."""
    running = session.scalar(
        sa.select(Task).where(Task.uuid == video.task_uuid, Task.state.in_([TaskState.WAITING, TaskState.RUNNING]))
    )
    if running is not None:
        tasks.cancel(task=running, by=by)
