"""Workers for media take turns, take over from dead ones, and publish once, whoever dies on the way."""

import errno
import subprocess
import threading
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from portal.channels import channels
from portal.db import session, transaction
from portal.engines import tool as engine_tool
from portal.engines.pictures import make_sprites
from portal.jobs import media, preparing
from portal.jobs.progress import Progress
from portal.storage import LocalFolder, StorageFull, storage
from portal.tasks import media_line, operations
from portal.tasks.media_line import MEDIA_TOPIC
from portal.tasks.models import TaskState
from portal.videos.models import RoomVideo, VideoState
from portal.videos.preparation import place_in_line, retry_preparation
from tests.cast import Cast
from tests.conftest import BOTH
from tests.videos.stored import Stored, expire, files, found, names, noted


@BOTH
def test_of_two_workers_one_publishes(app: Flask, stored: Stored) -> None:
    uuid = stored("silent.mp4")
    worked: list[bool] = []
    workers = [threading.Thread(target=lambda: worked.append(media.work_once(app))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(worked) == [False, True]
    assert found(app, uuid).state is VideoState.READY
    assert noted(app, uuid) == ["video.ready"]


@BOTH
def test_a_worker_that_lost_its_lease_publishes_nothing(
    app: Flask, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = stored("silent.mp4")
    with app.app_context():
        zombie = media.take()
    assert zombie is not None
    sprites = make_sprites
    nested: list[bool] = []

    def last_step(*arguments: object) -> object:
        if not nested:
            nested.append(True)
            expire(app, uuid)
            threads = threading.Thread(target=media.work_once, args=(app,))
            threads.start()
            threads.join()
            assert found(app, uuid).state is VideoState.READY
        return sprites(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(preparing, "make_sprites", last_step)
    with app.app_context():
        preparing.prepare(zombie, Progress())
    video = found(app, uuid)
    assert (video.state, video.folder != zombie.worker) == (VideoState.READY, True)
    assert names(app, video) == {video.source, video.folder, video.poster}
    assert noted(app, uuid) == ["video.ready"]


def test_what_a_dead_worker_began_another_one_ends_and_after_three_of_them_nobody(app: Flask, stored: Stored) -> None:
    uuid = stored("silent.mp4")
    for _ in range(operations.MOST_MEDIA_ATTEMPTS):
        with app.app_context():
            died = media.take()
            assert died is not None
            storage().workshop(died.worker)
        expire(app, uuid)
    assert not media.work_once(app)
    video = found(app, uuid)
    assert (video.state, video.error) == (
        VideoState.FAILED,
        "It was begun several times and never came to an end. Try again later.",
    )
    with app.app_context():
        storage().workshop("poster-of-somebody")
        media.tidy_up()
        assert list(storage().keys("scratch")) == ["scratch/poster-of-somebody"]
        with transaction():
            retry_preparation(session.get_one(RoomVideo, uuid), by=None)
    assert media.work_once(app)
    assert found(app, uuid).state is VideoState.READY


def test_an_engine_that_is_killed_is_tried_again(
    app: Flask, stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "ffmpeg"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o700)
    real = engine_tool.find_tool()
    monkeypatch.setattr(preparing, "find_tool", lambda: engine_tool.Tool(killed, "5.1", ()))
    uuid = stored("silent.mp4")
    assert media.work_once(app)
    video = found(app, uuid)
    assert (video.state, video.task.state if video.task else None) == (VideoState.WAITING, TaskState.WAITING)
    assert not media.work_once(app)
    expire(app, uuid)
    monkeypatch.setattr(preparing, "find_tool", lambda: real)
    assert media.work_once(app)
    assert found(app, uuid).state is VideoState.READY


@pytest.mark.parametrize(
    "error", [StorageFull(), OSError(errno.ENOSPC, "No space left on device")], ids=["ours", "its"]
)
def test_a_full_disk_is_told_after_three_attempts(
    app: Flask, stored: Stored, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(_self: LocalFolder, _size: int) -> None:
        raise error

    monkeypatch.setattr(LocalFolder, "require_room", full)
    uuid = stored("silent.mp4")
    for _ in range(operations.MOST_MEDIA_ATTEMPTS):
        expire(app, uuid)
        assert media.work_once(app)
    video = found(app, uuid)
    assert (video.state, video.error) == (VideoState.FAILED, StorageFull.default)


@BOTH
def test_customers_take_turns(app: Flask, cast: Cast, stored: Stored) -> None:
    acme, globex = UUID(int=1), UUID(int=2)
    many = [stored("silent.mp4", customer_uuid=acme) for _ in range(3)]
    one = stored("silent.mp4", customer_uuid=globex)
    with app.app_context(), transaction():
        places = {uuid: place_in_line(session.get_one(RoomVideo, uuid)) for uuid in [*many, one]}
    assert [places[uuid] for uuid in [*many, one]] == [1, 3, 4, 2]
    taken = []
    with app.app_context():
        while (claimed := media.take()) is not None:
            taken.append(claimed.subject_uuid)
        assert operations.due() == []
    assert taken == [many[0], one, many[1], many[2]]


@BOTH
def test_who_has_more_than_is_looked_at_hides_nobody(
    app: Flask, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_line, "_MOST", 2)
    for _ in range(3):
        stored("silent.mp4", customer_uuid=UUID(int=1))
    other = stored("silent.mp4", customer_uuid=UUID(int=2))
    with app.app_context(), transaction():
        assert place_in_line(session.get_one(RoomVideo, other)) == 2


def test_a_worker_is_called_at_once(app: Flask, stored: Stored) -> None:
    with channels().watch(MEDIA_TOPIC) as watch:
        stored("silent.mp4")
        watch.wait(5)
        assert MEDIA_TOPIC in watch.heard


def test_no_engine_is_left_behind(app: Flask, stored: Stored) -> None:
    stored("silent.mp4")
    assert media.work_once(app)
    own = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(files(app)) not in own
