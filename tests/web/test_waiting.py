"""Waiting at the door: what is said with and without a script, what is kept for who pressed Join, and who sees it."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from portal import channels
from portal.admission import waiting
from portal.channels import InProcess
from portal.clock import now
from portal.db import transaction
from portal.errors import ChannelsAway
from portal.jobs import loop
from portal.rooms.models import Role
from portal.rooms.settings import WAIT_FOR_HOST
from tests.cast import CODE, Cast
from tests.servers import wait_for

SCRIPT = "wait.js"


@pytest.fixture
def _hosted(cast: Cast, app: Flask) -> None:
    """The board room lets nobody in before a moderator is there."""
    with app.app_context(), transaction():
        cast.room().room_settings = {WAIT_FOR_HOST: True}


@pytest.mark.usefixtures("_hosted")
def test_who_pressed_join_before_the_host_keeps_the_name_and_is_looked_for_again(cast: Cast) -> None:
    guest = cast.follow(Role.GUEST)
    waiting = guest.send(cast.board_path, name="Gus")
    assert waiting.status_code == 403
    assert 'data-waiting="host"' in waiting.text
    assert "data-enter" in waiting.text
    assert 'name="name" value="Gus"' in waiting.text
    again = f"{cast.board_path}?asked=1"
    assert f'http-equiv="refresh" content="10; url={again}"' in waiting.text
    assert "data-enter" in guest.get(again).text
    cast.join(Role.MODERATOR, name="Mo")
    page = guest.get(again).text
    assert "Open now, 1 person is in" in page
    assert 'value="Gus"' in page
    assert "data-enter" not in page


@pytest.mark.usefixtures("_hosted")
def test_a_code_that_was_right_waits_along_and_no_refresh_loses_it(cast: Cast) -> None:
    guest = cast.follow(Role.ATTENDEE)
    waiting = guest.send(cast.board_path, name="Att", code=CODE).text
    assert f'name="code" value="{CODE}"' in waiting
    assert "http-equiv" not in waiting
    assert "data-enter" not in guest.get(f"{cast.board_path}?asked=1").text


@pytest.mark.usefixtures("_hosted")
def test_only_where_a_script_runs_does_the_page_promise_to_come_in_by_itself(cast: Cast) -> None:
    page = cast.follow(Role.GUEST).get(cast.board_path).text
    promise = "Press Join to wait: you come in by yourself"
    assert f'data-scripted="The host is not here yet. {promise}' in page
    assert f">The host is not here yet. {promise}" not in page


def test_without_a_script_nobody_is_promised_a_sound(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.token(Role.GUEST).not_before = now() + timedelta(minutes=12)
    page = cast.follow(Role.GUEST).get(cast.board_path).text
    assert ">Keep this page open. It looks again every ten seconds" in page
    assert (
        'data-scripted="Keep this page open. It lets you join when the room opens, and you will hear a sound."' in page
    )


def test_a_full_room_is_looked_at_again(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.room().room_features = {"max_participants": 1}
    first, second = cast.join(Role.GUEST, name="First"), cast.follow(Role.GUEST)
    for page in (second.get(cast.board_path).text, second.send(cast.board_path, name="Second").text):
        assert 'data-waiting="full"' in page
        assert SCRIPT in page
        assert "data-enter" not in page  # who walked away is not taken in
    first.post(f"/rooms/{cast.board}/-/conference/departure", data={"csrf_token": first.token(cast.board_path)})
    assert SCRIPT not in second.get(cast.board_path).text


def test_who_went_back_is_not_told_that_he_is_in(cast: Cast) -> None:
    """Browsers ask for the page before they tell that the player was closed."""
    page = cast.join(Role.GUEST).get(cast.board_path).text
    assert "You are already in" not in page
    assert "This device still has its place in the room." in page
    assert SCRIPT in page


@pytest.mark.usefixtures("_hosted")
def test_a_member_who_pressed_enter_waits_for_the_host_like_a_guest(cast: Cast) -> None:
    bob, entry = cast.sign_in("bob"), f"/rooms/{cast.board}/-/entry"
    before = bob.get(entry).text
    assert ">The host is not here yet. You can enter as soon as somebody is.<" in before
    assert "data-enter" not in before  # who only opened the page is not taken in
    assert "http-equiv" not in before
    waiting = bob.send(entry)
    assert waiting.status_code == 409
    assert "Waits until a moderator is in" not in waiting.text
    assert ">The host is not here yet. This page looks again every ten seconds.<" in waiting.text
    assert 'data-waiting="host"' in waiting.text
    again = f"{entry}?asked=1"
    assert f'http-equiv="refresh" content="10; url={again}"' in waiting.text
    assert "data-enter" in bob.get(again).text
    cast.join(Role.MODERATOR, name="Mo")
    page = bob.get(again).text
    assert "You enter as Attendee" in page
    assert "data-waiting" not in page
    assert "http-equiv" not in page
    assert bob.send(entry).status_code == 303


def test_a_member_is_told_when_there_is_a_place_again_and_not_taken_in(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.room().room_features = {"max_participants": 1}
    cast.join(Role.GUEST, name="First")
    page = cast.sign_in("bob").send(f"/rooms/{cast.board}/-/entry").text
    assert 'data-waiting="full"' in page
    assert "The room is full. Try again in a moment." in page
    assert "data-enter" not in page


def told(cast: Cast, who: str = "alice") -> str:
    """What the room's status says of those at the door."""
    page = cast.sign_in(who).get(f"/manage/rooms/{cast.board}/status").text
    found = re.search(r'class="at-door">.*?<b>([^<]+)</b>', page, re.DOTALL)
    return found[1] if found else ""


