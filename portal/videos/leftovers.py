"""Deleting what no video needs any more: replaced files, folders of attempts that came to nothing, all of a lost row.

What a video needs is what its row names, and what the worker of its task is about to name. The rest is set aside under
the lock of the row, which is a matter of renaming, and deleted after the commit. Whoever adds a file to the folder of a
video does that under the same lock, in the transaction that names it.
"""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.clock import now
from portal.db import lock, session, transaction
from portal.enqueueing import enqueue
from portal.storage import NotStored, storage
from portal.tasks.models import Task
from portal.videos.models import RoomVideo, VideoUpload

PURGE = "purge-video"
"""The job that deletes a video for good; its id is the uuid of the video."""
KEEP_EXTRAS = "keep-extras-of-video"
"""The job that tells a service of the captions of a video, and has the poster; its id is the uuid of the video."""
CLEAN = "clean-video"
"""The job that deletes what a video does not need; its id is the uuid of the video."""
FOLDER, SCRATCH = "videos", "scratch"
FRAME = "frame-"
"""How the names of posters begin that preparing made. One that somebody chose has another name, and stays."""
_UNNAMED = timedelta(hours=1)
"""No transaction lasts as long: what no row names after that was rolled back."""
_LOOKED_BACK = timedelta(hours=3)
"""Folders that changed since then are looked through each hour, in case the queue has lost a job."""


def clean_up(video: RoomVideo) -> None:
    """Have what the video does not need deleted after the commit."""
    enqueue(CLEAN, str(video.uuid))


def recount(video: RoomVideo) -> None:
    """Let `size` be the bytes of what the video needs."""
    names = {video.source, video.prepared_source, video.poster} - {""}
    made = storage().size_below(f"{video.key}/{video.folder}") if video.folder else 0
    video.size = made + sum(_size(f"{video.key}/{name}") for name in names)


def clean(video_uuid: UUID) -> None:
    """Delete what a video does not need. It can be done again."""
    with transaction():
        video = session.get(RoomVideo, video_uuid)
        if video is None:
            return
        lock(video, relations=False)
        needed = names_needed(video)
        aside = [storage().set_aside(key) for key in list(storage().keys(video.key)) if _name(key) not in needed]
    for key in aside:
        storage().delete(key)


def names_needed(video: RoomVideo) -> set[str]:
    """The names in its folder that its row names, that an upload will have, and that a worker is about to name."""
    uploads = session.scalars(sa.select(VideoUpload.id).where(VideoUpload.video_uuid == video.uuid))
    named = {video.source, video.prepared_source, video.folder, video.poster} - {""}
    return named | _names_of_attempt(video) | {file_of(one) for one in uploads}


def sweep_leftovers() -> None:
    """Housekeeping: delete the folders of videos that have no row, and what others do not need."""
    for key in set(storage().keys(FOLDER)) - set(storage().keys(FOLDER, before=now() - _LOOKED_BACK)):
        clean(UUID(_name(key)))
    keys = set(storage().keys(FOLDER, before=now() - _UNNAMED))
    with transaction():
        known = {f"{FOLDER}/{uuid}" for uuid in session.scalars(sa.select(RoomVideo.uuid))} if keys else set()
    for key in keys - known:
        storage().delete(key)


def sweep_workshops() -> None:
    """Delete the folders in which workers worked that have died, or whose task has another worker by now.

    Those that have no worker have a name with a dash, and are deleted when they are old.
    """
    old = set(storage().keys(SCRATCH, before=now() - _UNNAMED))
    keys = {key for key in storage().keys(SCRATCH) if key in old or "-" not in key}
    with transaction():
        claims = set(session.scalars(sa.select(Task.worker).where(Task.worker.is_not(None)))) if keys else set()
    for key in keys:
        if _name(key) not in claims:
            storage().delete(key)


def file_of(upload_id: str) -> str:
    """The name of the file that an upload brings."""
    return f"file-{upload_id}"


def poster_of(claim: str) -> str:
    """The name of the poster that an attempt makes."""
    return f"{FRAME}{claim}.jpg"


def _names_of_attempt(video: RoomVideo) -> set[str]:
    """What the worker that prepares the video now may be about to name."""
    claim = session.scalar(sa.select(Task.worker).where(Task.uuid == video.task_uuid))
    return {claim, poster_of(claim)} if claim else set()


def _size(key: str) -> int:
    try:
        return storage().size(key)
    except NotStored:
        return 0


def _name(key: str) -> str:
    return key.rpartition("/")[2]
