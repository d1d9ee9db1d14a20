"""The presentation of a room: which files can be one, what becomes of those that are replaced, and who fetches one."""

import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.errors import Invalid, NotFound
from portal.jobs.housekeeping import tidy_up
from portal.jobs.registry import JOBS
from portal.people.actor import actor_of
from portal.rooms.models import Room
from portal.rooms.operations import trash_room
from portal.rooms.presentation_kinds import KINDS, fits, shown_name
from portal.rooms.presentations import (
    DELETE,
    FETCHED_WITHIN,
    RoomPresentation,
    address_of,
    fetched,
    presentation_of,
    remove_presentation,
    run_files,
    set_presentation,
)
from portal.rooms.purging import purge_rooms
from portal.storage import NotStored, storage
from portal.subscriptions.provider_models import ServiceType
from tests.cast import Cast, editable
from tests.conftest import BOTH
from tests.presentations import PDF, new_presentation, packed, take_presentations

ODF = "application/vnd.oasis.opendocument."
SOUND = {
    "pdf": PDF,
    "ppt": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest",
    "pptx": packed("[Content_Types].xml", "ppt/presentation.xml"),
    "odp": packed(mimetype=f"{ODF}presentation"),
    "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest",
    "docx": packed("[Content_Types].xml", "word/document.xml"),
    "odt": packed(mimetype=f"{ODF}text"),
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest",
    "xlsx": packed("[Content_Types].xml", "xl/workbook.xml"),
    "ods": packed(mimetype=f"{ODF}spreadsheet"),
    "rtf": b"{\\rtf1 Hello}",
    "txt": "Grüße\r\n\tund mehr\n".encode(),
    "png": b"\x89PNG\r\n\x1a\nrest",
    "jpg": b"\xff\xd8\xff\xe0rest",
    "jpeg": b"\xff\xd8\xff\xe1rest",
    "webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
}
LYING = {
    "pdf": [b"<html><script>alert(1)</script>", b"\x7fELF\x02\x01", b"x" * 1024 + b"%PDF-1.7"],
    "pptx": [SOUND["docx"], b"ppt/presentation.xml", b"PK\x03\x04ppt/", SOUND["odp"]],
    "docx": [packed("x/evil.txt"), SOUND["pptx"]],
    "xlsx": [SOUND["docx"]],
    "odp": [SOUND["odt"], packed("content.xml", mimetype="text/html")],
    "ppt": [SOUND["pptx"], b""],
    "txt": [b"MZ\x90\x00\x03", b"a\x00b", b"text" * 100_000 + b"\x00"],
    "rtf": [b"Hello"],
    "png": [SOUND["jpg"], b"GIF89a"],
    "jpg": [SOUND["png"]],
    "webp": [b"RIFF\x10\x00\x00\x00WAVEfmt "],
}


def is_of(end: str, content: bytes) -> bool:
    return fits(KINDS[end], io.BytesIO(content), len(content))


@pytest.mark.parametrize("end", KINDS)
def test_a_file_is_what_its_content_says(end: str) -> None:
    assert is_of(end, SOUND[end])
    assert is_of(end, SOUND[end] + b" " * 9) or end in {"pptx", "docx", "xlsx"}
    assert [content[:20] for content in LYING.get(end, []) if is_of(end, content)] == []


def test_the_list_of_a_long_archive_is_found_at_its_end() -> None:
    archive = packed("[Content_Types].xml", "ppt/presentation.xml", **{"ppt/media/film.mp4": "x" * 400_000})
    assert is_of("pptx", archive)


@pytest.mark.parametrize(
    ("sent", "shown", "end"),
    [
        ("slides.pdf", "slides.pdf", "pdf"),
        ("Q1 Zahlen – Überblick.PPTX", "Q1 Zahlen – Überblick.pptx", "pptx"),
        ("../../etc/passwd.pdf", "passwd.pdf", "pdf"),
        ("C:\\Users\\eva\\slides.odp", "slides.odp", "odp"),
        ("..", "presentation.", ""),
        (".pdf", "presentation.pdf", "pdf"),
        ("a\x00b\r\n.pdf", "ab.pdf", "pdf"),
        ("slides\u202efdp.exe", "slidesfdp.exe", "exe"),
        ("slides.p\u202edf", "slides.pdf", "pdf"),
        ("x" * 500 + ".pdf", "x" * 100 + ".pdf", "pdf"),
        ("slides.pdf.exe", "slides.pdf.exe", "exe"),
        ("no end", "no end", ""),
        ("", "presentation", ""),
    ],
)
def test_what_a_file_is_called_is_text_and_never_a_path(sent: str, shown: str, end: str) -> None:
    assert shown_name(sent) == (shown.rstrip(".") if not end else shown, end)


@pytest.fixture
def board(app: Flask, cast: Cast) -> Flask:
    take_presentations(cast)
    return app


def files(app: Flask) -> list[str]:
    """What is stored, by the end of the paths."""
    folder: Path = app.config["SETTINGS"].files
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def run_due_deletions(app: Flask) -> None:
    with app.app_context():
        with transaction():
            due = list(JOBS[DELETE].due())
        for uuid in due:
            JOBS[DELETE].run(str(uuid))
            JOBS[DELETE].run(str(uuid))