@pytest.mark.usefixtures("_hosted")
def test_the_owner_sees_how_many_asked_and_wait_and_none_who_only_look(cast: Cast) -> None:
    guest, bob = cast.follow(Role.GUEST), cast.sign_in("bob")
    entry = f"/rooms/{cast.board}/-/entry"
    guest.get(cast.board_path)
    bob.get(entry)
    assert told(cast) == ""
    with cast.app.app_context():
        topic = f"room:{cast.room().uuid}"
    with channels.channels().watch(topic) as watch:
        guest.send(cast.board_path, name="Gus")
        assert watch.wait(5) == {cast.board}  # pages that show the room ask again
    assert told(cast) == "1 person"
    guest.send(cast.board_path, name="Gus")  # again, from the same device
    for _device in range(2):
        bob.send(entry)
    assert told(cast) == "2 people"
    assert told(cast, "bob") == "2 people"  # he may see who is in
    cast.join(Role.MODERATOR, name="Mo")
    assert told(cast) == ""
    assert bob.send(entry).status_code == 303
    assert guest.send(cast.board_path, name="Gus").status_code == 303
    with cast.app.app_context():
        assert waiting.count_waiting(cast.room()) == 0


@pytest.mark.usefixtures("_hosted")
def test_a_page_that_looks_again_stays_counted_and_one_that_was_closed_does_not(
    cast: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, goes = cast.follow(Role.GUEST), cast.sign_in("bob")
    monkeypatch.setattr(waiting, "WAITING_SECONDS", 2)
    goes.send(f"/rooms/{cast.board}/-/entry")
    stays.send(cast.board_path, name="Gus")
    monkeypatch.setattr(waiting, "WAITING_SECONDS", 70)
    stays.get(cast.board_path)
    wait_for(lambda: told(cast) == "1 person", seconds=10)
    assert loop.sweep(app) == 0  # who lapses at the door has no place to close
    goes.get(f"/rooms/{cast.board}/-/entry")  # came back too late, and has not asked again
    assert told(cast) == "1 person"


@pytest.mark.usefixtures("_hosted")
def test_nobody_is_kept_from_the_door_when_channels_are_away(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = cast.follow(Role.GUEST)

    def away(*_arguments: object, **_more: object) -> None:
        raise ChannelsAway

    for verb in ("set_present", "presence"):
        monkeypatch.setattr(InProcess, verb, away)
    assert "data-enter" in guest.send(cast.board_path, name="Gus").text
    assert told(cast) == ""
