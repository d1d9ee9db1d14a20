"""How recordings come from a service, and what is decided about them goes to it, whatever the service is like."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session, transaction
from portal.media.finding import look_for_recordings
from portal.media.looks import LOOK_LEASE, NEW_FOR, providers_to_look_at
from portal.media.models import Recording, RecordingLook, RecordingVisibility
from portal.media.operations import change_recording, delete_recording, delete_with_rooms, lock_recording
from portal.media.telling import recordings_to_tell, tell_service
from portal.people.actor import actor_of
from portal.providers.base import RecordingState
from portal.rooms.models import Role, Room
from tests.conftest import BOTH
from tests.providers.standin.world import World

pytestmark = BOTH


def in_app(world: World, what: Callable[[], Any]) -> Any:
    with world.app.app_context():
        return what()


def look(world: World) -> None:
    """The service is asked now."""
    world.expect()
    world.work()


def decide(world: World, **decided: Any) -> None:
    """Alice changes the one recording."""
    with world.app.app_context(), transaction():
        recording = session.scalars(sa.select(Recording)).one()
        known = {name: getattr(recording, name) for name in ("name", "published", "visibility")}
        lock_recording(recording)
        change_recording(recording, by=actor_of(world.cast.user("alice")), **{**known, **decided})


def delete(world: World) -> None:
    with world.app.app_context(), transaction():
        recording = session.scalars(sa.select(Recording)).one()
        lock_recording(recording)
        delete_recording(recording, by=actor_of(world.cast.user("alice")))


def actions(world: World) -> list[str]:
    query = sa.select(AuditEvent.action).where(AuditEvent.thing == "recordings").order_by(AuditEvent.at)
    return list(world.read(lambda: session.scalars(query).all()))


def later(**how_much: float) -> Any:
    return time_machine.travel(now() + timedelta(**how_much), tick=True)


def test_a_recording_is_found_after_its_run_has_ended(world: World) -> None:
    client, answer = world.join(Role.GUEST)
    world.land(answer)
    world.ask()
    assert client is not None
    world.service.record(str(world.read(lambda: world.cast.room().uuid)))
    world.service.meetings.clear()
    assert world.recordings() == []
    world.ask()
    world.work()
    recording = world.recording()
    assert recording.room is not None
    assert recording.room.id == world.cast.board
    assert (recording.state, recording.name, recording.published) == (RecordingState.READY, "Board meeting", True)
    assert recording.visibility is RecordingVisibility.OWNER, "nobody is shown it whom nobody chose"
    assert (recording.duration, recording.size) == (1800, 12_000_000)
    assert [one["type"] for one in recording.formats] == ["video"], "a browser opens nothing else"
    assert recording.formats[0]["url"].startswith(world.service.url)
    assert recording.formats[0]["length"] == 1800


def test_a_room_that_is_recorded_is_not_changed_by_that(world: World) -> None:
    before = world.read(world.cast.room)
    world.record()
    world.work()
    after = world.read(world.cast.room)
    assert (before.first_recorded_at, before.updated_at) == (None, after.updated_at)
    assert after.first_recorded_at is not None


def test_a_run_of_the_portals_own_pages_has_no_service_asked(world: World) -> None:
    with world.app.app_context(), transaction():
        world.cast.room().subscription.provider = world.built_in()
    world.cast.join(Role.GUEST)
    alice = world.cast.sign_in("alice")
    assert alice.send(f"/manage/rooms/{world.cast.board}/ending").status_code == 303
    assert world.read(lambda: session.scalar(sa.select(sa.func.count()).select_from(RecordingLook))) == 0


def test_the_recordings_of_other_rooms_are_passed_over(world: World) -> None:
    world.record()
    house = str(world.read(lambda: world.cast.room(world.cast.open_house).uuid))
    world.service.record(house, name="Of another room")
    world.service.record("somebody-elses", name="Of another portal")
    world.service.tells_everything = True
    world.work()
    assert [(one.room and one.room.id, one.name) for one in world.recordings()] == [(world.cast.board, "Board meeting")]


def test_a_service_is_asked_once_for_all_its_rooms(world: World) -> None:
    world.record()
    with world.app.app_context(), transaction():
        known = session.scalars(sa.select(RecordingLook)).one()
        house = world.cast.room(world.cast.open_house).uuid
        session.add(RecordingLook(room_uuid=house, provider_uuid=known.provider_uuid, next_look_at=now()))
    world.work()
    assert world.service.count("recordings") == 1


def test_several_jobs_ask_once(world: World) -> None:
    world.record()
    [provider] = in_app(world, providers_to_look_at)

    def ask() -> int:
        with world.app.app_context():
            return look_for_recordings(provider)

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask) for _ in range(4)]
        assert sorted(one.result() for one in asked) == [0, 0, 0, 1]
    assert world.service.count("recordings") == 1
    assert len(world.recordings()) == 1


def test_one_that_is_processed_becomes_ready_and_that_is_told_once(world: World) -> None:
    kept = world.record(state="busy", published=False)
    world.work()
    assert (world.recording().state, actions(world)) == (RecordingState.PROCESSING, [])
    kept.state, kept.published = "done", True
    for _ in range(2):
        look(world)
    assert (world.recording().state, world.recording().published) == (RecordingState.READY, True)
    assert actions(world) == ["recording.ready"]


def test_one_that_fails_says_so(world: World) -> None:
    world.record(state="broken")
    world.work()
    assert (world.recording().state, world.recording().formats) == (RecordingState.FAILED, [])
    assert world.recording().error
    assert actions(world) == []


def test_a_lying_service_fills_no_row_and_leads_nowhere(world: World) -> None:
    world.record()
    world.service.lying = True
    world.work()
    recording = world.recording()
    assert len(recording.name) <= 200
    assert recording.name.isprintable()
    assert recording.size is None
    assert 0 < len(recording.formats) <= 10
    assert all(one["url"] == "https://ok.example/" for one in recording.formats)
    assert all(one["length"] is None and len(one["type"]) <= 40 for one in recording.formats)


def test_a_service_tells_one_recording_of_two_rooms_in_vain(world: World) -> None:
    kept = world.record()
    world.work()
    kept.room_key = str(world.read(lambda: world.cast.room(world.cast.open_house).uuid))
    with world.app.app_context(), transaction():
        provider = session.scalars(sa.select(RecordingLook.provider_uuid)).one()
        house = world.cast.room(world.cast.open_house).uuid
        session.add(RecordingLook(room_uuid=house, provider_uuid=provider, next_look_at=now()))
    world.work()
    assert [one.room and one.room.id for one in world.recordings()] == [world.cast.board]


def test_a_service_that_does_not_answer_is_asked_again_and_nothing_goes(world: World) -> None:
    world.record()
    world.work()
    world.service.dead = True
    look(world)
    with later(days=2):
        look(world)
    assert world.recording().missed_at is None
    world.service.dead = False
    looks = world.read(lambda: session.scalars(sa.select(RecordingLook)).one())
    assert looks.next_look_at < now() + timedelta(days=2) + LOOK_LEASE + timedelta(hours=6)


def test_what_a_service_lists_no_more_is_gone_if_it_stays_so(world: World) -> None:
    kept = world.record()
    world.work()
    del world.service.recordings[kept.external]
    look(world)
    assert len(world.recordings()) == 1, "a list may be short for once"
    world.service.recordings[kept.external] = kept
    look(world)
    assert world.recording().missed_at is None
    del world.service.recordings[kept.external]
    look(world)
    with later(hours=25):
        look(world)
    assert world.recordings() == []
    assert actions(world) == ["recording.ready", "recording.lost"]


def test_a_service_is_asked_ever_more_seldom_and_then_no_more(world: World) -> None:
    world.expect()
    waits, at = [], now()
    for _ in range(80):
        with time_machine.travel(at, tick=False):
            world.work()
        found = world.read(lambda: session.scalars(sa.select(RecordingLook)).one_or_none())
        if found is None:
            break
        waits.append(found.next_look_at - at)
        at = found.next_look_at
    else:
        pytest.fail("it is asked for ever, though there is nothing")
    assert waits[0] < timedelta(minutes=2)
    assert waits == sorted(waits)
    assert sum(waits, timedelta()) >= NEW_FOR


def test_what_is_decided_here_is_told_there(world: World) -> None:
    kept = world.record()
    world.work()
    decide(world, name="Annual meeting", published=False)
    assert (kept.name, kept.published) == ("Board meeting", True), "a job tells it"
    assert world.recording().untold
    world.work()
    assert (kept.name, kept.published) == ("Annual meeting", False)
    assert not world.recording().untold
    look(world)
    assert (world.recording().name, world.recording().published) == ("Annual meeting", False)


def test_who_sees_it_is_no_matter_of_the_service(world: World) -> None:
    world.record()
    world.work()
    decide(world, visibility=RecordingVisibility.PARTICIPANTS)
    assert in_app(world, recordings_to_tell) == []
    look(world)
    assert world.recording().visibility is RecordingVisibility.PARTICIPANTS


def test_what_a_service_is_told_later_is_not_undone_by_what_it_says_meanwhile(world: World) -> None:
    kept = world.record()
    world.work()
    world.service.refuses = True
    decide(world, published=False, name="Ours")
    world.work()
    look(world)
    assert kept.published
    assert (world.recording().published, world.recording().name) == (False, "Ours")
    assert world.recording().untold
    assert in_app(world, recordings_to_tell) == [], "not at once again"
    world.service.refuses = False
    with later(minutes=5):
        world.work()
    assert (kept.published, kept.name) == (False, "Ours")
    assert not world.recording().untold


def test_what_somebody_changes_at_the_service_is_taken_over(world: World) -> None:
    kept = world.record()
    world.work()
    kept.published, kept.name = False, "Renamed there"
    look(world)
    assert (world.recording().published, world.recording().name) == (False, "Renamed there")


def test_a_deleted_one_is_gone_at_once_and_deleted_there_until_it_is(world: World) -> None:
    kept = world.record()
    world.work()
    world.service.dead = True
    delete(world)
    world.work()
    hidden = world.recording()
    assert hidden.deleted_at is not None
    assert (hidden.formats, hidden.published) == ([], False)
    world.service.dead = False
    with later(minutes=5):
        world.work()
        assert kept.external not in world.service.recordings
        world.service.recordings[kept.external] = kept  # it comes back, as from a backup
        look(world)
        world.work()
        assert kept.external not in world.service.recordings
        look(world)
    assert world.recordings() == []


def test_one_that_the_service_lists_while_it_deletes_it_does_not_come_back(world: World) -> None:
    world.record()
    world.work()
    delete(world)
    world.expect()
    [provider] = in_app(world, providers_to_look_at)
    in_app(world, lambda: look_for_recordings(provider))
    assert world.recording().deleted_at is not None
    assert actions(world) == ["recording.ready", "recording.deleted"]


def test_deleting_twice_is_told_once(world: World) -> None:
    world.record()
    world.work()
    delete(world)
    [recording] = in_app(world, recordings_to_tell)
    for _ in range(2):
        in_app(world, lambda: tell_service(recording))
    assert world.service.count("delete") == 1


def test_the_recordings_of_a_room_that_is_gone_for_good_are_deleted_there(world: World) -> None:
    world.record()
    world.work()
    with world.app.app_context(), transaction():
        session.execute(sa.delete(Room).where(Room.id == world.cast.board))
        delete_with_rooms()
    world.work()
    assert world.service.recordings == {}
    assert world.recordings() == []