def test_one_that_is_replaced_or_removed_is_deleted_by_a_job(board: Flask, cast: Cast) -> None:
    with board.app_context(), transaction():
        first = new_presentation(cast.room())
    with board.app_context(), transaction():
        second = new_presentation(cast.room(), content=SOUND["png"], name="cover.png")
        assert presentation_of(cast.room()) is second
    assert files(board) == sorted([first.key, second.key])
    run_due_deletions(board)
    assert files(board) == [second.key]
    with board.app_context(), transaction():
        alice = actor_of(cast.user("alice"))
        remove_presentation(editable(cast.room(), alice), by=alice)
        with pytest.raises(NotFound):
            remove_presentation(editable(cast.room(), alice), by=alice)
    run_due_deletions(board)
    assert files(board) == []
    with board.app_context():
        assert session.scalars(sa.select(RoomPresentation)).all() == []


@BOTH
def test_the_file_of_a_room_that_is_deleted_for_good_is_deleted(app: Flask, cast: Cast) -> None:
    take_presentations(cast)
    with app.app_context(), transaction():
        made = new_presentation(cast.room())
        uuid = cast.room().uuid
    run_due_deletions(app)
    assert files(app) == [made.key]
    with app.app_context(), transaction():
        purge_rooms(Room.uuid == uuid, by=None)
    run_due_deletions(app)
    assert files(app) == []


def test_a_file_whose_row_was_rolled_back_is_swept_and_others_stay(board: Flask, cast: Cast) -> None:
    with board.app_context(), transaction():
        kept = new_presentation(cast.room())
    with board.app_context():
        lost = new_presentation(cast.room(), content=SOUND["png"], name="cover.png")
        session.rollback()
        session.remove()
    assert files(board) == sorted([kept.key, lost.key])
    with board.app_context():
        assert tidy_up() == 0
    assert len(files(board)) == 2, "it may still be in somebody's transaction"
    for key in (kept.key, lost.key):
        path = board.config["SETTINGS"].files / key
        old = path.stat().st_mtime - 7_200
        os.utime(path, (old, old))
    with board.app_context():
        assert tidy_up() == 0
        assert presentation_of(cast.room()) is not None
    assert files(board) == [kept.key]


def test_what_is_refused_leaves_the_one_before(board: Flask, cast: Cast) -> None:
    with board.app_context(), transaction():
        kept = new_presentation(cast.room())
    for name, content, says in (
        ("evil.exe", b"MZ", "kinds"),
        ("slides", PDF, "kinds"),
        ("slides.pdf", b"<html>", "not what its name says"),
        ("slides.pdf", b"", "empty"),
    ):
        with board.app_context(), pytest.raises(Invalid) as refused, transaction():
            new_presentation(cast.room(), name=name, content=content)
        assert says in refused.value.fields["file"]
    assert files(board) == [kept.key]


def test_a_room_of_the_portals_own_conferences_has_none(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        room, alice = cast.room(), actor_of(cast.user("alice"))
        for act in (
            lambda: new_presentation(room),
            lambda: remove_presentation(editable(room, alice), by=alice),
            lambda: set_presentation(editable(room, alice), by=alice, name="a.pdf", file=None),  # type: ignore[arg-type]
        ):
            with pytest.raises(NotFound):
                act()
        assert run_files(room, room.room_type, "mesh") == {}
    assert files(app) == []


def test_no_address_is_made_for_a_service_that_takes_none(board: Flask, cast: Cast) -> None:
    with board.app_context(), transaction():
        room = cast.room()
        new_presentation(room)
        assert run_files(room, ServiceType.MEET, "mesh") == {}
        assert run_files(room, ServiceType.MEET, "bigbluebutton")["presentation"].name == "slides.pdf"


def parts_of(address: str) -> dict[str, Any]:
    asked = parse_qs(urlsplit(address).query)
    return {"expires": asked["expires"][0], "signature": asked["signature"][0]}


def test_an_address_is_good_for_minutes_and_for_one_file_only(board: Flask, cast: Cast) -> None:
    with board.app_context(), transaction():
        made, at = new_presentation(cast.room()), now()
        other = RoomPresentation(room_uuid=cast.room(cast.open_house).uuid, name="b.pdf", size=1)
        session.add(other)
        session.flush()
        good, theirs = parts_of(address_of(made, at=at)), parts_of(address_of(other, at=at))
        assert fetched(made.id, **good, at=at) is made
        assert fetched(made.id, **good, at=at + FETCHED_WITHIN - timedelta(seconds=2)) is made
        later = str(int(good["expires"]) + 3600)
        for asked in (
            (made.id, theirs, at),
            (other.id, good, at),
            (made.id, good | {"expires": later}, at),
            (made.id, good | {"expires": ""}, at),
            (made.id, good | {"signature": ""}, at),
            (made.id, good | {"signature": "ü" * 64}, at),
            (made.id, good | {"signature": good["signature"].upper()}, at),
            (made.id, good, at + FETCHED_WITHIN),
        ):
            with pytest.raises(NotFound):
                fetched(asked[0], **asked[1], at=asked[2])


def test_nobody_fetches_what_was_removed_or_is_of_a_room_in_the_trash(board: Flask, cast: Cast) -> None:
    with board.app_context(), transaction():
        alice = actor_of(cast.user("alice"))
        old, at = new_presentation(cast.room()), now()
        new = new_presentation(cast.room(), name="new.pdf")
        with pytest.raises(NotFound):
            fetched(old.id, **parts_of(address_of(old, at=at)), at=at)
        trash_room(cast.room(), by=alice)
        with pytest.raises(NotFound):
            fetched(new.id, **parts_of(address_of(new, at=at)), at=at)


def test_a_lost_file_is_told_apart(board: Flask, cast: Cast) -> None:
    with board.app_context(), transaction():
        made = new_presentation(cast.room())
        storage().delete(made.key)
        with pytest.raises(NotStored):
            storage().open(made.key)
        with time_machine.travel(now() + timedelta(days=2)):
            assert tidy_up() == 0
