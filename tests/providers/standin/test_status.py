"""How a room's status follows its service: by poll and by callback, whatever the service is like."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
import time_machine

from portal.clock import now
from portal.db import session, transaction
from portal.providers.base import LiveState, Snapshot
from portal.resources.sessions import serialize_room_status
from portal.rooms.models import Role
from portal.status.maintenance import end_silent_runs, end_unused_runs, open_participations
from portal.status.models import Ending, RoomStatus, Source
from portal.status.recording import LOOK_IDLE, record
from portal.status.service_polls import ask_provider, providers_to_ask
from portal.subscriptions.provider_models import ServiceProvider
from tests.conftest import BOTH
from tests.providers.standin.server import SECRET, sign
from tests.providers.standin.world import World

pytestmark = BOTH


def enter(world: World, *names: str) -> None:
    for name in names or ("Gus",):
        _, answer = world.join(Role.GUEST, name=name)
        world.land(answer)


def callback(world: World, body: dict[str, str], *, secret: str = SECRET, stamp: float = 0, spoil: bytes = b"") -> int:
    """Send a callback to the app, signed as the service signs; the status of the answer."""
    raw = urlencode(body).encode()
    at = str(int(now().timestamp() - stamp))
    headers = {"X-Stamp": at, "X-Signature": sign(secret, at.encode() + b"." + raw)}
    answer = world.cast.browser().post(
        f"/hooks/{world.provider_id}",
        data=raw + spoil,
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )
    return int(answer.status_code)


def test_a_service_is_asked_once_for_all_its_rooms(world: World) -> None:
    enter(world)
    with world.app.app_context(), transaction():
        provider = session.scalars(sa.select(ServiceProvider).where(ServiceProvider.id == world.provider_id)).one()
        house = world.cast.room(world.cast.open_house)
        opened = Snapshot(state=LiveState.LIVE, checked_at=now(), headline=3)
        record(house.uuid, opened, source=Source.POLL, provider=provider, external="x")
    assert world.ask() == 2
    assert world.service.count("status") == 1
    house_status = world.read(lambda: session.get(RoomStatus, world.cast.room(world.cast.open_house).uuid))
    assert house_status.state is LiveState.IDLE, "the service knows nothing of it"


def test_several_pollers_ask_for_each_room_once(world: World) -> None:
    enter(world)
    world.ask()
    before = world.service.count("status")
    with world.app.app_context(), transaction():
        session.execute(sa.update(RoomStatus).values(next_look_at=now()))
        [uuid] = providers_to_ask()

    def ask() -> int:
        with world.app.app_context():
            return ask_provider(uuid)

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask) for _ in range(4)]
        assert sorted(one.result() for one in asked) == [0, 0, 0, 1]
    assert world.service.count("status") == before + 1


def test_a_dead_service_makes_the_status_stale_then_unknown_and_is_asked_more_seldom(world: World) -> None:
    enter(world)
    world.ask()
    world.service.dead = True
    seen, waits = [], []
    for _ in range(4):
        world.ask()
        status = world.status()
        seen.append((status.state, status.stale, status.count))
        assert status.next_look_at is not None
        waits.append(status.next_look_at - now())
    live, unknown = (LiveState.LIVE, True, 1), (LiveState.UNKNOWN, True, 1)
    assert seen == [live, live, unknown, unknown]
    assert waits == sorted(waits)
    assert [run.ended_at for run in world.runs()] == [None], "nobody is thrown out by a silence"
    world.service.dead = False
    world.ask()
    assert (world.status().state, world.status().stale, world.status().misses) == (LiveState.LIVE, False, 0)


def test_a_long_silence_is_taken_for_an_end(world: World) -> None:
    enter(world)
    world.ask()
    world.service.dead = True
    with time_machine.travel(now() + timedelta(minutes=61), tick=True):
        world.ask()
    [run] = world.runs()
    assert run.ended_at is not None
    assert [person.ending for person in world.people(present=False)] == [Ending.LOST]


def test_a_lying_service_fills_no_row_hides_no_name_and_touches_no_other_room(world: World) -> None:
    enter(world)
    world.ask()
    world.service.lying = True
    world.ask()
    status = world.status()
    assert 0 <= status.count <= 10_000_000
    assert len(status.names) <= 20
    assert all(len(name) <= 80 and name.isprintable() for name in status.names)
    page = world.cast.sign_in("alice").get(f"/manage/rooms/{world.cast.board}")
    assert page.status_code == 200
    assert world.read(lambda: session.scalar(sa.select(sa.func.count()).select_from(RoomStatus))) == 1


def test_an_unchanged_answer_changes_only_the_age(world: World) -> None:
    enter(world)
    world.ask()
    before = world.status()
    world.ask()
    after = world.status()
    assert after.version == before.version
    assert after.checked_at > before.checked_at


def test_a_service_whose_room_is_idle_is_asked_seldom(world: World) -> None:
    enter(world)
    world.service.meetings.clear()
    world.ask()
    status = world.status()
    assert status.next_look_at is not None
    assert status.next_look_at - status.checked_at == LOOK_IDLE


def test_an_older_answer_comes_too_late(world: World) -> None:
    enter(world)
    world.ask()
    with world.app.app_context(), transaction():
        provider = session.scalars(sa.select(ServiceProvider).where(ServiceProvider.id == world.provider_id)).one()
        late = Snapshot(state=LiveState.IDLE, checked_at=now() - timedelta(minutes=1))
        record(
            world.cast.room().uuid, late, source=Source.POLL, provider=provider, external=world.service.meeting_name()
        )
    assert world.status().state is LiveState.LIVE


def test_a_service_says_nothing_about_rooms_that_another_row_holds(world: World) -> None:
    enter(world)
    world.ask()
    with world.app.app_context(), transaction():
        over = Snapshot(state=LiveState.IDLE, checked_at=now())
        external = world.service.meeting_name()
        assert (
            record(world.cast.room().uuid, over, source=Source.POLL, provider=world.built_in(), external=external)
            is None
        )
    assert world.status().state is LiveState.LIVE


def test_heartbeats_and_their_sweeps_are_not_for_runs_that_a_service_drives(world: World) -> None:
    enter(world)
    with time_machine.travel(now() + timedelta(minutes=30), tick=True), world.app.app_context(), transaction():
        assert open_participations() == []
        assert end_unused_runs() == 0
        assert end_silent_runs() == 0
    assert len(world.people()) == 1


def test_a_signed_callback_is_a_hint_to_look_at_once(world: World) -> None:
    enter(world)
    world.ask()
    event = {"event": "joined", "external": world.service.meeting_name(), "id": "e1", "person": "x", "note": "ä'!()*"}
    assert callback(world, event) == 204
    with world.app.app_context(), transaction():
        assert len(providers_to_ask()) == 1
    looked = world.service.count("status")
    world.work()
    assert world.service.count("status") == looked + 1


def test_the_callback_of_an_end_ends_the_run_before_any_look(world: World) -> None:
    enter(world)
    world.ask()
    event = {"event": "ended", "external": world.service.meeting_name(), "id": "e1", "person": ""}
    assert callback(world, event) == 204
    assert world.runs()[0].ended_at is not None
    assert (world.status().state, world.status().source) == (LiveState.IDLE, Source.WEBHOOK)


@pytest.mark.parametrize(
    "how", [{"secret": "another"}, {"stamp": 600}, {"stamp": -600}, {"spoil": b"&event=ended"}, {"spoil": b" "}]
)
def test_a_callback_that_the_service_did_not_send_changes_nothing(world: World, how: dict[str, object]) -> None:
    enter(world)
    world.ask()
    event = {"event": "ended", "external": world.service.meeting_name(), "id": "e1", "person": ""}
    assert callback(world, event, **how) == 401  # type: ignore[arg-type]
    assert world.status().state is LiveState.LIVE


def test_a_callback_that_comes_twice_counts_once(world: World) -> None:
    enter(world)
    world.ask()
    event = {"event": "joined", "external": world.service.meeting_name(), "id": "once", "person": ""}
    assert callback(world, event) == 204
    world.ask()
    assert callback(world, event) == 204
    with world.app.app_context(), transaction():
        assert providers_to_ask() == []


def test_a_callback_about_a_run_that_is_not_there_is_taken_and_forgotten(world: World) -> None:
    assert callback(world, {"event": "ended", "external": "m-unknown", "id": "e9", "person": ""}) == 204
    assert world.runs() == []


def test_the_api_tells_figures_with_their_labels(world: World) -> None:
    enter(world, "One", "Two")
    world.ask()
    with world.app.app_context(), transaction():
        room = world.cast.room()
        shown = serialize_room_status(room, session.get(RoomStatus, room.uuid))
    assert shown["counts"] == {
        "participants": 2,
        "moderators": 0,
        "attendees": 0,
        "guests": 2,
        "reconnecting": 0,
        "voices": 2,
        "hands": None,
    }
    assert shown["labels"]["participants"] == "Participants"
    assert (shown["status"], shown["source"]) == ("active", "poll")


def test_the_owners_page_shows_what_the_service_counts_and_says_what_it_does_not_tell(world: World) -> None:
    enter(world, "One", "Two")
    world.ask()
    page = world.cast.sign_in("alice").get(f"/manage/rooms/{world.cast.board}/status").text
    page = re.sub(r">\s+|\s+<", lambda gap: gap[0].strip(), page)
    assert "<dt>Microphones on</dt><dd>2</dd>" in page
    assert "<dt>Raised hands</dt><dd>not told</dd>" in page
    assert "<dt>Moderators</dt>" not in page, "the list of people tells that"


def test_people_who_came_to_the_service_by_another_way_are_shown_by_their_names(world: World) -> None:
    enter(world)
    world.service.come(world.service.meeting_name(), "not-of-ours", "Walk-in", "member")
    with time_machine.travel(now() + timedelta(minutes=2), tick=True):
        world.service.meetings[str(world.read(lambda: world.cast.room().uuid))].people.pop(world.people()[0].id)
        world.ask()
        page = world.cast.sign_in("alice").get(f"/manage/rooms/{world.cast.board}/status").text
    assert "Walk-in" in page
    assert "<b>1</b>" in page
