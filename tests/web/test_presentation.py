"""The presentation on the page of a room's settings: uploaded by a plain form, whose body holds up nobody."""

import io
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.audit.models import AuditEvent
from portal.db import db, session, transaction
from portal.edge.uploads import ENVELOPE
from portal.people.models import SignIn
from portal.permissions.members import RoomMember
from portal.rooms.presentations import LARGEST_FILE, presentation_of
from tests.cast import Cast, Client
from tests.conftest import BOTH
from tests.presentations import PDF, form_with, take_presentations

BOUNDARY = "between-the-parts"


@pytest.fixture
def alice(cast: Cast) -> Client:
    take_presentations(cast)
    return cast.sign_in("alice")


def settings_of(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}/settings"


def address(cast: Cast) -> str:
    return f"{settings_of(cast)}/presentation"


def send(
    cast: Cast, client: Client, content: bytes = PDF, name: str = "slides.pdf", *, token: str | None = None
) -> TestResponse:
    token = client.token(settings_of(cast)) if token is None else token
    return client.post(address(cast), data=form_with(content, name, csrf_token=token))


def stored(cast: Cast) -> tuple[str, int] | None:
    with cast.app.app_context():
        found = presentation_of(cast.room())
        return (found.name, found.size) if found is not None else None


def left_over(cast: Cast) -> list[str]:
    folder = cast.app.config["SETTINGS"].files / "uploads"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def multipart(content: bytes, *, token: str = "", name: str = "slides.pdf") -> bytes:
    """The body of the form, as a browser writes it."""
    field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return f"{field}{head}".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


class Trickling(io.RawIOBase):
    """A body that comes in pieces, before each of which `meanwhile` happens."""

    def __init__(self, pieces: Iterator[bytes], meanwhile: Any) -> None:
        self._pieces, self._meanwhile, self._rest = pieces, meanwhile, b""

    def read(self, size: int = -1) -> bytes:
        self._meanwhile()
        if not self._rest:
            self._rest = next(self._pieces, b"")
        piece, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        return piece

    def readinto(self, buffer: Any) -> int:
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def readable(self) -> bool:
        return True


def trickle(cast: Cast, client: Client, body: Iterator[bytes], meanwhile: Any, length: int | None = None) -> Any:
    """Send this body; without a length in chunks, as the server below hands them on."""
    environ: dict[str, Any] = {
        "wsgi.input": Trickling(body, meanwhile),
        "wsgi.input_terminated": True,
        "CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY}",
    }
    said = {"HTTP_TRANSFER_ENCODING": "chunked"} if length is None else {"CONTENT_LENGTH": str(length)}
    return client.post(address(cast), environ_overrides=environ | said)


def test_a_file_is_uploaded_replaced_and_removed_by_plain_forms(cast: Cast, alice: Client) -> None:
    page = alice.get(settings_of(cast)).text
    assert "Upload presentation" in page
    assert 'enctype="multipart/form-data"' in page
    answer = send(cast, alice)
    assert (answer.status_code, answer.location) == (303, f"{settings_of(cast)}#h-presentation")
    page = alice.get(settings_of(cast)).text
    assert "slides.pdf is the presentation from the next session on." in page
    assert "Replace presentation" in page
    assert "Remove slides.pdf" in page
    assert send(cast, alice, b"\x89PNG\r\n\x1a\n" + b"x" * 200_000, "cover.png").status_code == 303
    assert stored(cast) == ("cover.png", 200_008)
    assert "0.2 MB" in alice.get(settings_of(cast)).text
    assert alice.send(f"{address(cast)}/removal", settings_of(cast)).status_code == 303
    assert stored(cast) is None
    assert alice.send(f"{address(cast)}/removal", settings_of(cast)).status_code == 404
    assert left_over(cast) == []


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "", "Choose a file."),
        (b"", "slides.pdf", "This file is empty."),
        (b"<html><script>", "slides.pdf", "The content of this file is not what its name says (pdf)."),
        (PDF, "slides.exe", "Use a file of one of these kinds: pdf,"),
        (PDF, "slides\u202efdp.exe", "Use a file of one of these kinds: pdf,"),
    ],
)
def test_what_is_wrong_with_a_file_stands_beside_it(
    cast: Cast, alice: Client, content: bytes, name: str, says: str
) -> None:
    send(cast, alice)
    answer = send(cast, alice, content, name)
    assert answer.status_code == 422
    beside = answer.text.partition('id="error-file"')[2].partition("</div>")[0]
    assert says in beside
    assert 'aria-invalid="true"' in answer.text
    assert answer.text.count("autofocus") == 1
    assert (
        "autofocus"
        in answer.text.partition('name="file"')[0].rpartition("<input")[2]
        + answer.text.partition('name="file"')[2].partition(">")[0]
    )
    assert stored(cast) == ("slides.pdf", len(PDF))
    assert left_over(cast) == []


@pytest.mark.parametrize("name", ["../../../etc/cron.pdf", "a\tb.pdf", "x" * 500 + ".pdf", "<b>&amp;.pdf"])
def test_hostile_names_are_text(cast: Cast, alice: Client, name: str) -> None:
    assert send(cast, alice, PDF, name).status_code == 303
    found = stored(cast)
    assert found is not None
    assert len(found[0]) <= 120
    assert "/" not in found[0]
    page = alice.get(settings_of(cast)).text
    assert "<b>&amp;.pdf" not in page
    assert len(list((cast.app.config["SETTINGS"].files / "presentations").iterdir())) == 1


