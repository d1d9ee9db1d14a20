"""Sending files in pieces: each answer of tus at both doors, and who gets in."""

import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.clock import now
from portal.db import session, transaction
from portal.edge import tus
from portal.permissions.members import RoomMember
from portal.rooms.models import Role
from portal.storage import storage
from portal.videos.models import RoomVideo, VideoState, VideoUpload
from portal.videos.queries import videos_of
from tests.api.conftest import NewProgram, Program, program  # noqa: F401  (a fixture)
from tests.cast import Cast, Client
from tests.video_room import new_video_room

TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def films(app: Flask, cast: Cast) -> str:
    with app.app_context(), transaction():
        return new_video_room(max_storage=1).id


class Sender:
    """Alice's page, or her program, with an upload of ten bytes."""

    def __init__(self, call: Callable[..., TestResponse], path: str) -> None:
        self._call, self.path = call, path

    def head(self) -> TestResponse:
        return self._call("HEAD", self.path, headers=TUS)

    def patch(self, data: bytes, offset: int, **headers: str) -> TestResponse:
        sent = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream", **headers}
        return self._call("PATCH", self.path, data=data, headers=sent)

    def delete(self) -> TestResponse:
        return self._call("DELETE", self.path, headers=TUS)


def begin(alice: Client, films: str, **fields: Any) -> TestResponse:
    token = alice.token(f"/manage/rooms/{films}/settings")
    body = {"name": "film.mp4", "size": "10", **fields}
    return alice.post(f"/manage/rooms/{films}/uploads", data=body, headers={"X-CSRFToken": token})


@pytest.fixture(params=["page", "program"])
def sender(request: pytest.FixtureRequest, cast: Cast, films: str, program: NewProgram) -> Sender:  # noqa: F811
    alice = cast.sign_in("alice")
    begun = begin(alice, films)
    assert begun.status_code == 201, begun.text
    if request.param == "page":
        token = alice.token(f"/manage/rooms/{films}/settings")

        def by_page(method: str, path: str, *, headers: dict[str, str], **more: Any) -> TestResponse:
            return alice.open(path, method=method, headers={**headers, "X-CSRFToken": token}, **more)

        return Sender(by_page, begun.location)
    hers: Program = program("alice")

    def by_program(method: str, path: str, *, headers: dict[str, str], **more: Any) -> TestResponse:
        credential = {"Authorization": f"Bearer {hers.token}"}
        return cast.browser().open(path, method=method, headers={**headers, **credential}, **more)

    return Sender(by_program, f"/api/v1/uploads/{begun.location.rpartition('/')[2]}")


def test_a_file_is_sent_in_pieces_and_becomes_a_video(app: Flask, cast: Cast, films: str, sender: Sender) -> None:
    begun = sender.head()
    assert (begun.status_code, begun.headers["Upload-Offset"], begun.headers["Upload-Length"]) == (200, "0", "10")
    assert begun.headers["Cache-Control"] == "no-store"
    assert "Upload-Expires" in begun.headers
    first = sender.patch(b"01234", 0)
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "5")
    assert sender.head().headers["Upload-Offset"] == "5"
    last = sender.patch(b"56789", 5)
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, "10")
    assert sender.head().status_code == 404
    with app.app_context(), transaction():
        [video] = videos_of(cast.room(films))
        assert video.state is VideoState.WAITING
        with storage().open(f"{video.key}/{video.source}") as file:
            assert file.read() == b"0123456789"


