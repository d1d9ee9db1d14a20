"""Pictures of rooms: fetched once by the guarded client, judged by content, made anew, and shown to who may see them."""

import base64
import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from portal.db import session, transaction
from portal.engines.stills import read_still
from portal.engines.tool import find_tool
from portal.jobs.registry import JOBS
from portal.people.actor import actor_of
from portal.providers import fetch
from portal.providers.reach import read_allowed
from portal.rooms.images import DELETE, FETCH, ImageState, RoomImage, images_of, images_to_delete, images_to_fetch
from portal.rooms.models import Role, Room
from portal.rooms.operations import describe_room
from portal.rooms.purging import purge_rooms
from portal.storage import storage
from tests.cast import Cast, editable
from tests.receiver import Receiver, receiver


def png(width: int, height: int) -> bytes:
    """A PNG in red, half transparent."""
    rows = (b"\0" + b"\xff\x00\x00\x80" * width) * min(height, 64)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def server(cast: Cast) -> Iterator[Receiver]:
    with receiver() as there:
        there.status, there.body = 200, png(60, 40)
        fetch.use(private=False, plain=False, allowed=read_allowed(f"127.0.0.1/32:{there.port}"))
        yield there
    fetch.use(private=False, plain=False)


def set_address(cast: Cast, address: str | None) -> RoomImage | None:
    """Set the address in the room's settings, and have every job run that waits. The picture of then."""
    with cast.app.app_context():
        with transaction():
            room = cast.room()
            by = actor_of(room.owner)
            describe_room(editable(room, by), by=by, settings={"featured_image": address})
        return work(cast)


def work(cast: Cast) -> RoomImage | None:
    with cast.app.app_context():
        with transaction():
            due, gone = images_to_fetch(), images_to_delete()
        for uuid in due:
            JOBS[FETCH].run(str(uuid))
        for uuid in gone:
            JOBS[DELETE].run(str(uuid))
        with transaction():
            found = images_of(cast.room()).get("featured_image")
            if found is not None:
                session.refresh(found)
                session.expunge(found)
        return found


def files(cast: Cast) -> list[str]:
    with cast.app.app_context():
        return [*storage().keys("images"), *storage().keys("scratch")]


def test_a_picture_is_fetched_once_and_kept_as_a_jpeg(cast: Cast, server: Receiver) -> None:
    made = set_address(cast, server.url)
    assert made is not None
    assert (made.state, made.error, made.width, made.height) == (ImageState.READY, "", 60, 40)
    with cast.app.app_context(), storage().open(made.key) as file:
        assert (read_still(content := file.read()) or made).width == 60
        assert content.startswith(b"\xff\xd8\xff")
    server.body = b"another"
    again = set_address(cast, server.url)
    assert again is not None
    assert again.id == made.id
    assert len(server.messages) == 1
    assert files(cast) == [made.key]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture that can be shown"),
        (200, b"<!doctype html><p>Hello", "no picture that can be shown"),
        (200, b"", "no picture that can be shown"),
        (200, png(60, 40)[:50], "no picture that can be shown"),
        (200, png(20_000, 20_000), "more than 40 million pixels"),
        (200, png(60, 40) + bytes(10_000_000), "larger than 10 MB"),
        (404, b"", "answered 404"),
    ],
    ids=["svg", "html", "empty", "truncated", "pixels", "bytes", "missing"],
)
def test_what_is_no_picture_is_told_in_words(
    cast: Cast, server: Receiver, status: int, body: bytes, words: str
) -> None:
    server.status, server.body = status, body
    failed = set_address(cast, server.url)
    assert failed is not None
    assert failed.state is ImageState.FAILED
    assert words in failed.error
    assert files(cast) == []
    page = cast.sign_in("alice").get(f"/manage/rooms/{cast.board}/settings").text
    assert "The picture could not be fetched" in page
    server.status, server.body = 200, png(60, 40)
    mended = set_address(cast, server.url)
    assert mended is not None
    assert mended.state is ImageState.READY


