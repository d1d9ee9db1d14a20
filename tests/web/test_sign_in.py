from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from portal.app import create_app
from portal.clock import now
from portal.db import db, session, transaction
from portal.identifiers import new_uuid
from portal.people import passwords
from portal.people.known_devices import KnownDevice
from portal.people.models import SignIn, User
from portal.people.operations import set_password
from portal.rooms.models import Role
from tests.cast import PASSWORD, Cast, Client, csrf_of
from tests.conftest import BOTH, settings_for


def test_signing_in_leads_on_and_signing_out_ends_it_on_the_server(cast: Cast, app: Flask) -> None:
    alice = cast.sign_in("alice")
    stolen = alice.get_cookie("foyer")
    assert stolen is not None
    assert alice.get("/manage/rooms").status_code == 200
    assert alice.post("/sign-out", data={"csrf_token": alice.token("/me")}).status_code == 303
    thief = cast.browser()
    thief.set_cookie("foyer", stolen.value)
    assert thief.get("/manage/rooms").status_code == 303


def test_a_session_is_new_on_signing_in(cast: Cast) -> None:
    client = cast.browser()
    client.get("/sign-in")
    before = client.get_cookie("foyer")
    client.send("/sign-in", email="alice@demo.example", password=PASSWORD)
    after = client.get_cookie("foyer")
    assert before is not None
    assert after is not None
    assert before.value.split(".")[0] != after.value.split(".")[0]


@pytest.mark.parametrize(
    ("email", "password"), [("alice@demo.example", "wrong-wrong"), ("nobody@demo.example", PASSWORD)]
)
def test_the_answer_does_not_tell_which_accounts_exist(cast: Cast, email: str, password: str) -> None:
    answer = cast.browser().send("/sign-in", email=email, password=password)
    assert answer.status_code == 422
    assert "E-mail or password is wrong" in answer.text
    assert f'value="{email}"' in answer.text
    assert password not in answer.text


def test_an_unknown_account_costs_a_hash_too(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str | None] = []
    really = passwords.matches

    def watched(given: str, stored: str | None) -> bool:
        verified.append(stored)
        return really(given, stored)

    monkeypatch.setattr(passwords, "matches", watched)
    cast.browser().send("/sign-in", email="nobody@demo.example", password=PASSWORD)
    assert verified == [None]


def try_password(client: Client, network: str, *, password: str = "wrong-wrong", name: str = "alice") -> TestResponse:
    """Send the form of the sign-in page from this network, as a browser of it does."""
    client.environ_base["REMOTE_ADDR"] = network
    return client.send("/sign-in", email=f"{name}@demo.example", password=password)


@BOTH
def test_ten_wrong_passwords_keep_out_nobody_but_strangers_of_that_network(cast: Cast) -> None:
    known, network = cast.sign_in("alice"), "192.0.2.1"
    known.post("/sign-out", data={"csrf_token": known.token("/me")})
    for _ in range(10):
        assert try_password(cast.browser(), network).status_code == 422
    refused = try_password(cast.browser(), network, password=PASSWORD)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Too many tries" in refused.text
    assert try_password(cast.browser(), network, password=PASSWORD, name="bob").status_code == 303
    assert try_password(cast.browser(), "192.0.2.2", password=PASSWORD).status_code == 303
    assert try_password(known, network, password=PASSWORD).status_code == 303


def test_guesses_from_many_networks_are_bounded_and_keep_out_no_device_that_is_known(cast: Cast) -> None:
    known = cast.sign_in("alice")
    known.post("/sign-out", data={"csrf_token": known.token("/me")})
    answers = [try_password(cast.browser(), f"198.51.100.{number % 15}").status_code for number in range(146)]
    assert answers == [422] * 145 + [429]  # three for each of 15 networks, and 100 together
    refused = try_password(cast.browser(), "198.51.100.1", password=PASSWORD)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    assert try_password(known, "198.51.100.1", password=PASSWORD).status_code == 303
    for _ in range(5):  # right passwords give their tries back
        assert try_password(cast.browser(), "203.0.113.1", password=PASSWORD).status_code == 303
    wrong = [try_password(cast.browser(), "203.0.113.1").status_code for _ in range(4)]
    assert wrong == [422] * 3 + [429]


def test_thirty_wrong_passwords_of_a_network_keep_out_no_device_that_is_known(cast: Cast) -> None:
    known, network = cast.sign_in("alice"), "192.0.2.1"
    known.post("/sign-out", data={"csrf_token": known.token("/me")})
    for number in range(30):
        assert try_password(cast.browser(), network, name=f"n{number}").status_code == 422
    assert try_password(cast.browser(), network, password=PASSWORD).status_code == 429
    assert try_password(known, network, password=PASSWORD).status_code == 303


