"""What the doctor says of the folder for uploaded files, and of the tool that makes videos of them."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from portal import doctor
from portal.doctor import Finding, _ffmpeg, _files
from portal.engines.tool import NoTool, Tool
from tests.conftest import settings_for


def asked(folder: Path, **more: Any) -> Finding:
    return _files(settings_for("", folder, storage=folder, **more))


def test_a_folder_that_takes_files_is_left_as_it_was(tmp_path: Path) -> None:
    """What the doctor made would be root's, if root asks, and the portal could not write there."""
    folder = tmp_path / "not" / "there-yet"
    found = asked(folder)
    assert found.good
    assert re.fullmatch(rf"files: uploads are kept in {re.escape(str(folder))}, \d+\.\d GB free\.", found.message)
    assert list(tmp_path.iterdir()) == []


def test_several_machines_are_told_that_they_need_one_folder(tmp_path: Path) -> None:
    found = asked(tmp_path, redis_url="redis://127.0.0.1:1/0")
    assert found.good
    assert "need one that they share: see STORAGE" in found.message


def test_one_that_takes_none_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in its place")
    words = f"files: none can be written to {tmp_path / 'file'}. Check STORAGE, and whose folder it is."
    assert asked(tmp_path / "file") == Finding(False, words)


def test_a_full_disk_is_told_before_somebody_uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=100_000_000))
    words = f"files: {tmp_path} has no room for uploads. Free some of its disk, or set STORAGE."
    assert asked(tmp_path) == Finding(False, words)


@pytest.mark.parametrize(
    ("missing", "good", "words"),
    [
        ((), True, "ffmpeg: 7.1 at /usr/bin/ffmpeg."),
        (("libx264", "zscale"), False, "was built without libx264, zscale. Install one that has them"),
        (("tonemap",), True, "was built without tonemap. Videos with a high dynamic range (HDR) fail"),
    ],
)
def test_the_tool_for_videos_is_named_with_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], good: bool, words: str
) -> None:
    monkeypatch.setattr(doctor, "find_tool", lambda: Tool(Path("/usr/bin/ffmpeg"), "7.1", missing))
    found = _ffmpeg()
    assert found.good is good
    assert words in found.message


def test_a_machine_without_the_tool_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise NoTool

    monkeypatch.setattr(doctor, "find_tool", none)
    assert _ffmpeg() == Finding(False, "ffmpeg: none is found, so no video is prepared. Install version 5 or newer.")