WEBP = base64.b64decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")


def test_a_webp_is_kept_as_a_jpeg(cast: Cast, server: Receiver) -> None:
    server.body = WEBP
    made = set_address(cast, server.url)
    assert made is not None
    assert (made.state, made.error) == (ImageState.READY, "")
    with cast.app.app_context(), storage().open(made.key) as file:
        assert file.read(3) == b"\xff\xd8\xff"


def test_a_server_that_takes_its_time_is_not_waited_for_for_ever(
    cast: Cast, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "LONGEST_SECONDS", 0.3)
    answers = Event()

    def wait() -> None:
        answers.wait(10)

    server.before_answer = wait
    failed = set_address(cast, server.url)
    answers.set()
    assert failed is not None
    assert (failed.state, failed.error) == (ImageState.FAILED, "The answer took too long.")
    assert files(cast) == []


def test_redirects_are_followed_and_judged_like_the_first_address(cast: Cast, server: Receiver) -> None:
    server.status, server.headers = 302, {"Location": "http://127.0.0.2:8080/inside.png"}
    failed = set_address(cast, server.url)
    assert failed is not None
    assert failed.state is ImageState.FAILED
    assert "private network" in failed.error
    server.headers = {"Location": server.url}
    around = set_address(cast, server.url)
    assert around is not None
    assert "again and again" in around.error


def test_a_file_goes_with_its_address_and_with_its_room(cast: Cast, server: Receiver) -> None:
    first = set_address(cast, server.url)
    second = set_address(cast, f"{server.url}/other")
    assert first is not None
    assert second is not None
    assert files(cast) == [second.key]
    with cast.app.app_context(), transaction():
        purge_rooms(Room.uuid == cast.room().uuid, by=None)
    with cast.app.app_context():
        with transaction():
            gone = images_to_delete()
        for uuid in gone:
            JOBS[DELETE].run(str(uuid))
    assert files(cast) == []


def test_a_picture_is_seen_by_who_sees_the_page(cast: Cast, server: Receiver) -> None:
    made = set_address(cast, server.url)
    assert made is not None
    inner = f"/rooms/{cast.board}/-/images/{made.id}"
    stranger = cast.app.test_client()
    assert stranger.get(inner).status_code == 404
    alice = cast.sign_in("alice")
    assert f"/images/{made.id}" in alice.get(f"/manage/rooms/{cast.board}").text
    guest = cast.follow(Role.MODERATOR)
    assert f"{inner}" in guest.get(cast.board_path).text
    assert guest.get(inner).status_code == 200
    shown = alice.get(f"/manage/rooms/{cast.board}/images/{made.id}")
    assert (shown.status_code, shown.mimetype) == (200, "image/jpeg")
    assert shown.headers["Cache-Control"].startswith("private")
    assert alice.get(f"/manage/rooms/{cast.open_house}/images/{made.id}").status_code == 404
    assert cast.sign_in("charlie").get(f"/manage/rooms/{cast.board}/images/{made.id}").status_code == 404


def test_a_picture_is_turned_as_it_was_held(tmp_path: Path) -> None:
    held = tmp_path / "held.jpg"
    line: list[str | Path] = [
        find_tool().path,
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=60x40",
        "-frames:v",
        "1",
        "-y",
        held,
    ]
    subprocess.run(line, check=True)
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + held.read_bytes()[2:]
    still = read_still(turned)
    assert still is not None
    assert (still.width, still.height, still.orientation) == (60, 40, 6)


def test_a_picture_is_looked_for_behind_few_other_things() -> None:
    frame = b"\xff\xc0\0\x0b\x08\0\x28\0\x3c\x01\0\0\0"
    found = read_still(b"\xff\xd8" + b"\xff\xe0\0\2" * 50 + frame)
    assert found is not None
    assert (found.width, found.height) == (60, 40)
    for endless in (b"\xff\xe0\0\2", b"\xff"):
        assert read_still(b"\xff\xd8\xff\xe0\0\2" + endless * 5000 + frame) is None
