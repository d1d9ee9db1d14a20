"""Whole shows, with the real workers and ffmpeg: gone live, followed, interrupted, gone on with, ended."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from portal.broadcasts import leases
from portal.broadcasts.models import BroadcastState, ConnectionEnding
from portal.db import session, transaction
from portal.engines.tool import find_tool
from portal.jobs import broadcast_worker, broadcasts
from portal.providers.base import LiveState
from portal.rooms.models import Role
from portal.status.models import Ending, RoomStatus
from tests.cast import Client
from tests.conftest import BOTH
from tests.live_room import Stage, Studio, proof_of, segments_of, working
from tests.servers import wait_for


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that would only cost time here."""
    monkeypatch.setattr(broadcast_worker, "LINGER_SECONDS", 0.5)
    monkeypatch.setattr(broadcast_worker, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(broadcast_worker, "TELL_SECONDS", 0.2)
    monkeypatch.setattr(broadcasts, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(broadcast_worker, "NOTHING_SECONDS", 1.5)


@pytest.fixture
def workers(stage: Stage) -> Iterator[None]:
    with working(stage.app):
        yield


@pytest.fixture
def studio(stage: Stage) -> Studio:
    return Studio(stage, stage.come(Role.MODERATOR))


def playlist(stage: Stage, viewer: Client) -> str:
    """The present playlist; "" if there is none."""
    with stage.app.app_context(), transaction():
        run_id = stage.run().id
    answer = viewer.get(f"{stage.page}/{run_id}/live.m3u8")
    return answer.text if answer.status_code == 200 else ""


def state(stage: Stage) -> BroadcastState:
    with stage.app.app_context(), transaction():
        return stage.broadcast().state


def told(stage: Stage) -> RoomStatus:
    with stage.app.app_context(), transaction():
        stored = stage.room_status()
        session.expunge(stored)
        return stored


def over(stage: Stage) -> bool:
    """Whether the run has ended."""
    with stage.app.app_context(), transaction():
        return stage.run().ended_at is not None


def length_of(text: str) -> float:
    return sum(float(one) for one in re.findall(r"#EXTINF:([\d.]+),", text))


def decodes(stage: Stage, viewer: Client, text: str, folder: Path) -> str:
    """What ffmpeg says after it has decoded every segment, each of which has to be there, but of times at breaks."""
    with stage.app.app_context(), transaction():
        run_id = stage.run().id
    for name in re.findall(r"^\w+\.ts$", text, re.MULTILINE):
        answer = viewer.get(f"{stage.page}/{run_id}/{name}")
        assert answer.status_code == 200
        assert answer.mimetype == "video/mp2t"
        (folder / name).write_bytes(answer.data)
    (folder / "whole.m3u8").write_text(text + "#EXT-X-ENDLIST\n")
    ended = subprocess.run(
        [find_tool().path, "-v", "error", "-i", "whole.m3u8", "-f", "null", "-"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0
    return "\n".join(line for line in ended.stderr.decode().splitlines() if "non monotonically" not in line)


@BOTH
def test_a_show_from_the_first_chunk_to_the_end_of_the_run(
    stage: Stage, studio: Studio, workers: None, recording: bytes, tmp_path: Path
) -> None:
    viewer = stage.come(Role.GUEST)
    assert playlist(stage, viewer) == ""
    assert studio.go_live("video/x-matroska;codecs=avc1").status_code == 201
    studio.send_all(recording)
    wait_for(lambda: length_of(playlist(stage, viewer)) >= 2, seconds=15, what="a playlist of two seconds")
    text = playlist(stage, viewer)
    assert "#EXT-X-ENDLIST" not in text
    assert decodes(stage, viewer, text, tmp_path) == ""
    wait_for(lambda: told(stage).state is LiveState.LIVE, seconds=10, what="a status that is live")
    assert told(stage).counts["viewers"] == 1
    assert studio.post("/ending").status_code == 204
    wait_for(lambda: "#EXT-X-ENDLIST" in playlist(stage, viewer), seconds=10, what="the end of the playlist")
    assert length_of(playlist(stage, viewer)) == pytest.approx(3.0, abs=0.2)
    wait_for(lambda: over(stage), seconds=10, what="the end of the run")
    with stage.app.app_context(), transaction():
        assert stage.broadcast().lease_until is None
        assert {one.ending for one in stage.people()} == {Ending.LEFT}
        assert stage.room_status().state is LiveState.IDLE
        assert len(segments_of(stage.app, stage.run().uuid)) == stage.broadcast().segments


def test_who_returns_within_the_grace_goes_on_with_the_same_run(
    stage: Stage, studio: Studio, workers: None, recording: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast_worker, "QUIET", timedelta(seconds=0.3))
    viewer = stage.come(Role.GUEST)
    studio.go_live("video/x-matroska;codecs=avc1")
    studio.send_all(recording[: len(recording) * 3 // 4])
    wait_for(lambda: state(stage) is BroadcastState.INTERRUPTED, seconds=10, what="an interruption")
    proof = {"X-CSRFToken": proof_of(viewer, stage.page)}

    def heard() -> object:
        return viewer.post(f"{stage.page}/presence", headers=proof).json

    wait_for(lambda: heard() == {"state": "interrupted", "play": True, "viewers": 1}, what="a viewer who reads of it")
    again = Studio(stage, studio.browser)
    assert again.go_live("video/x-matroska;codecs=avc1").status_code == 201
    again.send_all(recording)
    wait_for(lambda: "\n2_00001.ts" in playlist(stage, viewer), seconds=10, what="segments of the second connection")
    text = playlist(stage, viewer)
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert "1_00000.ts" in text
    assert decodes(stage, viewer, text, tmp_path) == ""
    wait_for(lambda: told(stage).state is LiveState.LIVE, seconds=5, what="a status that is live")


def test_after_the_grace_the_run_ends_by_itself(
    stage: Stage, workers: None, recording: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage.app.app_context(), transaction():
        stage.room().room_settings = {"grace": 0}
    studio = Studio(stage, stage.come(Role.MODERATOR))
    monkeypatch.setattr(broadcast_worker, "QUIET", timedelta(seconds=0.3))
    studio.go_live("video/x-matroska;codecs=avc1")
    studio.send_all(recording)
    wait_for(lambda: over(stage), seconds=15, what="the end of the run")
    with stage.app.app_context(), transaction():
        assert stage.connections()[0].ending is ConnectionEnding.LEFT
        assert stage.broadcast().segments >= 3


def test_a_child_that_is_killed_ends_the_connection_and_the_next_one_goes_on(
    stage: Stage, studio: Studio, workers: None, recording: bytes
) -> None:
    viewer = stage.come(Role.GUEST)
    studio.go_live("video/x-matroska;codecs=avc1")
    studio.send_all(recording[: len(recording) * 3 // 4])
    wait_for(lambda: bool(playlist(stage, viewer)), seconds=10, what="a playlist")
    for process in children(stage):
        os.kill(process, signal.SIGKILL)
    wait_for(lambda: studio.chunk(b"").status_code == 410, seconds=5, what="the end of the connection")
    assert studio.chunk(b"").json["ending"] == ConnectionEnding.BROKEN  # type: ignore[index]
    assert studio.go_live("video/x-matroska;codecs=avc1").status_code == 201
    studio.send_all(recording)
    wait_for(lambda: "\n2_00000.ts" in playlist(stage, viewer), seconds=10, what="segments of the second connection")


def children(stage: Stage) -> list[int]:
    """The processes that work in a folder of this portal."""
    found = []
    for one in Path("/proc").iterdir():
        if one.name.isdigit():
            try:
                if (one / "cwd").readlink().is_relative_to(stage.app.config["SETTINGS"].files / "scratch"):
                    found.append(int(one.name))
            except OSError:
                continue
    return found


@pytest.mark.parametrize(
    ("mime", "what", "words"),
    [
        ("video/webm;codecs=h264", b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 400, "cannot be read"),
        ("video/mp4;codecs=avc1", b"\0\0\0\x18ftypisom" + bytes(range(256)) * 400, "cannot be read"),
    ],
    ids=["noise as webm", "noise as mp4"],
)
def test_what_cannot_be_read_ends_with_a_sentence_and_the_run_goes_on(
    stage: Stage, studio: Studio, workers: None, recording: bytes, mime: str, what: bytes, words: str
) -> None:
    studio.go_live(mime)
    studio.send_all(what)
    wait_for(lambda: studio.chunk(b"").status_code == 410, seconds=15, what="the end of the connection")
    over = studio.chunk(b"")
    assert over.json["ending"] == ConnectionEnding.UNUSABLE  # type: ignore[index]
    assert words in over.json["message"]  # type: ignore[index]
    viewer = stage.come(Role.GUEST)
    studio.go_live("video/x-matroska;codecs=avc1")
    studio.send_all(recording)
    wait_for(lambda: bool(playlist(stage, viewer)), seconds=10, what="a playlist")


def test_a_worker_that_stops_in_order_gives_its_show_to_the_next(
    stage: Stage, studio: Studio, recording: bytes
) -> None:
    viewer = stage.come(Role.GUEST)
    with working(stage.app):
        studio.go_live("video/x-matroska;codecs=avc1")
        studio.send_all(recording[: len(recording) * 3 // 4])
        wait_for(lambda: bool(playlist(stage, viewer)), seconds=10, what="a playlist")
    assert children(stage) == []
    with working(stage.app):
        wait_for(lambda: studio.chunk(b"").status_code == 410, seconds=5, what="the end of the connection")
        assert studio.chunk(b"").json["ending"] == ConnectionEnding.RESTARTED  # type: ignore[index]
        studio.go_live("video/x-matroska;codecs=avc1")
        studio.send_all(recording)
        wait_for(
            lambda: "\n2_00000.ts" in playlist(stage, viewer), seconds=10, what="segments of the second connection"
        )


def test_a_studio_that_is_left_before_anything_was_sent_leaves_no_run(
    stage: Stage, workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.5))
    with stage.app.app_context(), transaction():
        stage.room().room_settings = {"grace": 0}
    moderator = stage.come(Role.MODERATOR)
    assert moderator.get(stage.page).status_code == 200
    wait_for(lambda: over(stage), seconds=10, what="the end of the run")
