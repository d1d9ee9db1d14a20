"""What the worker that prepares a video writes, which counts only while the task is still its own.

Each step locks the row of the video, then its task. A worker whose lease ran out, whose work was cancelled, or whose
video has another file or no room by now gets `Superseded`, and has changed nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.db import lock, session, transaction
from portal.errors import Message, NotFound
from portal.rooms.operations import nudge_watchers
from portal.storage import storage
from portal.tasks import operations as tasks
from portal.tasks.models import Task, TaskState
from portal.tasks.operations import ClaimedTask
from portal.videos.leftovers import FRAME, clean_up, poster_of, recount
from portal.videos.models import VIDEO_ERROR_LENGTH, RoomVideo, ServiceVideo, VideoState
from portal.videos.preparation import UNDER_WAY
from portal.videos.storage_used import missing_storage

GIVEN_UP = Message("It was begun several times and never came to an end. Try again later.")


class Superseded(Exception):
    """The task is no longer this worker's, or nobody wants the video any more."""


class NoStorageLeft(Exception):
    """The plan has no storage left for what would be made. `message` says how much there is."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def _of_renditions(used: str, most: int | None, size: str) -> Message:
    return Message(
        "Preparing it takes about %(size)s GB, and %(used)s GB of %(most)d GB are used. "
        "Delete videos, or ask for a larger plan, and try again.",
        used=used,
        most=most,
        size=size,
    )


@dataclass(frozen=True)
class Made:
    """What an attempt has made and put into the storage, as the columns of `RoomVideo` have it."""

    milliseconds: int
    renditions: list[dict[str, Any]]
    poster: bool
    sprite: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """One attempt at preparing a video. Its folder has the name of the claim, which no other attempt has."""

    claimed: ClaimedTask

    @property
    def folder(self) -> str:
        """The name of the folder for what it makes."""
        return self.claimed.worker

    @property
    def key(self) -> str:
        """The key of the folder of its video."""
        return f"videos/{self.claimed.subject_uuid}"

    def begin(self) -> str:
        """Say that the file is being checked. Returns the key of it. Raises `Superseded`."""
        with self._held() as video:
            self._set_state(video, VideoState.CHECKING)
            return f"{video.key}/{video.source}"

    def go_on(self, size: int) -> None:
        """Say that renditions are being made, of about `size` bytes. Raises `Superseded`, or `NoStorageLeft`.

        Nobody else's bytes are held off meanwhile: what two make at once may be more than is left, by one video.
        """
        with self._held() as video:
            assert video.room is not None
            missing = missing_storage(video.room, size, _of_renditions)
            if missing is not None:
                raise NoStorageLeft(missing)
            self._set_state(video, VideoState.PREPARING)

    def publish_first(self, made: Made) -> None:
        """Let people watch what is there, unless they can watch something already. Raises `Superseded`."""
        with self._held() as video:
            if not video.playable:
                self._name(video, made)
                _nudge(video)

    def publish_whole(self, made: Made) -> None:
        """Let people watch what was made, and end the task. Raises `Superseded`."""
        with self._held() as video:
            video.prepared_source, video.prepared_file_name = video.source, video.file_name
            self._name(video, made)
            video.state, video.error = VideoState.READY, ""
            session.flush()
            tasks.finish(self.claimed)
            record_event("video.ready", video, by=None, room=video.room_uuid, name=video.name)
            clean_up(video)
            _nudge(video)

    def fail(self, why: Message, *, retry: bool) -> None:
        """Say why the attempt failed. With `retry` there is another one, unless there were too many."""
        self._end(lambda: tasks.fail(self.claimed, message=why, retry=retry), why)

    def give_back(self) -> None:
        """Let another process begin anew at once: this one is told to end."""
        self._end(lambda: tasks.give_back(self.claimed), GIVEN_UP)

    def withdraw(self) -> None:
        """Delete what this attempt made, unless it is watched."""
        with transaction():
            video = session.get(RoomVideo, self.claimed.subject_uuid)
            needed = {video.folder, video.poster} if video is not None else set()
        for name in {self.folder, poster_of(self.folder)} - needed:
            storage().delete(f"{self.key}/{name}")

    def _end(self, end: Callable[[], None], why: Message) -> None:
        """End this attempt by `end`, and let the video wait or fail as its task does."""
        with transaction():
            video = _locked(self.claimed.subject_uuid)
            end()
            task = session.get(Task, self.claimed.uuid)
            if video is None or task is None or video.task_uuid != task.uuid or video.state not in UNDER_WAY:
                return
            if task.state is TaskState.WAITING:
                self._set_state(video, VideoState.WAITING)
            elif task.state is TaskState.FAILED:
                _fail(video, why)

    @contextmanager
    def _held(self) -> Iterator[RoomVideo]:
        with transaction():
            video = _locked(self.claimed.subject_uuid)
            if video is None or video.room_uuid is None or video.task_uuid != self.claimed.uuid:
                raise Superseded
            if not tasks.hold(self.claimed):
                raise Superseded
            yield video

    def _set_state(self, video: RoomVideo, state: VideoState) -> None:
        video.state = state
        session.flush()
        _nudge(video)

    def _name(self, video: RoomVideo, made: Made) -> None:
        video.folder, video.playable = self.folder, True
        video.renditions, video.sprite, video.milliseconds = made.renditions, made.sprite, made.milliseconds
        if made.poster and (not video.poster or video.poster.startswith(FRAME)):
            video.poster = poster_of(self.folder)
        recount(video)
        session.flush()


def settle_lost() -> int:
    """Let videos fail whose task has ended without them: their workers died once too often. Returns how many."""
    ended = (
        sa.select(RoomVideo.uuid)
        .outerjoin(Task, Task.uuid == RoomVideo.task_uuid)
        .outerjoin(ServiceVideo, ServiceVideo.video_uuid == RoomVideo.uuid)
        .where(
            ServiceVideo.video_uuid.is_(None),
            RoomVideo.state.in_(UNDER_WAY),
            sa.or_(Task.uuid.is_(None), Task.ended_at.is_not(None)),
        )
    )
    with transaction():
        lost = list(session.scalars(ended))
    for uuid in lost:
        with transaction():
            video = _locked(uuid)
            task = session.get(Task, video.task_uuid) if video is not None and video.task_uuid is not None else None
            if video is not None and video.state in UNDER_WAY and (task is None or task.ended_at is not None):
                _fail(video, GIVEN_UP)
    return len(lost)


def _locked(video_uuid: UUID) -> RoomVideo | None:
    video = session.get(RoomVideo, video_uuid)
    if video is None:
        return None
    try:
        lock(video)
    except NotFound:
        return None
    return video


def _fail(video: RoomVideo, why: str) -> None:
    video.state, video.error = VideoState.FAILED, why[:VIDEO_ERROR_LENGTH]
    session.flush()
    record_event("video.failed", video, by=None, room=video.room_uuid, name=video.name, reason=why)
    clean_up(video)
    _nudge(video)


def _nudge(video: RoomVideo) -> None:
    if video.room is not None:
        nudge_watchers(video.room)