@pytest.mark.parametrize(
    ("data", "offset", "headers", "status"),
    [
        (b"01234", 5, {}, 409),
        (b"01234", 0, {"Content-Type": "application/octet-stream"}, 415),
        (b"01234567890", 0, {}, 413),
        (b"01234", 0, {"Tus-Resumable": "0.2.2"}, 412),
        (b"01234", 0, {"Upload-Checksum": "sha1 " + base64.b64encode(hashlib.sha1(b"x").digest()).decode()}, 460),
        (b"01234", 0, {"Upload-Checksum": "md5 AAAA"}, 400),
        (b"01234", 0, {"Upload-Checksum": "sha1 ?"}, 400),
        (b"01234", 0, {"Upload-Offset": "-1"}, 400),
        (b"01234", 0, {"Upload-Offset": "x"}, 400),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_of_it_counts(
    sender: Sender, data: bytes, offset: int, headers: dict[str, str], status: int
) -> None:
    answer = sender.patch(data, offset, **headers)
    assert (answer.status_code, answer.headers["Tus-Resumable"]) == (status, "1.0.0")
    assert sender.head().headers["Upload-Offset"] == "0"


def test_a_right_checksum_counts(sender: Sender) -> None:
    digest = base64.b64encode(hashlib.sha256(b"01234").digest()).decode()
    assert sender.patch(b"01234", 0, **{"Upload-Checksum": f"sha256 {digest}"}).status_code == 204


def test_a_piece_with_a_checksum_counts_when_it_is_known_to_be_right(app: Flask, cast: Cast, films: str) -> None:
    alice = cast.sign_in("alice")
    path = begin(alice, films).location
    with app.app_context(), transaction():
        uuid = session.scalars(sa.select(VideoUpload.uuid)).one()
    came: list[int] = []
    digest = base64.b64encode(hashlib.sha1(b"0123456789").digest()).decode()
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    headers |= {"X-CSRFToken": alice.token(f"/manage/rooms/{films}/settings"), "Upload-Checksum": f"sha1 {digest}"}

    def note() -> None:
        with app.app_context():
            came.append(storage().grown(uuid))

    body = Whole(b"01234", b"56", b"789", meanwhile=note)
    answer = alice.open(path, method="PATCH", headers=headers, input_stream=body, content_length=10)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "10")
    assert came
    assert set(came) == {0}
    assert list((app.config["SETTINGS"].files / "uploads").iterdir()) == []


def test_of_two_writers_the_second_is_told_so(app: Flask, sender: Sender) -> None:
    with app.app_context(), transaction():
        uuid = session.scalars(sa.select(VideoUpload.uuid)).one()
        with storage().grow(uuid, most=10):
            assert sender.patch(b"01234", 0).status_code == 423
    assert sender.patch(b"01234", 0).status_code == 204


def test_after_a_day_it_is_gone(app: Flask, sender: Sender) -> None:
    with app.app_context(), transaction():
        session.execute(sa.update(VideoUpload).values(expires_at=now() - timedelta(minutes=1)))
    assert sender.head().status_code == 410
    assert sender.patch(b"01234", 0).status_code == 410


def test_it_can_be_given_up(app: Flask, cast: Cast, films: str, sender: Sender) -> None:
    sender.patch(b"01234", 0)
    assert sender.delete().status_code == 204
    assert sender.head().status_code == 404
    with app.app_context(), transaction():
        assert session.scalars(sa.select(RoomVideo)).all() == []
        assert list(storage().growing(before=now() + timedelta(days=9))) == []


class Breaking(io.RawIOBase):
    """A body whose connection breaks after some bytes, or of which the server makes no sense from there on."""

    def __init__(self, *pieces: bytes, error: type[Exception] = ConnectionResetError) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._error, self._at = error, 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = 10 if whence == io.SEEK_END else offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = next(self._pieces, None)
        if data is None:
            raise self._error
        buffer[: len(data)] = data
        return len(data)


class Whole(Breaking):
    """A body in the middle of which somebody gives the upload up."""

    def __init__(self, *pieces: bytes, meanwhile: Callable[[], object]) -> None:
        super().__init__(*pieces)
        self._meanwhile, self._asked = meanwhile, 0

    def readinto(self, buffer: Any) -> int:
        self._asked += 1
        if self._asked == 2:
            self._meanwhile()
        return super().readinto(buffer)


def test_what_comes_for_an_upload_that_was_given_up_is_not_kept(
    app: Flask, cast: Cast, films: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, hers = cast.sign_in("alice"), cast.sign_in("alice")
    paths = [begin(alice, films).location for _ in range(2)]
    token, proof = (one.token(f"/manage/rooms/{films}/settings") for one in (alice, hers))
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream", "X-CSRFToken": token}
    receive = tus.receive

    def end(path: str) -> None:
        assert hers.delete(path, headers={**TUS, "X-CSRFToken": proof}).status_code == 204

    def end_just_before(piece: tus.Piece) -> None:
        end(paths[1])
        receive(piece)

    body = Whole(b"01234", b"56", b"789", meanwhile=lambda: end(paths[0]))
    assert (
        alice.open(paths[0], method="PATCH", headers=headers, input_stream=body, content_length=10).status_code == 410
    )
    monkeypatch.setattr(tus, "receive", end_just_before)
    assert alice.patch(paths[1], data=b"01234", headers=headers).status_code == 404
    with app.app_context():
        assert list(storage().growing(before=now() + timedelta(days=9))) == []


@pytest.mark.parametrize("error", [ConnectionResetError, RuntimeError])
def test_what_had_come_before_a_connection_broke_is_kept(
    cast: Cast, films: str, app: Flask, error: type[Exception]
) -> None:
    alice = cast.sign_in("alice")
    path = begin(alice, films).location
    token = alice.token(f"/manage/rooms/{films}/settings")
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream", "X-CSRFToken": token}
    broken = alice.open(
        path, method="PATCH", headers=headers, input_stream=Breaking(b"0123", error=error), content_length=10
    )
    assert broken.status_code == 400
    assert alice.open(path, method="HEAD", headers=TUS).headers["Upload-Offset"] == "4"
    assert alice.patch(path, data=b"456789", headers={**headers, "Upload-Offset": "4"}).status_code == 204


def test_it_says_what_it_knows_of_tus(sender: Sender) -> None:
    answer = sender._call("OPTIONS", sender.path, headers={})
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "expiration,checksum,termination"


@pytest.mark.parametrize(
    ("name", "status"),
    [("bob", 403), ("charlie", 404), ("admin", 200), ("", 302)],
    ids=["member", "stranger", "staff", "nobody"],
)
def test_only_who_manages_the_media_of_the_room_gets_in(
    app: Flask, cast: Cast, films: str, name: str, status: int
) -> None:
    path = begin(cast.sign_in("alice"), films).location
    with app.app_context(), transaction():
        member = RoomMember(room_uuid=cast.room(films).uuid, user_uuid=cast.user("bob").uuid, permissions=["room:view"])
        session.add(member)
    browser = cast.sign_in(name) if name else cast.browser()
    if name == "":
        assert browser.open(path, method="HEAD", headers=TUS).status_code in {302, 303, 401}
        return
    assert browser.open(path, method="HEAD", headers=TUS).status_code == status
    token = browser.token()
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream", "X-CSRFToken": token}
    assert browser.patch(path, data=b"0", headers=headers).status_code == (204 if status == 200 else status)


def test_a_piece_needs_the_proof_of_origin(cast: Cast, films: str) -> None:
    alice = cast.sign_in("alice")
    path = begin(alice, films).location
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert alice.patch(path, data=b"0", headers=headers).status_code == 400
    assert alice.open(path, method="HEAD", headers=TUS).headers["Upload-Offset"] == "0"


def test_a_program_makes_a_video_and_sends_its_file_to_the_address_that_it_is_told(
    films: str,
    program: NewProgram,  # noqa: F811
) -> None:
    hers = program("alice")
    made = hers.post(f"/rooms/{films}/videos", {"name": "Film", "size": 10, "file_name": "film.mp4"})
    assert made.status_code == 201, made.text
    data = made.json["data"]
    assert (data["state"], data["upload"]["offset"], data["upload"]["size"]) == ("uploading", 0, 10)
    assert data["upload"]["expires_at"] > data["created_at"]
    address = data["upload"]["url"].partition("/api/v1/")[2]
    assert address.startswith("uploads/")
    headers = {"Authorization": f"Bearer {hers.token}", **TUS, "Upload-Offset": "0"}
    headers["Content-Type"] = "application/offset+octet-stream"
    sent = hers.app.test_client().patch(f"/api/v1/{address}", data=b"0123456789", headers=headers)
    assert sent.status_code == 204
    after = hers.get(f"/rooms/{films}/videos/{data['id']}").json["data"]
    assert (after["state"], after["upload"], after["size"]) == ("waiting", None, 10)


def test_a_program_of_somebody_else_finds_nothing(
    cast: Cast,
    films: str,
    program: NewProgram,  # noqa: F811
) -> None:
    upload = begin(cast.sign_in("alice"), films).location.rpartition("/")[2]
    assert program("charlie").call("HEAD", f"/api/v1/uploads/{upload}", Tus_Resumable="1.0.0").status_code == 404
    assert cast.browser().open(f"/api/v1/uploads/{upload}", method="HEAD", headers=TUS).status_code == 401


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"size": "0"}, 422, "empty"),
        ({"size": "many"}, 422, "no size"),
        ({"size": "2000000000"}, 409, "0 GB of 1 GB are used, and this file has 2 GB."),
        ({"video": "2222222222"}, 404, ""),
    ],
)
def test_an_upload_that_cannot_begin_says_why(
    cast: Cast, films: str, fields: dict[str, str], status: int, says: str
) -> None:
    answer = begin(cast.sign_in("alice"), films, **fields)
    assert answer.status_code == status
    assert answer.json is not None
    assert says in answer.json["message"]


def test_without_a_script_a_form_sends_a_whole_file(app: Flask, cast: Cast, films: str) -> None:
    alice = cast.sign_in("alice")
    token = alice.token(f"/manage/rooms/{films}/settings")
    data = {"csrf_token": token, "file": (io.BytesIO(b"0123456789"), "Holiday.mp4")}
    path = f"/manage/rooms/{films}/videos/file"
    answer = alice.post(path, data=data, content_type="multipart/form-data")
    assert (answer.status_code, answer.location) == (303, f"/manage/rooms/{films}/videos")
    with app.app_context(), transaction():
        [video] = videos_of(cast.room(films))
        assert (video.name, video.state, video.size) == ("Holiday", VideoState.WAITING, 10)
    assert cast.join(Role.GUEST).post(path, data={}).status_code in {302, 303, 400, 401}
