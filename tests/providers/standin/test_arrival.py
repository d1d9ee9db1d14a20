"""People come into a room that a service holds: by link, as members, by join ticket; or they do not, and nobody is."""

import re
import urllib.error
import urllib.request
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.admission.join_tickets import issue_join_ticket
from portal.admission.models import RoomToken
from portal.admission.visitor import Visitor
from portal.clock import now
from portal.db import session, transaction
from portal.providers import registry
from portal.providers.base import LiveState
from portal.providers.mesh.adapter import Mesh
from portal.rooms.models import Role
from portal.status.models import Driver, Ending, Participation
from portal.status.operations import leave_session
from portal.status.runs import end_session
from tests.cast import Cast
from tests.conftest import BOTH
from tests.providers.standin.adapter import StandInAdapter, StandInService
from tests.providers.standin.server import StandIn, running
from tests.providers.standin.world import World, give_board_room_to

pytestmark = BOTH


def test_a_guest_is_sent_to_the_service_and_counted_once_it_said_yes(world: World) -> None:
    _, answer = world.join(Role.GUEST, name="Gus Guest")
    world.land(answer)
    [run] = world.runs()
    [guest] = world.people()
    assert (run.driver, run.external, run.ended_at) == (Driver.PROVIDER, world.service.meeting_name(), None)
    assert world.service.people_in() == {guest.id: ("Gus Guest", "visitor")}
    assert world.status().state is LiveState.STARTING
    world.ask()
    status = world.status()
    assert (status.state, status.count, status.names) == (LiveState.LIVE, 1, ["Gus Guest"])
    assert status.counts == {
        "participants": 1,
        "moderators": 0,
        "attendees": 0,
        "guests": 1,
        "voices": 1,
        "hands": None,
    }
    assert status.labels["guests"] == "Guests"


@pytest.mark.parametrize(("role", "word"), [(Role.MODERATOR, "chair"), (Role.ATTENDEE, "member")])
def test_the_role_is_the_links_in_the_services_own_word(world: World, role: Role, word: str) -> None:
    _, answer = world.join(role, name="Ann", code="DEMO-2026" if role is Role.ATTENDEE else "")
    world.land(answer)
    assert [who for _, who in world.service.people_in().values()] == [word]


def test_a_wrong_code_asks_the_service_for_nothing(world: World) -> None:
    client = world.cast.follow(Role.ATTENDEE)
    answer = client.send(world.cast.board_path, name="Mia", code="WRONG-CODE")
    assert answer.status_code == 422
    assert "That code does not fit" in answer.text
    assert world.service.calls == []
    assert world.people(present=False) == []


@pytest.mark.parametrize("trouble", ["dead", "refuses"])
def test_a_service_that_does_not_open_the_room_admits_nobody(world: World, trouble: str) -> None:
    setattr(world.service, trouble, True)
    _, answer = world.join(Role.GUEST)
    assert answer.status_code == 503
    assert "This room cannot be opened right now. Try again in a moment." in answer.text
    assert 'value="Gus"' in answer.text, "what was typed is still there"
    assert (world.runs(), world.people(present=False)) == ([], [])
    used = world.read(lambda: session.scalars(sa.select(RoomToken.use_count).where(RoomToken.role == Role.GUEST)).all())
    assert set(used) == {0}
    setattr(world.service, trouble, False)
    _, again = world.join(Role.GUEST)
    world.land(again)


def test_a_destination_elsewhere_than_the_service_said_leads_nobody_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StandInService, "origin", "https://meet.example")
    _, answer = world.join(Role.GUEST)
    assert answer.status_code == 503
    assert world.people(present=False) == []


def test_nothing_is_held_while_a_service_is_asked(world: World) -> None:
    """SQLite has one writer, PostgreSQL locks the room: neither keeps somebody else out meanwhile."""
    written = []

    def write() -> None:
        with world.app.app_context(), transaction():
            written.append(session.execute(sa.text("UPDATE rooms SET slug = slug")))

    world.service.meanwhile.append(write)  # the service answers only after it
    assert world.join(Role.GUEST)[1].status_code == 303
    assert written


