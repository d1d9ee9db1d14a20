"""The lobby on pages: what the waiter reads, what moderators see in the meeting and on the room's page, and who may answer."""

import html
import re

import pytest
from flask import Flask

from portal import channels
from portal.admission import waiting
from portal.channels import InProcess
from portal.db import transaction
from portal.rooms.models import Role
from portal.rooms.settings import GUEST_POLICY
from tests.cast import CODE, Cast, Client
from tests.web.player import Player
from tests.web.test_removals import roster_of

ATTENDED = "A moderator sees that you are waiting, and will let you in."
UNATTENDED = "No moderator is here yet. One who comes will see that you are waiting, and let you in."


@pytest.fixture(autouse=True)
def _lobby(app: Flask, cast: Cast) -> None:
    """The board room lets guests in one by one."""
    with app.app_context(), transaction():
        cast.room().room_settings = {GUEST_POLICY: "ask"}


def knock(cast: Cast, name: str = "Gus") -> Client:
    guest = cast.follow(Role.GUEST)
    assert guest.send(cast.board_path, name=name).status_code == 403
    return guest


def again(cast: Cast) -> str:
    return f"{cast.board_path}?asked=1"


def lobby_of(player: Player) -> dict[str, str]:
    return {one["name"]: one["id"] for one in roster_of(player)["waiting"]}


def test_a_guest_is_told_that_a_person_lets_him_in_and_whether_one_is_there(cast: Cast) -> None:
    guest = cast.follow(Role.GUEST)
    assert "A moderator lets you in, and none is here yet. Press Join to wait." in guest.get(cast.board_path).text
    page = guest.send(cast.board_path, name="Gus")
    assert page.status_code == 403
    assert f">{UNATTENDED} This page looks again every ten seconds.<" in page.text
    assert f'data-scripted="{UNATTENDED} Keep this page open: you come in by yourself."' in page.text
    assert 'data-waiting="lobby unattended"' in page.text
    assert f'http-equiv="refresh" content="10; url={again(cast)}"' in page.text
    assert "data-enter" in page.text

    cast.join(Role.MODERATOR, name="Mo")
    page_later = guest.get(again(cast)).text
    assert ATTENDED in page_later
    assert 'data-waiting="lobby"' in page_later
    assert "data-enter" in page_later
    assert cast.join(Role.ATTENDEE, name="Att", code=CODE)  # waits for nobody


def test_moderators_alone_see_who_waits_and_admit_one_or_all(cast: Cast, moderator: Player) -> None:
    attendee = Player(cast.join(Role.ATTENDEE, name="Att", code=CODE), cast.board, "att-tab")
    guests = {name: knock(cast, name) for name in ("Gus", "Fay", "Zoe")}
    waiters = lobby_of(moderator)
    assert list(waiters) == ["Gus", "Fay", "Zoe"]
    assert {"waiting", "turned_away"}.isdisjoint(roster_of(attendee))
    assert attendee.say("signals", kind="admit", to=waiters["Gus"]).status_code == 403
    assert attendee.say("signals", kind="admit_all").status_code == 403
    assert attendee.say("signals", kind="turn_away", to=waiters["Gus"]).status_code == 403

    assert moderator.say("signals", kind="admit", to=waiters["Gus"]).status_code == 202
    assert list(lobby_of(moderator)) == ["Fay", "Zoe"]
    page = guests["Gus"].get(again(cast)).text
    assert "data-enter" not in page
    assert "Open now, 2 people are in" in page
    assert guests["Gus"].send(cast.board_path, name="Gus").status_code == 303

    assert moderator.say("signals", kind="admit_all").status_code == 202
    assert lobby_of(moderator) == {}
    for name in ("Fay", "Zoe"):
        assert guests[name].send(cast.board_path, name=name).status_code == 303
    assert moderator.say("signals", kind="admit", to="1111111111").status_code == 404
    assert moderator.say("signals", kind="admit").status_code == 422


