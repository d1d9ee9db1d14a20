"""A stored file becomes a video that plays, or a sentence, and nothing is left behind."""

import pytest
from flask import Flask

from portal.db import session, transaction
from portal.engines.ladder import Rung
from portal.engines.renditions import make as make_renditions
from portal.errors import Conflict
from portal.jobs import media, preparing, tasks
from portal.people.actor import actor_of
from portal.tasks import operations
from portal.tasks.models import TaskState
from portal.videos.models import RoomVideo, VideoState
from portal.videos.preparation import cancel_preparation, retry_preparation
from portal.videos.state_words import state_words
from tests.cast import Cast
from tests.conftest import BOTH
from tests.videos.stored import Stored, clean, files, found, names, noted


@BOTH
def test_a_stored_file_becomes_a_video_that_plays(app: Flask, stored: Stored) -> None:
    uuid = stored("plain.mp4")
    assert state_words(found(app, uuid), place=1) == "waiting (first in line)"
    assert media.work_once(app)
    assert not media.work_once(app)
    video = found(app, uuid)
    assert (video.state, video.error, video.playable, state_words(video)) == (VideoState.READY, "", True, "ready")
    assert [(one["name"], one["width"], one["height"]) for one in video.renditions] == [("90p", 160, 90)]
    assert video.milliseconds is not None
    assert abs(video.milliseconds - 2000) < 100
    made = files(app) / video.key / video.folder
    assert {"master.m3u8", "90p.m3u8", "init_90p.mp4", "90p_00001.m4s", "sprites.vtt", "sprite_1.jpg"} == {
        one.name for one in made.iterdir()
    }
    assert video.sprite["sheets"] == 1
    assert names(app, video) == {video.source, video.folder, video.poster}
    poster = files(app) / video.key / video.poster
    whole = [*made.iterdir(), poster, files(app) / video.key / video.source]
    assert video.size == sum(one.stat().st_size for one in whole)
    assert video.task is not None
    assert (video.task.state, video.task.progress) == (TaskState.DONE, 100)
    assert list((files(app) / "scratch").iterdir()) == []
    assert noted(app, uuid) == ["video.ready"]


@pytest.mark.parametrize("name", ["noise.mp4", "cover.m4a", "cut.mp4", "list.mp4"])
def test_a_bad_file_ends_in_a_sentence_and_leaves_nothing_but_itself(app: Flask, stored: Stored, name: str) -> None:
    uuid = stored(name)
    assert media.work_once(app)
    video = found(app, uuid)
    assert (video.state, video.playable, video.folder) == (VideoState.FAILED, False, "")
    assert video.error
    assert state_words(video).startswith("failed: ")
    clean(app, uuid)
    assert names(app, video) == {video.source}
    assert list((files(app) / "scratch").iterdir()) == []
    assert noted(app, uuid) == ["video.failed"]
    with app.app_context(), transaction():
        retry_preparation(session.get_one(RoomVideo, uuid), by=None)
    assert found(app, uuid).state is VideoState.WAITING


