"""Who may be recorded reads so before he joins; and nothing is recorded for which there is no place."""

import re
from html import unescape
from typing import Any

import pytest

from portal.admission.join_tickets import issue_join_ticket
from portal.admission.visitor import Visitor
from portal.db import db, transaction
from portal.media.capacity import has_place_for_recording
from portal.providers.base import RecordingMode
from portal.rooms.models import Role
from portal.status.runs import end_session
from portal.status.service_calls import start_room
from portal.subscriptions.granting import set_feature
from tests.cast import Cast, Client, new_recording
from tests.conftest import BOTH
from tests.providers.bigbluebutton.server import BbbServer
from tests.providers.bigbluebutton.world import BbbWorld, give_board_room_to
from tests.statements import statements

MAY, IS, NOT = "This conversation may be recorded", "This conversation is recorded", "Not recorded."


@pytest.fixture
def world(cast: Cast, server: BbbServer) -> BbbWorld:
    world = give_board_room_to(cast, server)
    grant(world, recording=True)
    return world


def grant(world: BbbWorld, **features: int | bool | None) -> None:
    with world.app.app_context(), transaction():
        for code, value in features.items():
            set_feature(world.cast.room().subscription, code=code, value=value)


def choose(world: BbbWorld, features: dict[str, Any] | None = None, /, **settings: Any) -> None:
    with world.app.app_context(), transaction():
        room = world.cast.room()
        room.room_settings, room.room_features = settings, features or {}


def keep(world: BbbWorld, room_id: str | None = None) -> None:
    """There is one more recording."""
    with world.app.app_context(), transaction():
        new_recording(room=world.cast.room(room_id))


def said(page: str) -> str:
    """What the page says about recording."""
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    return next((words for words in (MAY, IS, NOT) if words in text), "")


def at_the_door(world: BbbWorld) -> str:
    return said(world.cast.follow(Role.GUEST).get(world.cast.board_path).text)


# Before joining


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, MAY),
        ({"auto_start_recording": True}, IS),
        ({"auto_start_recording": True, "allow_start_stop_recording": False}, IS),
        ({"allow_start_stop_recording": False}, NOT),
    ],
)
def test_the_join_page_says_what_the_settings_bring(world: BbbWorld, settings: dict[str, bool], words: str) -> None:
    choose(world, None, **settings)
    assert at_the_door(world) == words


def test_the_button_refers_to_what_is_said(world: BbbWorld) -> None:
    page = world.cast.follow(Role.GUEST).get(world.cast.board_path).text
    assert re.search(r'<p class="door-recorded" id="recorded">', page)
    assert re.search(r'<button class="go" type="submit" aria-describedby="recorded">', page)


def test_where_plan_or_room_grant_none_nothing_is_said_but_that(world: BbbWorld) -> None:
    choose(world, {"recording": False}, auto_start_recording=True)
    assert at_the_door(world) == NOT
    choose(world, auto_start_recording=True)
    grant(world, recording=False)
    assert at_the_door(world) == NOT


def test_a_conference_that_goes_on_counts_as_it_began(world: BbbWorld) -> None:
    world.land(world.join(Role.GUEST)[1])
    choose(world, {"recording": False})
    assert at_the_door(world) == MAY, "the server goes on with what it was told"
    with world.app.app_context(), transaction():
        end_session(world.cast.room())
    assert at_the_door(world) == NOT


def test_one_that_was_not_to_be_recorded_is_not_whatever_is_set_meanwhile(world: BbbWorld) -> None:
    choose(world, {"recording": False})
    world.land(world.join(Role.GUEST)[1])
    choose(world, auto_start_recording=True)
    assert at_the_door(world) == NOT


@BOTH
def test_the_join_page_takes_no_statement_more(world: BbbWorld) -> None:
    grant(world, max_recordings=5)
    keep(world)
    guest = world.cast.follow(Role.GUEST)
    guest.get(world.cast.board_path)
    with world.app.app_context():
        engine = db.engine
    with statements(engine) as seen:
        assert said(guest.get(world.cast.board_path).text) == MAY
    assert len(seen) <= 2, seen


