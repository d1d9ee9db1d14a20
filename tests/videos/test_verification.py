"""Rows and files that do not go together are named, and those that do are not."""

import os
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from portal import cli
from portal.commands import running
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.tasks import operations
from portal.videos.leftovers import poster_of
from portal.videos.models import RoomVideo
from portal.videos.preparation import queue_preparation
from portal.videos.uploads import begin_upload
from tests.cast import Cast
from tests.conftest import BOTH
from tests.video_room import FOLDER, new_ready_video, new_video_room


def verify(app: Flask, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
    monkeypatch.setattr(running, "app", lambda: app)
    result = CliRunner().invoke(cli.cli, ["media", "verify"])
    return result.exit_code, result.output.splitlines()


def age(folder: Path) -> None:
    """Let everything below be a day old."""
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (1_700_000_000, 1_700_000_000))


@BOTH
def test_files_without_rows_and_rows_without_files_are_named(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = app.config["SETTINGS"].files
    with app.app_context(), transaction():
        room = new_video_room()
        kept, broken = new_ready_video(app, room), new_ready_video(app, room, name="Broken")
        claimed = operations.claim(queue_preparation(kept, by=None).uuid)
        assert claimed is not None
        begin_upload(room=room, by=actor_of(cast.user("alice")), file_name="film.mp4", size=10)
        kept_key, broken_key = kept.key, broken.key
    (folder / kept_key / poster_of(claimed.worker)).write_bytes(b"x")  # named at the end of hours of preparing
    age(folder)
    assert verify(app, monkeypatch) == (0, ["0 missing, 0 left over"])
    shutil.rmtree(folder / broken_key / FOLDER)
    (folder / broken_key / "poster.jpg").unlink()
    (folder / kept_key / "file-of-nobody").write_bytes(b"x")
    (folder / "videos" / "0199a1b2-0000-7000-8000-000000000000").mkdir()
    (folder / "uploads").mkdir(exist_ok=True)
    (folder / "uploads" / "0199a1b2-0000-7000-8000-000000000001").write_bytes(b"x")
    assert verify(app, monkeypatch)[1][-1] == "2 missing, 0 left over", "what is young may be about to get a row"
    age(folder)
    code, said = verify(app, monkeypatch)
    assert code == 1
    assert sorted(said[:-1]) == sorted([
        f"missing  {broken_key}/poster.jpg",
        f"missing  {broken_key}/{FOLDER}",
        f"left     {kept_key}/file-of-nobody",
        "left     videos/0199a1b2-0000-7000-8000-000000000000",
        "left     uploads/0199a1b2-0000-7000-8000-000000000001",
    ])  # fmt: skip
    with app.app_context(), transaction():
        assert session.scalar(sa.select(sa.func.count()).select_from(RoomVideo)) == 3, "nothing was changed"
