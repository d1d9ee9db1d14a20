"""Rooms that a BigBlueButton server holds, all the way: from a link into the meeting, and what owners and staff see."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from portal.db import session, transaction
from portal.providers import fetch
from portal.providers.base import LiveState
from portal.rooms.models import Role, Room
from portal.status.models import Driver, RoomStatus
from portal.status.runs import end_session
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.queries import get_provider
from portal.subscriptions.service_providers import create_provider
from tests.cast import Cast, Client
from tests.conftest import BOTH
from tests.providers.bigbluebutton.server import SECRET, BbbServer, running_bbb
from tests.providers.bigbluebutton.world import BbbWorld, allow_loopback, give_board_room_to

pytestmark = BOTH


def set_on_board(world: BbbWorld, **settings: Any) -> None:
    with world.app.app_context(), transaction():
        room = world.cast.room()
        room.room_settings = {**room.room_settings, **settings}


def sent(world: BbbWorld) -> dict[str, str]:
    return world.server.only().sent


# From a link into the meeting


def test_a_guest_follows_a_link_and_is_in_the_meeting_as_a_guest(world: BbbWorld) -> None:
    _, answer = world.join(Role.GUEST, name="Gus Guest")
    world.land(answer)
    [run], [guest], [person] = world.runs(), world.people(), world.server.only().people
    assert (run.driver, run.ended_at) == (Driver.PROVIDER, None)
    assert run.external == f"{world.server.only().id}:{world.server.only().created}"
    assert (person.user_id, person.name, person.role, person.guest) == (f"g-{guest.id}", "Gus Guest", "VIEWER", True)
    assert sent(world)["meetingID"] == str(world.read(lambda: world.cast.room().uuid))
    assert sent(world)["logoutURL"].endswith(f"/rooms/{world.cast.board}/-/left")


@pytest.mark.parametrize(
    ("role", "word", "prefix"), [(Role.MODERATOR, "MODERATOR", "m-"), (Role.ATTENDEE, "VIEWER", "a-")]
)
def test_the_links_role_is_that_in_the_meeting(world: BbbWorld, role: Role, word: str, prefix: str) -> None:
    _, answer = world.join(role, name="Ann", code="DEMO-2026" if role is Role.ATTENDEE else "")
    world.land(answer)
    [person] = world.server.only().people
    assert (person.role, person.user_id[:2], person.guest) == (word, prefix, False)


def test_a_member_enters_as_moderator(world: BbbWorld) -> None:
    alice = world.cast.sign_in("alice")
    entrance = f"/rooms/{world.cast.board}/-/entry"
    page = alice.get(entrance).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    world.land(alice.post(entrance, data={"csrf_token": token[1], "entrance": "1"}))
    assert [person.role for person in world.server.only().people] == ["MODERATOR"]


def test_the_join_page_lets_its_form_lead_to_the_server(world: BbbWorld) -> None:
    policy = world.cast.follow(Role.GUEST).get(world.cast.board_path).headers["Content-Security-Policy"]
    assert f"form-action 'self' {world.server.url};" in policy


def test_a_balancer_may_lead_on_to_its_servers(cast: Cast, server: BbbServer) -> None:
    world = give_board_room_to(cast, server, provider_type="scalelite")
    policy = cast.follow(Role.GUEST).get(cast.board_path).headers["Content-Security-Policy"]
    assert f"form-action 'self' {server.url} http:;" in policy
    _, answer = world.join(Role.GUEST)
    world.land(answer)


def test_a_room_is_held_as_its_settings_and_features_say(world: BbbWorld) -> None:
    set_on_board(world, mute_on_start=True, meeting_layout="VIDEO_FOCUS", banner_text="Ä & <b>", external_videos=False)
    with world.app.app_context(), transaction():
        room = world.cast.room()
        room.room_features = {**room.room_features, "max_participants": 7, "private_chat": False}
    world.land(world.join(Role.GUEST)[1])
    found = sent(world)
    assert (found["muteOnStart"], found["meetingLayout"], found["bannerText"]) == ("true", "VIDEO_FOCUS", "Ä & <b>")
    assert found["maxParticipants"] == "7"
    assert {"externalVideos", "privateChat"} <= set(found["disabledFeatures"].split(","))
    assert found["record"] == "false"


def test_guests_of_whom_moderators_are_asked_are_asked_about_in_the_meeting(world: BbbWorld) -> None:
    set_on_board(world, guest_policy="ask")
    world.land(world.join(Role.GUEST)[1])
    assert sent(world)["guestPolicy"] == "ASK_MODERATOR"


def test_guests_who_are_refused_are_refused_at_the_door(world: BbbWorld) -> None:
    set_on_board(world, guest_policy="refuse")
    guest = world.cast.follow(Role.GUEST)
    assert 'name="name"' not in guest.get(world.cast.board_path).text
    assert world.server.calls == []


def test_who_has_to_wait_for_a_moderator_waits_here_and_no_meeting_is_made(world: BbbWorld) -> None:
    set_on_board(world, wait_for_host=True)
    guest, answer = world.join(Role.GUEST)
    assert answer.status_code != 303 or "bigbluebutton" not in answer.location
    assert "data-waiting" in guest.get(world.cast.board_path).text
    assert world.server.meetings == []
    world.land(world.join(Role.MODERATOR, name="Mo")[1])
    world.land(guest.send(world.cast.board_path, name="Gus"))
    assert [person.name for person in world.server.only().people] == ["Mo", "Gus"]


# What goes wrong


TROUBLES: dict[str, dict[str, Any]] = {
    "dead": {"dead": True},
    "refuses": {"refuses": {"create": "internalError"}},
    "another secret": {"secrets": ["another"]},
    "html": {"raw": {"create": (500, b"<html><h1>Error</h1><script>alert(1)</script></html>")}},
    "a page": {"raw": {"create": (200, b"<html><p>Hello</p></html>")}},
    "a bomb": {"raw": {"create": (200, b'<!DOCTYPE r [<!ENTITY a "b">]><response><returncode>SUCCESS</returncode></response>')}},
    "oversized": {"raw": {"create": (200, b"<response>" + b"x" * 100_000 + b"</response>")}},
    "busy": {"raw": {"create": (429, b"slow down")}},
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_room_that_cannot_be_opened_says_so_and_nobody_is_half_way_in(world: BbbWorld, trouble: str) -> None:
    for name, value in TROUBLES[trouble].items():
        setattr(world.server, name, value)
    client, answer = world.join(Role.GUEST)
    assert answer.status_code == 503
    assert "This room cannot be opened right now. Try again in a moment." in answer.text
    assert "<script>alert" not in answer.text
    assert (world.runs(), world.people(present=False)) == ([], [])
    health = world.read(lambda: get_provider(world.provider_id))
    assert health.last_error
    world.server.dead, world.server.refuses, world.server.raw = False, {}, {}
    world.server.secrets = [SECRET]
    world.land(client.send(world.cast.board_path, name="Gus"))


def test_a_slow_server_holds_no_one_else_up(world: BbbWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LONGEST_SECONDS", 0.4)
    world.server.hangs = True
    _, answer = world.join(Role.GUEST)
    assert answer.status_code == 503
    assert world.read(lambda: get_provider(world.provider_id)).last_error == "The answer took too long."


def test_a_server_in_a_network_that_the_operator_did_not_name_is_not_called(world: BbbWorld) -> None:
    fetch.use(private=True, plain=True)
    assert world.join(Role.GUEST)[1].status_code == 503
    assert world.server.calls == []


def test_two_who_come_at_once_find_one_meeting_and_one_run(world: BbbWorld) -> None:
    uuid = str(world.read(lambda: world.cast.room().uuid))

    def somebody_else_starts() -> None:
        world.land(world.join(Role.MODERATOR, name="Mo")[1])

    world.server.meanwhile.append(somebody_else_starts)
    world.land(world.join(Role.GUEST)[1])
    assert world.server.only().id == uuid
    assert [run.ended_at for run in world.runs()] == [None]
    assert {person.name for person in world.server.only().people} == {"Mo", "Gus"}


# What owners and staff see


def test_the_owner_sees_live_figures_with_their_labels(world: BbbWorld) -> None:
    world.land(world.join(Role.MODERATOR, name="Mo")[1])
    world.land(world.join(Role.GUEST, name="Gus")[1])
    world.server.only().people[0].voice = True
    world.ask()
    status = world.status()
    assert (status.state, status.count) == (LiveState.LIVE, 2)
    page = world.cast.sign_in("alice").get(f"/manage/rooms/{world.cast.board}/status").text
    page = re.sub(r">\s+|\s+<", lambda gap: gap[0].strip(), page)
    assert "<dt>Microphones on</dt><dd>1</dd>" in page
    assert "<dt>Cameras on</dt><dd>0</dd>" in page
    assert "Gus" in page


def test_a_run_that_is_ended_here_is_ended_there(world: BbbWorld) -> None:
    world.land(world.join(Role.GUEST)[1])
    with world.app.app_context(), transaction():
        assert end_session(world.cast.room()) == 1
    world.work()
    assert world.server.meetings == []
    world.land(world.join(Role.GUEST, name="Again")[1])
    assert [run.ended_at is None for run in world.runs()] == [False, True]


def test_a_meeting_that_lingers_after_its_end_opens_no_second_run(world: BbbWorld) -> None:
    world.server.lingers = True
    world.land(world.join(Role.GUEST)[1])
    with world.app.app_context(), transaction():
        end_session(world.cast.room())
    world.work()
    world.ask()
    assert [run.ended_at is not None for run in world.runs()] == [True]


def test_a_meeting_to_which_nobody_came_is_made_again_for_the_next(world: BbbWorld) -> None:
    assert world.join(Role.GUEST)[1].status_code == 303
    world.server.meetings.clear()  # as servers do after five minutes
    world.ask()
    assert world.runs()[0].ended_at is not None
    world.land(world.join(Role.GUEST)[1])
    assert [run.ended_at is None for run in world.runs()] == [False, True]


def test_many_rooms_of_one_server_are_asked_about_by_one_request(world: BbbWorld) -> None:
    world.land(world.join(Role.GUEST)[1])
    with world.app.app_context(), transaction():
        board = world.cast.room()
        rooms = session.scalars(sa.select(Room).where(Room.subscription_uuid == board.subscription_uuid)).all()
        held = [room.uuid for room in rooms]
        for uuid in held:
            if session.get(RoomStatus, uuid) is None:
                session.add(
                    RoomStatus(
                        room_uuid=uuid, version=0, count=0, counts={}, labels={}, names=[], misses=0, stale=False,
                        state=LiveState.IDLE, checked_at=board.created_at, next_look_at=board.created_at,
                    )
                )  # fmt: skip
    assert len(held) > 1
    world.server.calls.clear()
    assert world.ask() == len(held)
    assert world.server.calls == ["getMeetings"]


def test_no_secret_password_or_address_for_joining_is_stored_or_logged(world: BbbWorld) -> None:
    with structlog.testing.capture_logs() as logged:
        _, answer = world.join(Role.GUEST)
        world.land(answer)
        world.ask()
    found = sent(world)
    hidden = [SECRET, found["attendeePW"], found["moderatorPW"], answer.location.split("checksum=")[1]]
    with world.app.app_context(), transaction():
        tables = session.get_bind()
        dump = str(logged)
        for table in sa.inspect(tables).get_table_names():
            dump += str(session.execute(sa.text(f'SELECT * FROM "{table}"')).all())
    assert [one for one in hidden if one in dump] == []


def test_owners_choose_what_such_a_server_can_do_and_read_when_it_counts(world: BbbWorld) -> None:
    alice, address = world.cast.sign_in("alice"), f"/manage/rooms/{world.cast.board}/settings"
    page = alice.get(address).text
    assert "Changes count from the next one." in page
    for words in ("Layout", "Banner", "Only moderators have cameras", "Cameras of one person"):
        assert words in page
    answer = alice.send(
        address, room_name="Board meeting", meeting_layout="CAMERAS_ONLY", user_camera_cap="2", active="y"
    )
    assert answer.status_code == 303, answer.text
    world.land(world.join(Role.GUEST)[1])
    assert (sent(world)["meetingLayout"], sent(world)["userCameraCap"]) == ("CAMERAS_ONLY", "2")


# The pages of services


NEW = "/admin/services/new?kind=bigbluebutton"


@pytest.fixture
def ada(cast: Cast, server: BbbServer) -> Client:
    allow_loopback()
    return cast.sign_in("admin")


def fields(server: BbbServer, **changed: str) -> dict[str, str]:
    return {
        "provider_name": "Meet",
        "service_type": "meet",
        "host_url": f"{server.url}/bigbluebutton",
        "secret": SECRET,
        "checksum": "sha256",
        "hooks_auth": "checksum",
        **changed,
    }


def test_staff_connect_a_server_after_a_test(cast: Cast, ada: Client, server: BbbServer) -> None:
    tested = ada.send(NEW, **fields(server), test="y")
    assert "The service answers." in tested.text
    assert "3.0.4" in tested.text
    answer = ada.send(NEW, **fields(server))
    assert answer.status_code == 303, answer.text
    page = ada.get(answer.location).text
    assert "BigBlueButton" in page
    assert SECRET not in page
    told = ada.send(f"{answer.location}/test", answer.location)
    assert "3.0.4" in ada.get(told.location).text


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"secret": "wrong"}, "secret", "refuses this secret"),
        ({"host_url": "http://127.0.0.1:65531"}, "host_url", "cannot be reached"),
        ({"host_url": "https://10.1.2.3/"}, "host_url", "private network"),
        ({"host_url": "http://8.8.8.8/"}, "host_url", "https://"),
        ({"host_url": "https://meet.example/?a=b"}, "host_url", "Leave out"),
    ],
)
def test_a_failed_test_blames_the_right_field(
    ada: Client, server: BbbServer, changed: dict[str, str], field: str, words: str
) -> None:
    answer = ada.send(NEW, **fields(server, **changed), test="y")
    assert answer.status_code == 422
    assert words in answer.text.split(f'id="error-{field}"')[1][:600]


def test_programs_may_write_the_short_name_of_the_type(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        made = create_provider(
            provider_name="Short", provider_type="bbb", properties={"host_url": "https://m.example", "secret": "s"}
        )
        assert made.provider_type == "bigbluebutton"


def test_two_rows_are_two_servers(world: BbbWorld) -> None:
    world.land(world.join(Role.GUEST, name="One")[1])
    world.server.meetings.clear()
    world.ask()
    with running_bbb() as other:
        second = give_board_room_to(world.cast, other)
        second.land(second.join(Role.GUEST, name="Two")[1])
        assert (len(world.server.meetings), len(other.meetings)) == (0, 1)
    assert world.read(lambda: len(session.scalars(sa.select(ServiceProvider)).all())) >= 3