def test_who_is_turned_away_is_told_so_and_may_be_admitted_after_all(cast: Cast, moderator: Player) -> None:
    guest = knock(cast)
    waiter = lobby_of(moderator)["Gus"]
    assert moderator.say("signals", kind="turn_away", to=waiter).status_code == 202
    assert roster_of(moderator)["turned_away"] == [{"id": waiter, "name": "Gus"}]
    for answer in (guest.get(again(cast)), guest.send(cast.board_path, name="Gus")):
        assert "You were not let in this time" in answer.text
        assert "You can come again when the next conversation starts." in answer.text
        assert "data-waiting" not in answer.text
    assert moderator.say("signals", kind="admit", to=waiter).status_code == 202
    assert guest.send(cast.board_path, name="Gus").status_code == 303


def test_a_place_that_lapsed_while_the_device_slept_is_taken_again(cast: Cast, moderator: Player) -> None:
    guest = knock(cast)
    channels._channels = InProcess()
    assert lobby_of(moderator) == {}
    guest.get(cast.board_path)  # only looks
    assert lobby_of(moderator) == {}
    guest.get(again(cast))
    assert list(lobby_of(moderator)) == ["Gus"]


def test_a_lobby_that_is_full_says_so(cast: Cast, moderator: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_OF_NETWORK", 1)
    knock(cast)
    answer = cast.follow(Role.GUEST).send(cast.board_path, name="Crowd")
    assert answer.status_code == 429
    assert "nobody else can wait. Try again in a few minutes." in answer.text
    assert "data-enter" not in answer.text
    assert list(lobby_of(moderator)) == ["Gus"]


def test_a_name_in_the_lobby_is_text(cast: Cast, moderator: Player) -> None:
    name = "<img src=x onerror=alert(1)>"
    knock(cast, name)
    assert list(lobby_of(moderator)) == [name]
    page = cast.sign_in("alice").get(f"/manage/rooms/{cast.board}").text
    assert name not in page
    assert html.escape(name) in page


def test_whoever_may_moderate_answers_on_the_rooms_page_and_nobody_else(cast: Cast) -> None:
    page = f"/manage/rooms/{cast.board}"
    alice, bob = cast.sign_in("alice"), cast.sign_in("bob")
    guest, other = knock(cast), knock(cast, "Fay")
    shown = alice.get(page).text
    assert "2 guests wait to be let in" in shown
    assert "Nobody is in yet. Enter the room, then let people in." in shown
    assert "Admit Gus" not in shown
    cast.join(Role.MODERATOR, name="Mo")
    shown = alice.get(page).text
    paths = dict(re.findall(r'action="([^"]+/lobby/\w+/\w+)">\s*<input[^>]*><button[^>]*aria-label="([^"]+)"', shown))
    path_of = {words: path for path, words in paths.items()}
    assert set(path_of) == {"Admit Gus", "Refuse Gus", "Admit Fay", "Refuse Fay"}
    assert "Gus" not in bob.get(page).text
    everybody = f"{page}/lobby/admission"
    for path in (*path_of.values(), everybody):
        assert bob.send(path, page).status_code == 403
        assert cast.sign_in("charlie").send(path, page).status_code == 404
    assert alice.send(path_of["Refuse Fay"], page).status_code == 303
    assert "Fay was not let in." in alice.get(page).text
    assert alice.send(everybody, page).status_code == 303
    assert "1 person can come in." in alice.get(page).text
    assert guest.send(cast.board_path, name="Gus").status_code == 303
    assert "You were not let in this time" in other.get(cast.board_path).text


def test_testing_a_link_says_that_guests_wait(cast: Cast) -> None:
    alice, links = cast.sign_in("alice"), f"/manage/rooms/{cast.board}/links"
    page = alice.get(f"{links}/{cast.link_ids[Role.GUEST]}/test").text
    assert "Waits until a moderator lets them in" in page
    assert "A moderator lets you in, and none is here yet. Press Join to wait." in page
    assert "Lets people in as Moderator" in alice.get(f"{links}/{cast.link_ids[Role.MODERATOR]}/test").text