def test_a_known_device_has_no_more_tries_than_others_and_none_for_other_accounts(cast: Cast) -> None:
    known = cast.sign_in("alice")
    known.post("/sign-out", data={"csrf_token": known.token("/me")})
    answers = [try_password(known, f"192.0.2.{number}").status_code for number in range(11)]
    assert answers == [422] * 10 + [429]
    for _ in range(10):
        assert try_password(known, "192.0.2.1", name="bob").status_code == 422
    assert try_password(cast.browser(), "192.0.2.1", password=PASSWORD, name="bob").status_code == 429


def test_many_known_devices_guess_no_more_than_a_hundred_times_an_hour(cast: Cast) -> None:
    devices = [cast.sign_in("alice") for _ in range(11)]
    for device in devices:
        device.post("/sign-out", data={"csrf_token": device.token("/me")})
    answers = [try_password(device, "192.0.2.1").status_code for device in devices for _ in range(10)]
    assert answers == [422] * 100 + [429] * 10


@pytest.mark.parametrize("spoil", [lambda text: "", lambda text: text[::-1], lambda text: "x" + text])
def test_a_device_that_the_portal_did_not_sign_is_a_stranger(cast: Cast, spoil: Callable[[str], str]) -> None:
    known, network = cast.sign_in("alice"), "192.0.2.1"
    cookie = known.get_cookie("device", path="/sign-in")
    assert cookie is not None
    for _ in range(10):
        try_password(cast.browser(), network)
    forger = cast.browser()
    forger.set_cookie("device", spoil(cookie.value), path="/sign-in")
    assert try_password(forger, network, password=PASSWORD).status_code == 429


def test_a_device_keeps_the_last_eight_who_signed_in_there(cast: Cast, app: Flask) -> None:
    device = KnownDevice.new()
    with app.app_context():
        users = [User(uuid=new_uuid()) for _ in range(10)]
        for user in users:
            device = device.remembering(user)
        assert [device.knows(user) for user in users] == [False] * 2 + [True] * 8
        assert device.remembering(users[5]).users[0] == users[5].uuid


@pytest.mark.parametrize("address", ["203.0.113.8:{port}", "[2001:db8::8]:{port}", "2001:db8::{port}", "odd-{port}"])
def test_a_port_behind_the_address_makes_no_other_network(database: str, tmp_path: Path, address: str) -> None:
    app = create_app(settings_for(database, tmp_path, trusted_proxies=1))
    app.test_client_class = Client
    cast, statuses = Cast(app), []
    for number in range(31):
        client = cast.browser()
        client.environ_base["HTTP_X_FORWARDED_FOR"] = address.format(port=4000 + number)
        answer = client.send("/sign-in", email=f"n{number}@demo.example", password="wrong-wrong")
        statuses.append(answer.status_code)
    assert statuses == [422] * 30 + [429]
    with app.app_context():
        db.engine.dispose()


@BOTH
@pytest.mark.parametrize("ahead", [0.3, 2, 25])
def test_two_servers_need_not_have_one_clock(cast: Cast, ahead: float) -> None:
    with time_machine.travel(now() + timedelta(seconds=ahead)):
        alice, guest = cast.sign_in("alice"), cast.follow(Role.GUEST)
    assert alice.get("/manage/rooms").status_code == 200
    assert guest.get(cast.board_path).status_code == 200
    assert alice.send("/me", name="Alice", timezone="UTC").status_code == 303
    assert guest.send(cast.board_path, name="Gus").status_code == 303


def test_what_was_signed_far_in_the_future_does_not_count(cast: Cast) -> None:
    with time_machine.travel(now() + timedelta(minutes=2)):
        alice, guest = cast.sign_in("alice"), cast.follow(Role.GUEST)
    assert alice.get("/manage/rooms").status_code == 303
    assert guest.get(cast.board_path).status_code == 404


def test_a_client_cannot_choose_its_network(cast: Cast) -> None:
    for number in range(31):
        client = cast.browser()
        client.environ_base["HTTP_X_FORWARDED_FOR"] = f"203.0.113.{number}"
        answer = client.send("/sign-in", email=f"n{number}@demo.example", password="wrong-wrong")
    assert "Too many tries" in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/nowhere",
        "/sign-out",
        "javascript:alert(1)",
        "/manage\n/rooms",
    ],
)
def test_next_leads_to_own_pages_only(cast: Cast, target: str) -> None:
    client = cast.browser()
    answer = client.send("/sign-in", email="bob@demo.example", password=PASSWORD, next=target)
    assert (answer.status_code, answer.location) == (303, "/")


def test_next_leads_to_the_page_that_was_wanted(cast: Cast) -> None:
    client = cast.browser()
    wanted = f"/manage/rooms/{cast.board}"
    page = client.get(wanted, follow_redirects=True)
    assert page.request.path == "/sign-in"
    answer = client.post(
        "/sign-in",
        data={"csrf_token": csrf_of(page.text), "email": "bob@demo.example", "password": PASSWORD, "next": wanted},
    )
    assert answer.location == wanted