def test_a_join_ticket_waits_for_a_person_where_he_may_be_recorded(world: BbbWorld) -> None:
    def page() -> str:
        with world.app.app_context(), transaction():
            room, visitor = world.cast.room(), Visitor(token=world.cast.token(Role.GUEST))
            _, secret = issue_join_ticket(room=room, visitor=visitor, name="Gus", network="192.0.2.1")
        browser = world.cast.browser()
        return str(browser.get(browser.get(f"/rooms/{world.cast.board}/-/join-tickets/{secret}").location).text)

    recorded = page()
    assert said(recorded) == MAY
    assert "data-autosubmit" not in recorded
    choose(world, {"recording": False})
    assert said(page()) == NOT
    assert "data-autosubmit" in page()


def entered_from_the_list(client: Client, world: BbbWorld) -> str:
    """The page that somebody reads who has pressed Enter elsewhere."""
    path = f"/rooms/{world.cast.board}/-/entry"
    assert client.send(path, page="/manage/rooms").status_code == 303
    return client.get(path).text


def test_members_read_it_too_and_only_moderators_are_not_stopped_by_it(world: BbbWorld) -> None:
    page = entered_from_the_list(world.cast.sign_in("alice"), world)
    assert said(page) == MAY
    assert "data-autosubmit" in page


# No place


def test_without_a_place_nothing_is_recorded_guests_are_told_so_and_owners_why(world: BbbWorld) -> None:
    grant(world, max_recordings=2)
    keep(world)
    alice, room = world.cast.sign_in("alice"), f"/manage/rooms/{world.cast.board}"
    assert at_the_door(world) == MAY
    assert "New sessions are not recorded" not in alice.get(room).text
    keep(world, world.cast.open_house)
    assert at_the_door(world) == NOT
    for path in (room, f"{room}/recordings"):
        assert "New sessions are not recorded: all 2 recordings of this plan are in use." in alice.get(path).text
    world.land(world.join(Role.GUEST)[1])
    assert world.server.only().sent["record"] == "false"
    assert [run.recording for run in world.runs()] == [RecordingMode.OFF]


def test_a_room_that_asks_for_less_has_its_own_limit(world: BbbWorld) -> None:
    grant(world, max_recordings=None)
    choose(world, {"max_recordings": 1})
    keep(world, world.cast.open_house)
    assert at_the_door(world) == MAY
    keep(world)
    assert at_the_door(world) == NOT
    page = world.cast.sign_in("alice").get(f"/manage/rooms/{world.cast.board}").text
    assert "this room has the one recording that it may keep" in page


@pytest.mark.parametrize(
    ("features", "narrowed", "words"),
    [
        ({"max_recordings": 0}, {}, "the plan allows no recordings"),
        ({"max_recordings": 5}, {"max_recordings": 0}, "this room may keep no recordings"),
    ],
)
def test_a_limit_of_none_is_said_as_such(
    world: BbbWorld, features: dict[str, int], narrowed: dict[str, int], words: str
) -> None:
    grant(world, **features)
    choose(world, narrowed)
    assert words in world.cast.sign_in("alice").get(f"/manage/rooms/{world.cast.board}").text


def test_a_conference_that_took_the_last_place_keeps_it(world: BbbWorld) -> None:
    grant(world, max_recordings=1)
    world.land(world.join(Role.GUEST)[1])
    assert [run.recording for run in world.runs()] == [RecordingMode.BY_HAND]
    keep(world)
    assert at_the_door(world) == MAY


def test_a_program_that_starts_the_room_is_told_the_same(world: BbbWorld) -> None:
    grant(world, max_recordings=1)
    keep(world)
    with world.app.app_context(), transaction():
        room = world.cast.room()
        assert not has_place_for_recording(room)
        run = start_room(room, by=None, has_place=has_place_for_recording(room))
        assert run.recording is RecordingMode.OFF
    assert world.server.only().sent["record"] == "false"


def test_where_nothing_is_recorded_nobody_is_told_of_places(world: BbbWorld) -> None:
    grant(world, max_recordings=1)
    choose(world, {"recording": False})
    keep(world)
    assert "New sessions" not in world.cast.sign_in("alice").get(f"/manage/rooms/{world.cast.board}").text
