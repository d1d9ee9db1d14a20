"""Preparing in the one web process on SQLite: killed at any moment, it is taken up again, and no engine outlives it."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from portal.db import session, transaction
from portal.tasks.models import Task, TaskState
from portal.videos.models import RoomVideo, VideoState
from tests.servers import Portal, wait_for
from tests.videos.stored import Stored, found, noted


@pytest.fixture
def portal(database: str, tmp_path: Path) -> Iterator[Portal]:
    work = tmp_path / "work"
    work.mkdir()
    served = Portal(tmp_path, module="tests.videos.program", environment={"DATABASE_URL": database, "WORK": str(work)})
    served.start()
    yield served
    served.kill()


def engines(data: Path) -> list[int]:
    """The processes that work in a folder of this portal."""
    found = []
    for one in Path("/proc").iterdir():
        if one.name.isdigit():
            try:
                if (one / "cwd").readlink().is_relative_to(data / "files" / "scratch"):
                    found.append(int(one.name))
            except OSError:
                continue
    return found


def test_whoever_is_killed_at_whatever_moment_the_video_is_ready_in_the_end(
    app: Flask, stored: Stored, portal: Portal, tmp_path: Path
) -> None:
    def task() -> Task:
        of_video = found(app, uuid).task
        assert of_video is not None
        return of_video

    def reached(percent: int, attempt: int) -> Callable[[], bool]:
        def look() -> bool:
            now = task()
            return (now.state, now.attempts) == (TaskState.RUNNING, attempt) and (now.progress or 0) >= percent

        return look

    def worker() -> int:
        return int((tmp_path / "work" / "log").read_text().split()[-1])

    uuid: UUID = stored("plain.mp4")
    wait_for(reached(10, 1), what="the first 10 percent")
    assert portal.status("/sign-in") == 200
    (engine,) = engines(tmp_path)
    os.kill(engine, signal.SIGKILL)
    wait_for(lambda: task().state is TaskState.WAITING, what="the end of the engine")
    with app.app_context(), transaction():
        session.get_one(Task, task().uuid).lease_until = task().created_at
    wait_for(reached(10, 2), what="the second attempt")
    portal.stop()
    assert (task().state, task().attempts) == (TaskState.WAITING, 1)
    assert found(app, uuid).state is VideoState.WAITING
    assert engines(tmp_path) == []
    portal.start()
    for attempt, percent in ((2, 50), (3, 99)):
        wait_for(reached(percent, attempt), what=f"{percent} percent", seconds=30)
        os.kill(worker(), signal.SIGKILL)
        wait_for(lambda: engines(tmp_path) == [], what="the engine's end", seconds=5)
    wait_for(reached(99, 4), what="the last attempt", seconds=30)
    (tmp_path / "work" / "go").touch()
    wait_for(lambda: found(app, uuid).state is VideoState.READY, what="the video")
    video = found(app, uuid)
    assert noted(app, uuid) == ["video.ready"]
    wait_for(lambda: names_of(tmp_path, video) == {video.source, video.folder, video.poster}, what="what is left")
    assert engines(tmp_path) == []
    wait_for(lambda: list((tmp_path / "files" / "scratch").iterdir()) == [], what="an empty workshop")


def names_of(data: Path, video: RoomVideo) -> set[str]:
    return {one.name for one in (data / "files" / video.key).iterdir()}