def test_what_would_not_fit_into_the_plan_is_not_made(
    app: Flask, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = stored("plain.mp4")
    monkeypatch.setattr(preparing, "bytes_of", lambda _film, _rungs: 1_000_000_001)
    assert media.work_once(app)
    video = found(app, uuid)
    assert (video.state, video.playable) == (VideoState.FAILED, False)
    assert video.error.startswith("Preparing it takes about 1.0 GB, and 0 GB of 1 GB are used.")
    assert not media.work_once(app), "another try would not help"
    monkeypatch.undo()
    with app.app_context(), transaction():
        retry_preparation(session.get_one(RoomVideo, uuid), by=None)
    assert media.work_once(app)
    assert found(app, uuid).state is VideoState.READY


def test_another_worker_takes_over_within_half_a_minute() -> None:
    assert operations.LEASE.total_seconds() + media.LOOK_SECONDS < 30
    assert operations.LEASE.total_seconds() > tasks.HEARTBEAT_SECONDS * 4


def test_people_watch_the_first_size_while_the_others_are_made(
    app: Flask, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    rungs = [Rung("90p", 160, 90, 300_000), Rung("60p", 106, 60, 100_000)]
    monkeypatch.setattr(preparing, "ladder", lambda _film: rungs)
    monkeypatch.setattr(preparing, "passes", lambda all_of: [all_of[1:], all_of[:1]])
    seen: list[tuple[VideoState, bool, list[str], set[str]]] = []

    def making(*arguments: object) -> object:
        video = found(app, uuid)
        there = {one.name for one in (files(app) / video.key / video.folder).iterdir()} if video.folder else set()
        seen.append((video.state, video.playable, [one["name"] for one in video.renditions], there))
        return make_renditions(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(preparing, "make", making)
    uuid = stored("silent.mp4")
    assert media.work_once(app)
    assert seen[0] == (VideoState.PREPARING, False, [], set())
    assert seen[1] == (
        VideoState.PREPARING,
        True,
        ["60p"],
        {"master.m3u8", "60p.m3u8", "init_60p.mp4", "60p_00001.m4s"},
    )
    video = found(app, uuid)
    assert video.state is VideoState.READY
    assert [one["name"] for one in video.renditions] == ["90p", "60p"]
    master = (files(app) / video.key / video.folder / "master.m3u8").read_text()
    assert (master.count("60p.m3u8"), master.count("90p.m3u8")) == (1, 1)


@BOTH
def test_a_first_file_that_is_cancelled_fails_and_a_replacement_leaves_what_was(
    app: Flask, cast: Cast, stored: Stored
) -> None:
    uuid = stored("silent.mp4")
    with app.app_context(), transaction():
        cancel_preparation(session.get_one(RoomVideo, uuid), by=actor_of(cast.user("alice")))
    assert state_words(found(app, uuid)) == "failed: preparing was cancelled"
    assert not media.work_once(app)
    with app.app_context(), transaction():
        retry_preparation(session.get_one(RoomVideo, uuid), by=None)
    assert media.work_once(app)
    before = found(app, uuid)
    stored("plain.mp4", video_uuid=uuid)
    with app.app_context(), transaction():
        video = session.get_one(RoomVideo, uuid)
        assert video.playable
        cancel_preparation(video, by=None)
        with pytest.raises(Conflict):
            cancel_preparation(video, by=None)
    after = found(app, uuid)
    assert (after.state, after.source, after.file_name) == (VideoState.READY, "source-silent.mp4", "silent.mp4")
    assert after.folder == before.folder
    clean(app, uuid)
    assert names(app, after) == {after.source, after.folder, after.poster}
    assert after.size == before.size


def test_a_video_that_is_cancelled_or_deleted_while_it_is_prepared_publishes_nothing(
    app: Flask, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = [lambda video: cancel_preparation(video, by=None), session.delete]

    def making(*arguments: object) -> object:
        with app.app_context(), transaction():
            then.pop(0)(session.get_one(RoomVideo, uuid))
        return make_renditions(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(preparing, "make", making)
    uuid = stored("silent.mp4")
    assert media.work_once(app)
    video = found(app, uuid)
    assert (video.state, video.playable) == (VideoState.FAILED, False)
    assert video.task is not None
    assert video.task.state is TaskState.CANCELLED
    assert names(app, video) == {video.source}
    uuid = stored("silent.mp4")
    assert media.work_once(app)
    with app.app_context():
        assert session.get(RoomVideo, uuid) is None
    assert {one.name for one in (files(app) / f"videos/{uuid}").iterdir()} == {"source-silent.mp4"}
    assert list((files(app) / "scratch").iterdir()) == []


def test_a_replaced_file_goes_when_the_new_one_is_ready(app: Flask, stored: Stored) -> None:
    uuid = stored("silent.mp4")
    assert media.work_once(app)
    before = found(app, uuid)
    stored("plain.mp4", video_uuid=uuid)
    assert media.work_once(app)
    clean(app, uuid)
    video = found(app, uuid)
    assert video.folder != before.folder
    assert names(app, video) == {"source-plain.mp4", video.folder, video.poster}
