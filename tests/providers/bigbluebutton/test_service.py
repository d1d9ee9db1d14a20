"""A bound server at work: it makes meetings, ends them, and tells how they go on."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, fromstring

import pytest

from portal.clock import now
from portal.errors import Message
from portal.providers.base import LiveState, ProviderError, RunStatus, WatchedRoom
from portal.providers.bigbluebutton.adapter import BigBlueButtonService
from portal.providers.bigbluebutton.meetings import runs_of
from tests.providers.bigbluebutton.conftest import bound_to
from tests.providers.bigbluebutton.kept import Person
from tests.providers.bigbluebutton.server import SECRET, BbbServer
from tests.providers.bigbluebutton.test_parameters import request
from tests.providers.bigbluebutton.visits import come, query, visit

ROOM = request().room_key
NEXT = "the-secret-to-come"


def look(service: BigBlueButtonService, run: str = "") -> RunStatus:
    [found] = service.look([WatchedRoom(ROOM, run)]).runs.values()
    return found


# To make a meeting


def test_a_meeting_is_named_by_the_room_and_made_once(server: BbbServer, service: BigBlueButtonService) -> None:
    run = service.start(request())
    meeting = server.only()
    assert (meeting.id, run) == (ROOM, f"{ROOM}:{meeting.created}")
    assert service.start(request()) == run
    assert bound_to(server).start(request(name="Renamed")) == run, "another process asks for the same"
    assert len(server.meetings) == 1
    assert len(run) <= 255


def test_two_who_start_at_once_make_one_meeting(server: BbbServer) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: bound_to(server).start(request()), range(4)))
    assert len(set(runs)) == len(server.meetings) == 1


def test_passwords_are_derived_and_leaving_leads_back(server: BbbServer, service: BigBlueButtonService) -> None:
    service.start(request())
    sent = server.only().sent
    assert sent["logoutURL"] == "https://rooms.example/rooms/x/-/left"
    assert sent["attendeePW"] != sent["moderatorPW"]
    assert SECRET not in str(sent)
    end = urlsplit(sent["meta_endCallbackUrl"])
    assert f"{end.scheme}://{end.netloc}{end.path}" == "https://rooms.example/hooks/abc"


def test_the_next_meeting_of_a_room_is_another_run(server: BbbServer, service: BigBlueButtonService) -> None:
    first = service.start(request())
    server.meetings.clear()
    assert service.start(request()) != first


def test_a_meeting_that_is_only_lingering_is_not_entered(server: BbbServer, service: BigBlueButtonService) -> None:
    service.start(request())
    described = "<meetingID>%s</meetingID><createTime>1</createTime><hasBeenForciblyEnded>true</hasBeenForciblyEnded>"
    body = f"<response><returncode>SUCCESS</returncode>{described % ROOM}</response>".encode()
    server.raw["create"] = (200, body)
    with pytest.raises(ProviderError) as raised:
        service.start(request())
    assert not raised.value.permanent


def test_a_server_that_makes_another_meeting_than_it_was_asked_for_is_not_believed(
    server: BbbServer, service: BigBlueButtonService
) -> None:
    body = b"<response><returncode>SUCCESS</returncode><meetingID>other</meetingID></response>"
    server.raw["create"] = (200, body)
    with pytest.raises(ProviderError):
        service.start(request())


def test_a_server_that_does_not_tell_when_it_made_the_meeting(server: BbbServer, service: BigBlueButtonService) -> None:
    server.raw["create"] = (200, b"<response><returncode>SUCCESS</returncode></response>")
    run = service.start(request())
    assert run == f"{ROOM}:0"
    assert "createTime" not in query(service.destination(run, visit()).url)


@pytest.mark.parametrize("key", ["internalError", "checksumError", "validationError"])
def test_a_refused_meeting_is_none(server: BbbServer, service: BigBlueButtonService, key: str) -> None:
    server.refuses["create"] = key
    with pytest.raises(ProviderError):
        service.start(request())
    assert server.count("getMeetingInfo") == 0


HOOK = "https://rooms.example/hooks/abc"


def test_each_room_gets_a_hook_of_its_own_that_tells_of_its_meeting(
    server: BbbServer, service: BigBlueButtonService
) -> None:
    service.register_callbacks([ROOM], HOOK)
    assert server.hooks is not None
    [(address, asked)] = server.hooks.items()
    assert address == f"{HOOK}?room={ROOM}"
    assert asked["meetingID"] == ROOM
    assert {"meeting-ended", "user-joined", "user-left"} <= set(asked["eventID"].split(","))


def test_only_hooks_that_the_component_does_not_list_are_made(server: BbbServer, service: BigBlueButtonService) -> None:
    server.hooks = {"https://elsewhere.example/all": {"meetingID": ROOM}}
    service.register_callbacks(["room-1", "room-2"], HOOK)
    service.register_callbacks(["room-1", "room-2"], HOOK)
    assert server.count("hooks/create") == 2
    del server.hooks[f"{HOOK}?room=room-2"]
    service.register_callbacks(["room-1", "room-2"], HOOK)
    assert server.count("hooks/create") == 3
    assert len(server.hooks) == 3


def test_making_a_meeting_does_not_wait_for_the_component(server: BbbServer, service: BigBlueButtonService) -> None:
    service.start(request())
    assert not [call for call in server.calls if call.startswith("hooks")]


@pytest.mark.parametrize("raw", [(404, b"<html>"), (500, b"<html>"), (200, b"")])
def test_a_server_without_the_component_is_told_from_one_that_has_it(
    server: BbbServer, service: BigBlueButtonService, raw: tuple[int, bytes]
) -> None:
    server.raw["hooks/list"] = raw
    with pytest.raises(ProviderError):
        service.register_callbacks([ROOM], HOOK)
    assert server.count("hooks/create") == 0


# To end


def test_a_run_is_ended_and_only_this_one(server: BbbServer, service: BigBlueButtonService) -> None:
    run = service.start(request())
    service.end(run)
    assert server.meetings == []
    service.end(run)
    assert server.count("end") == 1, "it had ended already"
    service.start(request())
    service.end(run)
    assert len(server.meetings) == 1, "what goes on there is another run"


def test_a_full_meeting_and_one_made_under_the_secret_before_are_ended_too(server: BbbServer) -> None:
    run = bound_to(server).start(request())
    server.only().people = [Person(f"g-{number}", f"Person {number}", "VIEWER", guest=True) for number in range(500)]
    server.secrets = [NEXT]
    bound_to(server, secret=NEXT).end(run)
    assert server.meetings == []


def test_a_run_that_lingers_is_not_ended_again(server: BbbServer, service: BigBlueButtonService) -> None:
    server.lingers = True
    run = service.start(request())
    service.end(run)
    service.end(run)
    assert server.count("end") == 1


def test_an_end_that_fails_says_so(server: BbbServer, service: BigBlueButtonService) -> None:
    run = service.start(request())
    server.refuses["end"] = "internalError"
    with pytest.raises(ProviderError):
        service.end(run)
    server.refuses["end"] = "notFound"
    service.end(run)


# To tell how it goes on


def test_the_three_states_of_a_meeting(server: BbbServer, service: BigBlueButtonService) -> None:
    assert service.look([WatchedRoom(ROOM, "")]).runs == {}
    run = service.start(request())
    made = look(service)
    assert (made.external, made.snapshot.state, made.snapshot.headline) == (run, LiveState.STARTING, 0)
    come(service, run, visit())
    live = look(service).snapshot
    assert (live.state, live.headline) == (LiveState.LIVE, 1)
    assert live.since is not None
    server.lingers = True
    server.end(server.only())
    assert look(service).snapshot.state is LiveState.ENDING


def test_figures_are_counted_by_who_somebody_is_here(server: BbbServer, service: BigBlueButtonService) -> None:
    run = service.start(request())
    come(service, run, visit("moderator", "p1", "Mo"), visit("attendee", "p2", "Ann"))
    come(service, run, visit("guest", "p3", "Gus"), visit("guest", "p4", "Pat"))
    people = server.only().people
    people[0].voice = people[1].voice = people[1].video = True
    people[3].role = "MODERATOR"  # promoted by a moderator
    snapshot = look(service).snapshot
    assert {count.key: count.value for count in snapshot.counts} == {
        "participants": 4,
        "moderators": 2,
        "attendees": 1,
        "guests": 1,
        "voices": 2,
        "videos": 1,
    }
    assert all(isinstance(count.label, Message) and count.label for count in snapshot.counts)
    assert snapshot.names == ("Mo", "Ann", "Gus", "Pat")
    assert snapshot.present == frozenset({"p1", "p2", "p3", "p4"})


def test_a_server_that_lists_nobody_still_tells_how_many(server: BbbServer, service: BigBlueButtonService) -> None:
    server.lists_people = False
    run = service.start(request())
    come(service, run, visit("moderator", "p1"), visit("guest", "p2"))
    snapshot = look(service).snapshot
    assert (snapshot.headline, snapshot.present) == (2, None)
    figures = {count.key: count.value for count in snapshot.counts}
    assert (figures["moderators"], figures["attendees"], figures["guests"]) == (1, None, None)


def test_rooms_that_were_not_asked_for_are_left_out(server: BbbServer, service: BigBlueButtonService) -> None:
    server.create({"name": "Somebody else's", "meetingID": "not-ours"})
    service.start(request())
    assert set(service.look([WatchedRoom(ROOM, "")]).runs) == {ROOM}
    assert service.look([WatchedRoom("another", "")]).runs == {}


def test_hundreds_of_rooms_take_one_request(server: BbbServer, service: BigBlueButtonService) -> None:
    keys = [f"room-{number:04}" for number in range(500)]
    for key in keys:
        meeting, _ = server.create({"name": "Room", "meetingID": key})
        assert meeting is not None
    assert set(service.look([WatchedRoom(key, "") for key in keys]).runs) == set(keys)
    assert server.calls == ["getMeetings"]


def meetings(*described: str) -> Element:
    listed = "".join(f"<meeting>{one}</meeting>" for one in described)
    return fromstring(f"<response><meetings>{listed}</meetings></response>")


def test_of_meetings_with_one_id_the_newest_that_lives_counts() -> None:
    ended = "<meetingID>a</meetingID><createTime>9</createTime><hasBeenForciblyEnded>true</hasBeenForciblyEnded>"
    lives = "<meetingID>a</meetingID><createTime>%d</createTime>"
    for order in ((ended, lives % 5, lives % 7), (lives % 7, lives % 5, ended)):
        assert runs_of(meetings(*order), {"a"}, now())["a"].external == "a:7"


@pytest.mark.parametrize(
    "lie",
    [
        "<participantCount>-5</participantCount>",
        "<participantCount>many</participantCount>",
        "<participantCount>99999999999999999999999</participantCount>",
        "<startTime>99999999999999999999</startTime><participantCount>1</participantCount>",
        "<startTime>9999999999999999</startTime><participantCount>1</participantCount>",
        "<createTime>soon</createTime>",
        "<attendees><attendee/></attendees>",
        "<attendees>x</attendees><attendees/>",
        f"<attendees><attendee><userID>{'x' * 5000}</userID><fullName>{'y' * 5000}</fullName></attendee></attendees>",
    ],
)
def test_a_lie_about_one_meeting_is_read_as_far_as_it_makes_sense(lie: str) -> None:
    found = runs_of(meetings(f"<meetingID>a</meetingID>{lie}", "", "<meetingID>b</meetingID>"), {"a", "b"}, now())
    assert set(found) == {"a", "b"}
    snapshot = found["a"].snapshot
    assert snapshot.headline >= 0
    assert all(len(name) <= 300 for name in snapshot.names)