def test_only_pages_whose_forms_lead_in_say_so_in_their_policy(world: World) -> None:
    guest = world.cast.follow(Role.GUEST)
    wider = f"form-action 'self' {world.service.url};"
    assert wider in guest.get(world.cast.board_path).headers["Content-Security-Policy"]
    alice = world.cast.sign_in("alice")
    assert wider in alice.get(f"/rooms/{world.cast.board}/-/entry").headers["Content-Security-Policy"]
    for page in ("/manage/rooms", f"/manage/rooms/{world.cast.board}", "/me"):
        assert world.service.url not in alice.get(page).headers["Content-Security-Policy"]


def test_a_member_who_presses_enter_in_the_list_is_led_over_the_entrance(world: World) -> None:
    alice = world.cast.sign_in("alice")
    entrance = f"/rooms/{world.cast.board}/-/entry"
    first = alice.send(entrance, page="/manage/rooms")
    assert (first.status_code, first.location) == (303, entrance)
    page = alice.get(entrance)
    assert "data-autosubmit" in page.text
    assert "data-autosubmit" not in alice.get(entrance).text, "an address alone presses nothing"
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    world.land(alice.post(entrance, data={"csrf_token": token[1], "entrance": "1"}))
    assert [who for _, who in world.service.people_in().values()] == ["chair"]


def test_a_join_ticket_leads_to_the_service_once(world: World) -> None:
    token = world.read(lambda: world.cast.token(Role.GUEST))
    with world.app.app_context(), transaction():
        visitor = Visitor(token=token)
        _, secret = issue_join_ticket(room=world.cast.room(), visitor=visitor, name="Jun", network="192.0.2.1")
    browser = world.cast.browser()
    path = f"/rooms/{world.cast.board}/-/join-tickets"
    page = browser.get(f"{path}/{secret}", follow_redirects=True)
    assert f"form-action 'self' {world.service.url};" in page.headers["Content-Security-Policy"]
    proof = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert proof is not None
    world.service.dead = True
    assert browser.post(path, data={"csrf_token": proof[1]}).status_code == 503
    world.service.dead = False
    world.land(browser.post(path, data={"csrf_token": proof[1]}))
    assert browser.post(path, data={"csrf_token": proof[1]}).status_code in {404, 410}


def test_the_same_device_goes_on_in_its_own_participation(world: World) -> None:
    client, answer = world.join(Role.GUEST)
    world.land(answer)
    world.land(client.send(world.cast.board_path, name="Gus"))
    assert len(world.people(present=False)) == 1
    assert len(world.service.people_in()) == 1


def test_who_comes_back_from_the_service_reads_that_he_left(world: World) -> None:
    client, answer = world.join(Role.GUEST)
    world.land(answer)
    page = client.get(f"/rooms/{world.cast.board}/-/left")
    assert "You left the room." in page.text
    assert "Rejoin" in page.text


def test_who_comes_back_to_a_room_that_moved_to_a_service_is_sent_there_and_keeps_the_place(
    cast: Cast, service: StandIn
) -> None:
    client = cast.join(Role.GUEST, name="Gus")
    base = f"/rooms/{cast.board}/-/conference"
    proof = client.get(base).text.split('data-csrf="')[1].split('"')[0]
    with cast.app.app_context(), transaction():
        [lost] = session.scalars(sa.select(Participation))
        leave_session(lost, ending=Ending.LOST)
    registry.fill([Mesh([]), StandInAdapter()])
    world = give_board_room_to(cast, service)
    answer = client.post(f"{base}/return", json={"by_itself": False}, headers={"X-CSRFToken": proof})
    told = answer.json or {}
    assert (answer.status_code, told["error"]) == (200, "door")
    assert told["address"].startswith(service.url)
    assert [person.name for person in world.people()] == ["Gus"]
    assert world.runs()[-1].driver is Driver.PROVIDER


