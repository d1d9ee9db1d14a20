"""The recordings of a BigBlueButton server: what it lists, what it is told, and what it tells by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import sqlalchemy as sa

from portal.clock import now
from portal.db import session, transaction
from portal.media.looks import providers_to_look_at
from portal.media.models import Recording, RecordingLook, RecordingVisibility
from portal.media.operations import change_recording, delete_recording
from portal.media.telling import RENAMING_TIME, tell_service
from portal.people.actor import actor_of
from portal.providers.base import CallbackRefused, ProviderError, RawCallback, RecordingState
from portal.providers.bigbluebutton.adapter import BigBlueButtonService
from portal.rooms.models import Role
from portal.status.models import RoomSession
from portal.subscriptions.granting import set_feature
from tests.cast import Cast
from tests.conftest import BOTH
from tests.providers.bigbluebutton.conftest import bound_to
from tests.providers.bigbluebutton.kept import BbbRecording
from tests.providers.bigbluebutton.server import SECRET, BbbServer, running_bbb, token
from tests.providers.bigbluebutton.test_callbacks import HOOK, MADE, ROOM, service_with
from tests.providers.bigbluebutton.test_parameters import request
from tests.providers.bigbluebutton.world import BbbWorld, give_board_room_to

# What it lists


def test_a_recording_is_read_with_all_that_is_known(server: BbbServer, service: BigBlueButtonService) -> None:
    kept = server.record(ROOM)
    [found] = service.recordings([ROOM])
    assert (found.external, found.room_key, found.name) == (kept.id, ROOM, "Board meeting")
    assert (found.state, found.published, found.size) == (RecordingState.READY, True, 12_345_678)
    assert found.started_at == datetime.fromtimestamp(kept.began / 1000, UTC)
    assert found.ended_at is not None
    assert (found.ended_at - found.started_at).total_seconds() == 1800
    [presentation] = found.formats
    assert (presentation.type, presentation.seconds) == ("presentation", 1800)
    assert presentation.url == f"{server.url}/playback/presentation/2.3/{kept.id}"


@pytest.mark.parametrize(
    ("state", "expected", "published"),
    [
        ("processing", RecordingState.PROCESSING, False),
        ("processed", RecordingState.PROCESSING, False),
        ("published", RecordingState.READY, True),
        ("unpublished", RecordingState.READY, False),
    ],
)
def test_each_state_is_asked_for(
    server: BbbServer, service: BigBlueButtonService, state: str, expected: RecordingState, published: bool
) -> None:
    server.record(ROOM, state=state)
    [found] = service.recordings([ROOM])
    assert (found.state, found.published, bool(found.formats)) == (
        expected,
        published,
        expected is RecordingState.READY,
    )


def test_only_what_was_asked_for_counts(server: BbbServer, service: BigBlueButtonService) -> None:
    server.record(ROOM)
    server.record("of somebody else")
    server.lists_everything = True
    server.record(ROOM, state="deleted")
    assert [one.room_key for one in service.recordings([ROOM])] == [ROOM]


def test_many_rooms_are_asked_about_at_once(server: BbbServer, service: BigBlueButtonService) -> None:
    rooms = [f"019a1f2e-0000-7000-8000-{number:012}" for number in range(100)]
    for room in rooms[:3]:
        server.record(room)
    assert {one.room_key for one in service.recordings(rooms)} == set(rooms[:3])
    assert server.count("getRecordings") == 1
    assert len(server.queries[-1]) < 8_000, "servers take no longer line"


def test_a_server_without_recordings_says_so_in_two_ways(server: BbbServer, service: BigBlueButtonService) -> None:
    assert service.recordings([ROOM]) == []
    server.refuses["getRecordings"] = "noRecordings"
    assert service.recordings([ROOM]) == []


@pytest.mark.parametrize("key", ["checksumError", "notImplemented", "whatever"])
def test_a_server_that_refuses_has_told_nothing(server: BbbServer, service: BigBlueButtonService, key: str) -> None:
    server.refuses["getRecordings"] = key
    with pytest.raises(ProviderError):
        service.recordings([ROOM])


@pytest.mark.parametrize(
    "told",
    [
        "<recording/>",
        "<recording><recordID>x</recordID><meetingID>{room}</meetingID><startTime>soon</startTime></recording>",
        "<recording><meetingID>{room}</meetingID><startTime>1800000000000</startTime></recording>",
        "<recording><recordID>x</recordID><meetingID>{room}</meetingID><startTime>9999999999999999</startTime></recording>",
    ],
)
def test_what_cannot_be_kept_is_passed_over(server: BbbServer, service: BigBlueButtonService, told: str) -> None:
    listed = f"<recordings>{told.format(room=ROOM)}</recordings>"
    server.raw["getRecordings"] = 200, f"<response><returncode>SUCCESS</returncode>{listed}</response>".encode()
    assert service.recordings([ROOM]) == []


def test_a_length_of_nothing_is_not_known(server: BbbServer, service: BigBlueButtonService) -> None:
    server.record(ROOM, minutes=0)
    [found] = service.recordings([ROOM])
    assert found.formats[0].seconds is None


# What it is told


def test_a_recording_is_published_renamed_and_deleted(server: BbbServer, service: BigBlueButtonService) -> None:
    kept, other = server.record(ROOM), server.record(ROOM)
    service.publish_recording(kept.id, published=False)
    service.rename_recording(kept.id, "Zoë's & “O'Hara”")
    assert (kept.state, other.state) == ("unpublished", "published")
    assert {one.name for one in service.recordings([ROOM])} == {"Zoë's & “O'Hara”", "Board meeting"}
    service.publish_recording(kept.id, published=True)
    assert kept.state == "published"
    service.delete_recording(kept.id)
    assert server.recordings == [other]


def test_what_is_told_of_one_that_is_gone_does_nothing(service: BigBlueButtonService) -> None:
    service.publish_recording("gone", published=True)
    service.rename_recording("gone", "New")
    service.delete_recording("gone")


@pytest.mark.parametrize("call", ["publishRecordings", "updateRecordings", "deleteRecordings"])
def test_a_refusal_is_an_error(server: BbbServer, service: BigBlueButtonService, call: str) -> None:
    kept = server.record(ROOM)
    server.refuses[call] = "internalError"
    with pytest.raises(ProviderError):
        {
            "publishRecordings": lambda: service.publish_recording(kept.id, published=False),
            "updateRecordings": lambda: service.rename_recording(kept.id, "New"),
            "deleteRecordings": lambda: service.delete_recording(kept.id),
        }[call]()


# What it tells by itself


def recorded(text: str) -> RawCallback:
    body = urlencode({"signed_parameters": text}).encode()
    return RawCallback(url=HOOK, method="POST", headers={}, body=body, received_at=now())


CLAIMS = {"meeting_id": ROOM, "record_id": f"r-{MADE}"}


@pytest.mark.parametrize("secret", [SECRET, "the-secret-to-come"])
def test_a_token_signed_with_either_secret_tells_of_a_recording(secret: str) -> None:
    [report] = service_with(secret_next="the-secret-to-come").read_callback(recorded(token(CLAIMS, secret)))
    assert (report.room_key, report.external, report.recorded, report.snapshot) == (ROOM, "", True, None)


@pytest.mark.parametrize(
    "text",
    [
        token(CLAIMS, "another secret"),
        token(CLAIMS, SECRET, head={"alg": "none"}),
        token(CLAIMS, "", head={"alg": "none"}).rpartition(".")[0] + ".",
        token(CLAIMS, SECRET, head={"alg": "HS512"}, hashed="sha512"),
        token(CLAIMS, SECRET, head={"alg": "HS384"}, hashed="sha384"),
        token(CLAIMS, SECRET).rpartition(".")[0],
        token(CLAIMS, SECRET) + "x",
        "",
        "a.b.c",
        "ä" * 50,
    ],
)
def test_any_other_token_is_refused(text: str) -> None:
    with pytest.raises(CallbackRefused):
        service_with().read_callback(recorded(text))


def test_the_address_for_it_is_given_only_where_something_is_recorded(server: BbbServer) -> None:
    service = bound_to(server, callback_url="https://inside.example")
    service.start(request({"recording": True}))
    assert server.only().sent["meta_bbb-recording-ready-url"] == "https://inside.example/hooks/abc"
    server.meetings.clear()
    service.start(request({"recording": False}))
    assert "meta_bbb-recording-ready-url" not in server.only().sent


# The whole way


@pytest.fixture
def world(cast: Cast) -> Iterator[BbbWorld]:
    with running_bbb() as server:
        world = give_board_room_to(cast, server)
        with cast.app.app_context(), transaction():
            set_feature(cast.room().subscription, code="recording", value=True)
        yield world


def run_once(world: BbbWorld) -> str:
    """Somebody comes and goes; the id of the meeting."""
    _, answer = world.join(Role.GUEST)
    world.land(answer)
    meeting = world.server.only()
    assert meeting.sent["record"] == "true"
    world.ask()
    world.server.go(meeting.people[0].user_id)
    world.ask()
    return meeting.id


def recordings(world: BbbWorld) -> list[Recording]:
    return list(world.read(lambda: session.scalars(sa.select(Recording)).all()))


def tell(world: BbbWorld, text: str) -> int:
    answer = world.cast.browser().post(
        f"/hooks/{world.provider_id}",
        data=urlencode({"signed_parameters": text}),
        content_type="application/x-www-form-urlencoded",
    )
    return int(answer.status_code)


@BOTH
def test_a_recording_that_the_server_tells_of_is_there_at_once_and_what_is_decided_reaches_it(world: BbbWorld) -> None:
    meeting_id = run_once(world)
    world.work()
    assert recordings(world) == []
    with world.app.app_context(), transaction():
        session.execute(sa.update(RecordingLook).values(next_look_at=datetime(2100, 1, 1, tzinfo=UTC)))
    kept = world.server.record(meeting_id)
    said = token({"meeting_id": meeting_id, "record_id": kept.id}, SECRET)
    assert tell(world, said) == 204
    world.work()
    [found] = recordings(world)
    assert (found.external, found.state, found.published) == (kept.id, RecordingState.READY, True)
    with world.app.app_context(), transaction():
        change_recording(
            session.get_one(Recording, found.uuid),
            by=actor_of(world.cast.user("alice")),
            name="Annual",
            published=False,
            visibility=RecordingVisibility.MEMBERS,
        )
    world.work()
    assert (kept.state, kept.metadata) == ("unpublished", {"name": "Annual"})
    with world.app.app_context(), transaction():
        delete_recording(session.get_one(Recording, found.uuid), by=actor_of(world.cast.user("alice")))
    world.work()
    assert world.server.recordings == []


def test_a_token_that_the_server_did_not_sign_changes_nothing(world: BbbWorld) -> None:
    meeting_id = run_once(world)
    world.work()
    assert tell(world, token({"meeting_id": meeting_id, "record_id": "x"}, "another")) == 401
    assert world.read(providers_to_look_at) == []


@pytest.mark.parametrize("meeting_id", ["of-another-portal", "019a1f2e-0000-7000-8000-000000000009"])
def test_a_recording_of_a_room_that_was_not_held_there_is_passed_over(world: BbbWorld, meeting_id: str) -> None:
    run_once(world)
    world.work()
    assert tell(world, token({"meeting_id": meeting_id, "record_id": "x"}, SECRET)) == 204
    assert world.read(providers_to_look_at) == []


def test_the_address_that_the_server_is_given_is_the_portals_own(world: BbbWorld) -> None:
    _, answer = world.join(Role.GUEST)
    world.land(answer)
    address: Any = urlsplit(world.server.only().sent["meta_bbb-recording-ready-url"])
    assert address.path == f"/hooks/{world.provider_id}"
    assert parse_qs(address.query) == {}
    assert world.read(lambda: session.scalars(sa.select(RoomSession)).one()).provider_uuid is not None


def rename(world: BbbWorld, name: str, **decided: Any) -> None:
    with world.app.app_context(), transaction():
        recording = session.scalars(sa.select(Recording)).one()
        change_recording(recording, by=actor_of(world.cast.user("alice")), name=name, **decided)


def known(world: BbbWorld) -> BbbRecording:
    """A recording of the server that the portal knows."""
    kept = world.server.record(run_once(world))
    with world.app.app_context(), transaction():
        session.execute(sa.update(RecordingLook).values(next_look_at=now()))
    world.work()
    return kept


def ledger(world: BbbWorld) -> str:
    return unescape(world.cast.sign_in("alice").get(f"/manage/rooms/{world.cast.board}/recordings").text)


@BOTH
def test_a_server_that_cannot_rename_is_not_asked_for_ever_and_people_read_so(world: BbbWorld) -> None:
    kept = known(world)
    world.server.refuses["updateRecordings"] = "notImplemented"
    rename(world, "Annual", published=False)
    assert "Its service is being told." in ledger(world)
    world.work()
    [found] = recordings(world)
    assert (found.name, found.service_name, found.untold, found.rename_refused) == ("Annual", kept.name, False, True)
    assert kept.state == "unpublished", "what it can do it has done"
    assert f"Its service did not take this name. There it is called {kept.name}." in ledger(world)
    with world.app.app_context(), transaction():
        session.execute(sa.update(RecordingLook).values(next_look_at=now()))
    world.work()
    assert [one.name for one in recordings(world)] == ["Annual"], "its own name for it does not come back"


def test_a_name_is_tried_again_with_the_next_decision(world: BbbWorld) -> None:
    kept = known(world)
    world.server.refuses["updateRecordings"] = "notImplemented"
    rename(world, "Annual")
    world.work()
    world.server.refuses.clear()
    rename(world, "Annual meeting")
    world.work()
    [found] = recordings(world)
    assert (kept.metadata, found.rename_refused, found.untold) == ({"name": "Annual meeting"}, False, False)
    assert "Its service" not in ledger(world)


def test_a_server_that_refuses_the_secret_is_told_again(world: BbbWorld) -> None:
    known(world)
    world.server.refuses["updateRecordings"] = "checksumError"
    rename(world, "Annual")
    world.work()
    [found] = recordings(world)
    assert (found.untold, found.rename_refused) == (True, False)


def test_a_server_that_answers_nothing_of_use_is_told_for_a_week(world: BbbWorld) -> None:
    known(world)
    world.server.raw["updateRecordings"] = 404, b"<html>Not found</html>"
    rename(world, "Annual")
    world.work()
    assert [one.untold for one in recordings(world)] == [True]
    with world.app.app_context(), transaction():
        session.execute(sa.update(Recording).values(changed_at=now() - RENAMING_TIME, tell_at=now()))
        [uuid] = session.scalars(sa.select(Recording.uuid))
    with world.app.app_context():
        tell_service(uuid)
    assert [(one.untold, one.rename_refused) for one in recordings(world)] == [(False, True)]
