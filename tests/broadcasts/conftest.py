"""A live room, and three seconds of what browsers record."""

from pathlib import Path

import pytest
from flask import Flask

from portal.edge import broadcast_guard
from portal.watching.gate import Gate
from tests.cast import Cast
from tests.films import make
from tests.live_room import Stage, new_stage

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=3")
SOUND = ("-f", "lavfi", "-i", "sine=440:d=3")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers of viewers."""
    monkeypatch.setattr(broadcast_guard, "GATE", Gate())


@pytest.fixture
def stage(app: Flask, cast: Cast) -> Stage:
    return new_stage(app, cast)


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """H.264 in Matroska with a keyframe each second, as Chromium records it."""
    folder: Path = tmp_path_factory.mktemp("recording")
    make(folder, *PICTURE, *SOUND, "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "libopus",
         "-f", "matroska", "h264.mkv")  # fmt: skip
    return (folder / "h264.mkv").read_bytes()