def test_who_was_removed_from_a_run_of_the_service_is_let_back_in_while_nobody_is_in(world: World) -> None:
    client, answer = world.join(Role.GUEST, name="Gus")
    world.land(answer)
    with world.app.app_context(), transaction():
        [guest] = session.scalars(sa.select(Participation))
        leave_session(guest, ending=Ending.REMOVED)
    assert 'data-waiting="removed"' in client.get(world.cast.board_path).text
    alice, page = world.cast.sign_in("alice"), f"/manage/rooms/{world.cast.board}"
    assert "Let back in: Gus" in alice.get(f"{page}/status").text
    assert alice.send(f"{page}/participations/{guest.id}/readmission", page).status_code == 303
    assert "Let back in" not in alice.get(f"{page}/status").text
    world.land(client.send(world.cast.board_path, name="Gus"))


def test_who_closes_his_page_at_the_service_is_out_after_the_next_look(world: World) -> None:
    _, first = world.join(Role.GUEST, name="One")
    _, second = world.join(Role.GUEST, name="Two")
    world.land(first)
    world.land(second)
    one, two = world.people()
    world.service.go(world.service.meeting_name(), one.id)
    world.ask()
    assert len(world.people()) == 2, "a browser may still be on its way"
    with time_machine.travel(now() + timedelta(minutes=2), tick=True):
        world.ask()
        assert [person.id for person in world.people()] == [two.id]
        assert [p.ending for p in world.people(present=False) if p.id == one.id] == [Ending.LEFT]


def test_when_the_service_says_it_is_over_the_run_ends(world: World) -> None:
    _, answer = world.join(Role.GUEST)
    world.land(answer)
    world.ask()
    world.service.meetings.clear()
    world.ask()
    [run] = world.runs()
    assert run.ended_at is not None
    assert run.most == 1
    assert world.people() == []
    assert world.status().state is LiveState.IDLE


def test_a_run_that_is_ended_here_is_ended_at_the_service_too(world: World) -> None:
    _, answer = world.join(Role.GUEST)
    world.land(answer)
    world.ask()
    world.service.dead = True
    with world.app.app_context(), transaction():
        assert end_session(world.cast.room()) == 1
    world.work()
    assert world.service.people_in() != {}, "it could not be told"
    world.service.dead = False
    world.work()
    assert (world.service.meetings, world.service.count("end")) == ({}, 2)
    world.work()
    assert world.service.count("end") == 2, "it has been told"


def test_a_service_that_is_slow_to_end_opens_no_second_run(world: World) -> None:
    _, answer = world.join(Role.GUEST)
    world.land(answer)
    with world.app.app_context(), transaction():
        end_session(world.cast.room())
    world.ask()
    assert [run.ended_at is not None for run in world.runs()] == [True]


def test_a_running_run_stays_on_the_row_that_it_started_on(world: World) -> None:
    _, first = world.join(Role.GUEST, name="One")
    world.land(first)
    with world.app.app_context(), transaction():
        room = world.cast.room()
        built_in = world.built_in()
        room.subscription.provider = built_in
    _, second = world.join(Role.GUEST, name="Two")
    world.land(second)
    assert len(world.service.people_in()) == 2
    world.service.meetings.clear()
    with time_machine.travel(now() + timedelta(minutes=2), tick=True):
        world.ask()
        _, third = world.join(Role.GUEST, name="Three")
        assert third.location.endswith("/-/conference")


def test_two_rows_of_one_type_are_two_services(world: World) -> None:
    _, first = world.join(Role.GUEST, name="One")
    world.land(first)
    world.service.meetings.clear()
    with time_machine.travel(now() + timedelta(minutes=2), tick=True):
        world.ask()
    with running() as other:
        other.calls_back = False
        second = give_board_room_to(world.cast, other)
        _, answer = second.join(Role.GUEST, name="Two")
        second.land(answer)
        assert (len(world.service.people_in()), len(other.people_in())) == (0, 1)


def test_a_participants_address_is_good_for_him_alone(world: World) -> None:
    _, answer = world.join(Role.GUEST)
    forged = answer.location.replace("visitor", "chair")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(forged, timeout=5)


def test_the_portal_checks_no_camera_for_a_service_elsewhere(world: World) -> None:
    guest = world.cast.follow(Role.GUEST)
    page = guest.get(world.cast.board_path).text
    assert "invites you to" in page
    assert "Check camera and microphone" not in page