def test_a_new_password_signs_out_everywhere(cast: Cast, app: Flask) -> None:
    alice = cast.sign_in("alice")
    with app.app_context(), transaction():
        set_password(cast.user("alice"), passwords.checked_hash("another-password"))
    assert alice.get("/manage/rooms").status_code == 303
    with app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(SignIn).where(SignIn.ended_at.is_(None))) == 0


def test_a_form_sent_after_the_session_ended_comes_back_filled(cast: Cast, app: Flask) -> None:
    alice = cast.sign_in("alice")
    path = "/manage/rooms/new"
    form = csrf_of(alice.get(path).text)
    with app.app_context(), transaction():
        session.execute(sa.update(SignIn).values(ended_at=sa.func.current_timestamp()))
    asked = alice.post(path, data={"csrf_token": form, "room_name": "Precious <name>"})
    assert asked.status_code == 401
    fields = _hidden(asked.text)
    signed = alice.post("/sign-in", data={**fields, "email": "alice@demo.example", "password": PASSWORD})
    assert signed.status_code == 200
    assert "Precious &lt;name&gt;" in signed.text
    shown = alice.post(
        path, data={"csrf_token": csrf_of(signed.text), "kept_form": "1", "room_name": "Precious <name>"}
    )
    assert shown.status_code == 422
    assert 'value="Precious &lt;name&gt;"' in shown.text
    made = alice.post(path, data={"csrf_token": csrf_of(shown.text), "room_name": "Precious <name>"})
    assert made.status_code == 303


def test_what_was_kept_opens_only_where_it_was_typed(cast: Cast) -> None:
    client = cast.browser()
    asked = client.post("/manage/rooms/new", data={"csrf_token": client.token(), "room_name": "X"})
    fields = _hidden(asked.text) | {"next": f"/manage/rooms/{cast.board}/deletion"}
    signed = client.post("/sign-in", data={**fields, "email": "alice@demo.example", "password": PASSWORD})
    assert signed.status_code == 303


def test_profile_name_and_time_zone_can_be_changed(cast: Cast) -> None:
    bob = cast.sign_in("bob")
    assert bob.send("/me", name="Bobby", timezone="Europe/Madrid").status_code == 303
    assert "Bobby" in bob.get("/me").text
    assert bob.send("/me", name="Bobby", timezone="Mars/Olympus").status_code == 422
    assert bob.send("/me", name="a\u202eb", timezone="UTC").status_code == 422


def test_the_zone_of_the_browser_is_kept_until_another_is_chosen(cast: Cast, app: Flask) -> None:
    def zone_after(browsers: str) -> str | None:
        cast.browser().send("/sign-in", email="bob@demo.example", password=PASSWORD, timezone=browsers)
        with app.app_context():
            return cast.user("bob").timezone

    assert [zone_after(name) for name in ("", "Mars/Olympus", "Factory", "Europe/Dublin", "Asia/Kolkata")] == [
        None, None, None, "Europe/Dublin", "Europe/Dublin",
    ]  # fmt: skip
    assert cast.sign_in("bob").send("/me", name="Bob", timezone="UTC").status_code == 303
    assert zone_after("Asia/Kolkata") == "UTC"


def _hidden(html: str) -> dict[str, str]:
    import re
    from html import unescape

    return {
        name: unescape(value)
        for name, value in re.findall(r'name="(csrf_token|next|kept|timezone)"[^>]* value="([^"]*)"', html)
    }


def test_signing_in_over_a_session_ends_the_old_one_on_the_server(cast: Cast) -> None:
    client = cast.sign_in("alice")
    old = client.get_cookie("foyer")
    assert old is not None
    fields = {"csrf_token": client.token("/me"), "email": "charlie@demo.example", "password": PASSWORD}
    assert client.post("/sign-in", data=fields).status_code == 303
    thief = cast.browser()
    thief.set_cookie("foyer", old.value)
    assert thief.get("/manage/rooms").status_code == 303


@BOTH
def test_who_only_reads_every_day_stays_signed_in(cast: Cast, app: Flask) -> None:
    began = now()
    alice = cast.sign_in("alice")
    for day in range(1, 31):
        with time_machine.travel(began + timedelta(days=day), tick=False):
            assert alice.get("/manage/rooms").status_code == 200, day
    with time_machine.travel(began + timedelta(days=30 + 14, minutes=1), tick=False):
        assert alice.get("/manage/rooms").status_code == 303


def test_reading_notes_that_once_a_day_and_changes_nothing_else(cast: Cast, app: Flask) -> None:
    alice = cast.sign_in("alice")
    written: list[str] = []

    def watch(_c: object, _k: object, statement: str, *_: object) -> None:
        if not statement.startswith(("SELECT", "WITH")):
            written.append(statement)

    with app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", watch)
    with time_machine.travel(now() + timedelta(days=1), tick=False):
        cookies = [alice.get("/manage/rooms").headers.getlist("Set-Cookie") for _ in range(3)]
    assert [bool(cookie) for cookie in cookies] == [True, False, False]  # it lives as long as the sign-in
    assert [statement.split()[:2] for statement in written] == [["UPDATE", "sign_ins"]]
