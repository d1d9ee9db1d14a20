"""What nobody types and somebody sends: nothing of it is a 500, on either database."""

import io
import zoneinfo

import pytest
from flask import Flask

from portal.db import session, transaction
from portal.edge import i18n
from portal.people.operations import find_by_email
from portal.people.timezones import time_zones
from portal.rooms.models import Role
from tests.cast import Cast, Client
from tests.conftest import BOTH


@pytest.fixture
def alice(cast: Cast) -> Client:
    return cast.sign_in("alice")


@BOTH
def test_control_characters_are_refused_or_found_nowhere(cast: Cast, alice: Client) -> None:
    board = f"/manage/rooms/{cast.board}"
    assert alice.get("/manage/rooms?search=a%00b").status_code == 200
    assert alice.get("/manage/rooms?after=%00").status_code == 200
    assert alice.get("/manage/rooms/status?rooms=a%00b").status_code == 200
    assert alice.get(f"{board}/links/new?role=%00").status_code == 200
    assert alice.get(f"/rooms/{cast.board}/a%00b").status_code == 303
    assert cast.browser().get("/sign-in?next=/%00").status_code == 200
    for path, fields in (
        ("/sign-in", {"email": "a\x00@b.example", "password": "xxxxxxxxxx"}),
        (cast.open_path, {"name": "Gus\x00"}),
    ):
        assert cast.browser().send(path, **fields).status_code == 422
    for path, fields in (
        ("/manage/rooms/new", {"room_name": "a\x00b"}),
        (f"{board}/people/new", {"email": "a\x00@b.example"}),
        (f"{board}/links/new", {"role": "guest", "label": "a\x1bb"}),
        (f"{board}/codes/new", {"role": "guest", "code": "ab\x00cd"}),
        ("/me", {"name": "a\x00b", "timezone": "UTC"}),
    ):
        answer = alice.send(path, **fields)
        assert answer.status_code == 422, path
        assert "Remove the invisible characters" in answer.text, path
    with cast.app.app_context():
        assert find_by_email("a\x00@b.example") is None
        session.rollback()


@BOTH
@pytest.mark.parametrize("letter", ["ﬃ", "\u0390"])
def test_a_name_that_grows_when_it_is_sorted_fits(alice: Client, letter: str) -> None:
    made = alice.send("/manage/rooms/new", room_name=letter * 200)
    assert made.status_code == 303
    assert letter in alice.get("/manage/rooms").text


@BOTH
def test_a_code_that_grows_when_it_is_compared_is_refused(cast: Cast, alice: Client) -> None:
    answer = alice.send(f"/manage/rooms/{cast.board}/codes/new", role="guest", code="\ufdfa" * 60)
    assert answer.status_code == 422
    assert "4 to 64 characters" in answer.text


@pytest.mark.parametrize("body", [{"name": 5}, [1], 5, "x", {"room_name": {"a": 1}}, {"email": ["a@b.c"]}])
def test_forms_are_sent_as_forms(cast: Cast, alice: Client, body: object) -> None:
    board = f"/manage/rooms/{cast.board}"
    guest = cast.follow(Role.ATTENDEE)
    for client, path in (
        (guest, cast.board_path),
        (cast.browser(), "/sign-in"),
        (alice, "/manage/rooms/new"),
        (alice, f"{board}/links/new"),
        (alice, f"{board}/codes/new"),
        (alice, f"{board}/settings"),
        (alice, f"{board}/people/new"),
        (alice, "/me"),
    ):
        proof = client.token("/sign-in" if client is not alice else "/me")
        answer = client.post(path, json=body, headers={"X-CSRFToken": proof})
        assert 400 <= answer.status_code < 500, (path, answer.status_code)


@pytest.mark.parametrize("depth", [40, 900, 960, 50_000])
def test_json_nested_too_deep_is_malformed(cast: Cast, depth: int) -> None:
    guest = cast.join(Role.GUEST)
    signals = f"/rooms/{cast.board}/-/conference/signals"
    body = '{"kind":"offer","connection":"c","to":"x","data":' + '{"a":' * depth + "1" + "}" * depth + "}"
    headers = {"X-CSRFToken": guest.token(), "Content-Type": "application/json"}
    assert 400 <= guest.post(signals, data=body, headers=headers).status_code < 500


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb"),
        ("multipart/form-data; boundary=x", b"--y--"),
        ("application/x-www-form-urlencoded", b"%ff%00=&&&=%"),
        ("application/json", b"\xff\xfe"),
    ],
)
def test_bodies_that_make_no_sense_are_refused(cast: Cast, kind: str, body: bytes) -> None:
    answer = cast.browser().post("/sign-in", data=body, headers={"Content-Type": kind})
    assert 400 <= answer.status_code < 500


def test_a_body_that_breaks_off_is_refused(cast: Cast) -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise EOFError("the rest never came")

        readline = readinto = read  # type: ignore[assignment]

    answer = cast.browser().post(
        "/sign-in",
        input_stream=Broken(b"x" * 50),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "50"},
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("zone", ["Factory", "localtime", "../x", "", "a\x00b"])
def test_only_zones_that_everything_knows_can_be_chosen(cast: Cast, alice: Client, app: Flask, zone: str) -> None:
    assert alice.send("/me", name="Alice Moreau", timezone=zone).status_code == 422
    with app.app_context(), transaction():
        cast.user("alice").timezone = zone  # from before
    assert alice.get("/me").status_code == 200
    assert alice.get(f"/manage/rooms/{cast.board}/links").status_code == 200


def test_every_zone_that_is_offered_works(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from flask_babel import refresh

    from portal.clock import now

    for name in sorted(time_zones()):
        with app.test_request_context():
            monkeypatch.setattr(i18n, "zone", lambda name=name: zoneinfo.ZoneInfo(name))
            refresh()
            assert i18n.exactly(now())


@BOTH
def test_a_letter_after_nonsense_is_heard(cast: Cast) -> None:
    guest = cast.join(Role.GUEST)
    stream = f"/rooms/{cast.board}/-/conference/stream?connection=c"
    guest.say(f"/rooms/{cast.board}/-/conference/presence", {"connection": "c"})
    answer = guest.get(stream, headers={"Last-Event-ID": "junk\x01"}, buffered=False)
    assert answer.status_code == 200
    assert b"event: roster" in next(iter(answer.response))  # type: ignore[call-overload]
    answer.close()


def test_wrong_names_of_hosts_are_refused_but_by_probes(cast: Cast) -> None:
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::2]", "localhost.evil.example"):
        assert cast.browser().get("/sign-in", headers={"Host": host}).status_code == 400, host
        assert cast.browser().get("/livez", headers={"Host": host}).status_code == 200
        assert cast.browser().get("/readyz", headers={"Host": host}).status_code == 200
    for host in ("127.0.0.1:8000", "127.0.0.1", "localhost", "localhost:9999", "[::1]:80"):
        assert cast.browser().get("/sign-in", headers={"Host": host}).status_code == 200, host