def test_the_limit_holds_for_what_a_length_says(cast: Cast, alice: Client) -> None:
    token = alice.token(settings_of(cast))
    said = LARGEST_FILE + ENVELOPE + 1
    body = multipart(PDF, token=token)
    answer = trickle(cast, alice, iter([body]), lambda: pytest.fail("it was read"), length=said)
    assert answer.status_code == 422
    assert "This file is too large: it has 31 MB, and at most 30 are taken." in answer.text


def test_the_limit_holds_while_a_body_without_a_length_comes(
    cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, sizes = alice.token(settings_of(cast)), []

    def pieces() -> Iterator[bytes]:
        yield multipart(PDF, token=token).partition(b"%%EOF")[0]
        while True:
            yield b"x" * 65_536

    def look() -> None:
        sizes.append(len(left_over(cast)))
        assert len(sizes) < 1_000, "it goes on and on"

    answer = trickle(cast, alice, pieces(), look)
    assert answer.status_code == 422
    assert "This file is too large: at most 30 MB." in answer.text
    assert max(sizes) == 1
    assert left_over(cast) == []
    assert stored(cast) is None


def test_a_body_that_ends_early_is_nothing(cast: Cast, alice: Client) -> None:
    body = multipart(PDF, token=alice.token(settings_of(cast)))
    for length in (len(body) - 10, len(body) + 10):
        answer = trickle(cast, alice, iter([body[: len(body) - 10]]), lambda: None, length=length)
        assert answer.status_code == 400
    assert stored(cast) is None
    assert left_over(cast) == []


@BOTH
def test_nobody_waits_for_a_slow_body(app: Flask, cast: Cast, database: str) -> None:
    take_presentations(cast)
    alice = cast.sign_in("alice")
    body, looks = multipart(PDF, token=alice.token(settings_of(cast))), []

    def look() -> None:
        looks.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
        if database.startswith("sqlite:///"):
            other = sqlite3.connect(database.removeprefix("sqlite:///"), timeout=0)
            other.execute("BEGIN IMMEDIATE")
            other.rollback()
            other.close()

    answer = trickle(cast, alice, (body[place : place + 16] for place in range(0, len(body), 16)), look)
    assert answer.status_code == 303, answer.text
    assert len(looks) > 10
    assert set(looks) == {0}
    assert stored(cast) == ("slides.pdf", len(PDF))


def test_the_body_of_somebody_who_may_not_send_it_is_not_read(cast: Cast, alice: Client) -> None:
    bob, charlie, nobody = cast.sign_in("bob"), cast.sign_in("charlie"), cast.browser()
    for client, status in ((bob, 403), (charlie, 404), (nobody, 401)):
        body = multipart(PDF, token=client.token())
        answer = trickle(cast, client, iter([body]), lambda: pytest.fail("it was read"), length=len(body))
        assert answer.status_code == status
    assert stored(cast) is None


def test_who_loses_the_right_while_he_sends_has_lost_it(cast: Cast, alice: Client) -> None:
    body = multipart(PDF, token=alice.token(settings_of(cast)))

    def sign_out() -> None:
        def act() -> None:
            with cast.app.app_context(), transaction():
                session.execute(db.delete(SignIn))

        thread = threading.Thread(target=act)
        thread.start()
        thread.join(10)

    answer = trickle(cast, alice, iter([body]), sign_out, length=len(body))
    assert answer.status_code == 401
    assert stored(cast) is None
    assert left_over(cast) == []


def test_a_form_from_elsewhere_changes_nothing(cast: Cast, alice: Client) -> None:
    for token in ("", "forged"):
        assert send(cast, alice, token=token).status_code == 400
    assert alice.post(f"{address(cast)}/removal").status_code == 400
    assert stored(cast) is None
    assert left_over(cast) == []


def test_two_files_or_another_kind_of_form_are_refused(cast: Cast, alice: Client) -> None:
    token = alice.token(settings_of(cast))
    two = {"csrf_token": token, "file": [(io.BytesIO(PDF), "a.pdf"), (io.BytesIO(PDF), "b.pdf")]}
    assert alice.post(address(cast), data=two).status_code == 400
    assert alice.post(address(cast), data={"csrf_token": token, "file": "x"}).status_code == 415
    other = {"csrf_token": token, "other": (io.BytesIO(PDF), "a.pdf")}
    assert "Choose a file." in alice.post(address(cast), data=other).text
    assert stored(cast) is None
    assert left_over(cast) == []


def test_a_room_of_the_portals_own_conferences_has_no_such_thing(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    assert "h-presentation" not in alice.get(settings_of(cast)).text
    assert send(cast, alice).status_code == 404
    assert alice.send(f"{address(cast)}/removal", settings_of(cast)).status_code == 404
    assert left_over(cast) == []


def test_the_audit_tells_what_was_replaced_by_what(cast: Cast, alice: Client) -> None:
    send(cast, alice)
    send(cast, alice, PDF, "new.pdf")
    alice.send(f"{address(cast)}/removal", settings_of(cast))
    with cast.app.app_context():
        lines = session.scalars(
            db.select(AuditEvent).where(AuditEvent.action == "room.updated").order_by(AuditEvent.at)
        )
        assert [line.details["changes"] for line in lines] == [
            {"presentation": [None, "slides.pdf"]},
            {"presentation": ["slides.pdf", "new.pdf"]},
            {"presentation": ["new.pdf", None]},
        ]
    assert "Presentation" in cast.sign_in("admin").get("/admin/audit").text


def test_members_who_may_change_the_room_may(cast: Cast, alice: Client) -> None:
    with cast.app.app_context(), transaction():
        member = session.scalars(db.select(RoomMember).where(RoomMember.user_uuid == cast.user("bob").uuid)).one()
        member.permissions = ["room:edit", "room:view"]
    assert send(cast, cast.sign_in("bob")).status_code == 303
