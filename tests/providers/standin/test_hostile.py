"""Services that lie: about the past, the future and nothing, and about where people should go."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from portal.clock import now
from portal.db import session
from portal.providers import registry
from portal.providers.base import Destination, LiveState, RunStatus, ServiceStatus, Snapshot, WatchedRoom
from portal.providers.mesh.adapter import Mesh
from portal.rooms.models import Role
from portal.status.maintenance import end_silent_runs
from portal.status.models import RoomSession, RoomStatus
from portal.status.runs import end_session
from tests.conftest import BOTH
from tests.providers.standin.adapter import StandInService
from tests.providers.standin.server import sign
from tests.providers.standin.world import World, enter, in_a_transaction, tell

pytestmark = BOTH


# What a service says of the past, the future, and of nothing


def test_a_late_word_about_a_run_that_is_over_ends_no_other(world: World) -> None:
    enter(world, "One")
    old = world.service.meeting_name()
    in_a_transaction(world, lambda: end_session(world.cast.room()))
    world.service.meetings.clear()
    enter(world, "Two")
    tell(world, Snapshot(state=LiveState.LIVE, checked_at=now(), headline=1), external=old)
    assert [run.ended_at is None for run in world.runs()] == [False, True]
    assert [person.name for person in world.people()] == ["Two"]


def test_an_answer_to_a_question_from_before_somebody_entered_is_older_than_that(world: World) -> None:
    enter(world, "One")
    world.ask()
    asked_at = now()
    enter(world, "Two")
    tell(world, Snapshot(state=LiveState.IDLE, checked_at=asked_at))
    assert len(world.people()) == 2


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=3650)])
def test_a_service_whose_clock_is_ahead_freezes_nothing(world: World, ahead: timedelta) -> None:
    enter(world)
    tell(world, Snapshot(state=LiveState.LIVE, checked_at=now() + ahead, since=now() + ahead, headline=1))
    assert world.status().checked_at <= now()
    world.service.meetings.clear()
    world.ask()
    assert world.runs()[0].ended_at is not None


def test_a_service_that_does_not_know_is_taken_for_one_that_does_not_answer(world: World) -> None:
    enter(world)
    world.ask()
    for _ in range(3):
        tell(world, Snapshot(state=LiveState.UNKNOWN, checked_at=now()))
    assert (world.status().state, world.status().stale) == (LiveState.UNKNOWN, True)
    with time_machine.travel(now() + timedelta(minutes=61), tick=True):
        tell(world, Snapshot(state=LiveState.UNKNOWN, checked_at=now()))
    assert world.runs()[0].ended_at is not None


def test_an_idle_room_is_fresh_again_after_one_missed_answer(world: World) -> None:
    enter(world)
    world.service.meetings.clear()
    world.ask()
    world.service.dead = True
    world.ask()
    assert (world.status().state, world.status().stale) == (LiveState.IDLE, True)
    world.service.dead = False
    world.ask()
    assert (world.status().state, world.status().stale, world.status().misses) == (LiveState.IDLE, False, 0)


NONSENSE: dict[str, Callable[[RunStatus], object]] = {
    "no run": lambda _run: object(),
    "no snapshot": lambda run: replace(run, snapshot=None),  # type: ignore[arg-type]
    "naive time": lambda run: replace(run, snapshot=replace(run.snapshot, checked_at=datetime(2026, 1, 1))),  # noqa: DTZ001
    "no number": lambda run: replace(run, snapshot=replace(run.snapshot, headline=None)),  # type: ignore[arg-type]
    "not a number": lambda run: replace(run, snapshot=replace(run.snapshot, headline=float("nan"))),  # type: ignore[arg-type]
    "a long name": lambda run: replace(run, external="x" * 300),
    "half a character": lambda run: replace(run, external="\ud800"),
    "nul": lambda run: replace(run, external="a\x00b"),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_about_one_room_keeps_no_other_from_being_recorded(
    world: World, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(world)
    world.ask()
    house = world.cast.browser()
    house.send(world.cast.open_path, name="Hugo")
    look = StandInService.look
    board = str(world.read(lambda: world.cast.room().uuid))

    def lies(service: StandInService, rooms: list[WatchedRoom]) -> ServiceStatus:
        found = look(service, rooms).runs
        told: dict[str, Any] = {key: NONSENSE[kind](run) if key == board else run for key, run in found.items()}
        return ServiceStatus(told)

    monkeypatch.setattr(StandInService, "look", lies)
    world.service.meetings[str(world.read(lambda: world.cast.room(world.cast.open_house).uuid))].people["x"] = (
        "X",
        "visitor",
    )
    world.ask()
    assert world.status().stale, "what cannot be recorded counts as no answer"
    other = world.read(lambda: session.get(RoomStatus, world.cast.room(world.cast.open_house).uuid))
    assert (other.stale, other.count) == (False, 1)


@pytest.mark.parametrize("found", [None, [], "text"])
def test_an_answer_that_is_none_is_a_missed_one(world: World, found: object, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(world)
    world.ask()
    monkeypatch.setattr(StandInService, "look", lambda _service, _rooms: found)
    world.ask()
    assert world.status().stale


def test_a_row_whose_adapter_is_gone_or_whose_secret_is_lost_breaks_no_page_and_ends_its_runs(world: World) -> None:
    guest = enter(world)
    world.ask()
    registry.fill([Mesh([])])
    alice = world.cast.sign_in("alice")
    room = f"/manage/rooms/{world.cast.board}"
    for page in ("/manage/rooms", room, f"{room}/settings", f"/rooms/{world.cast.board}/-/entry"):
        assert alice.get(page).status_code == 200, page
    assert guest.get(world.cast.board_path).status_code == 200
    assert guest.send(world.cast.board_path, name="Gus").status_code == 503
    assert world.cast.browser().post(f"/hooks/{world.provider_id}").status_code == 404
    for _ in range(3):
        world.ask()
    assert (world.status().state, world.status().stale) == (LiveState.UNKNOWN, True)
    with time_machine.travel(now() + timedelta(minutes=61), tick=True):
        world.ask()
    assert world.runs()[0].ended_at is not None
    in_a_transaction(world, lambda: end_session(world.cast.room()))
    world.work()


def test_a_run_whose_provider_is_gone_is_over(world: World) -> None:
    enter(world)
    in_a_transaction(world, lambda: session.execute(sa.update(RoomSession).values(provider_uuid=None)))
    in_a_transaction(world, end_silent_runs)
    assert world.runs()[0].ended_at is not None


# What a service answers at the door


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "{0}/a\r\nX: y", "{0}/ä", "{0}@evil.example/", "//evil.example", "{0}/" + "x" * 9000, None],
)
def test_an_odd_destination_leads_nobody_anywhere(
    world: World, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = url.replace("{0}", world.service.url) if url else url
    monkeypatch.setattr(StandInService, "destination", lambda *_: Destination(odd))  # type: ignore[arg-type]
    _, answer = world.join(Role.GUEST)
    assert answer.status_code == 503
    assert world.people(present=False) == []


@pytest.mark.parametrize("external", ["", None, ["x"], "x" * 300, "a\x00b", "\ud800"])
def test_a_run_without_a_proper_name_is_none(world: World, external: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StandInService, "start", lambda *_: external)
    _, answer = world.join(Role.GUEST)
    assert answer.status_code == 503


@pytest.mark.parametrize(
    "host", ["https://*", "https://x;sandbox", "https://a,b", "https://ä.example", "javascript://x"]
)
def test_a_policy_is_not_widened_to_more_than_one_host(
    world: World, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StandInService, "origin", host)
    policy = world.cast.follow(Role.GUEST).get(world.cast.board_path).headers["Content-Security-Policy"]
    assert "form-action 'self';" in policy


@pytest.mark.parametrize("body", [b"", b"event", b"\xff\xfe", b"event=ended", b"external=%00&id=%00&event=ended"])
def test_a_signed_callback_that_cannot_be_read_is_refused(world: World, body: bytes) -> None:
    stamp = str(int(now().timestamp()))
    signature = sign("a-secret-that-the-stand-in-and-its-row-share", stamp.encode() + b"." + body)
    answer = world.cast.browser().post(
        f"/hooks/{world.provider_id}", data=body, headers={"X-Stamp": stamp, "X-Signature": signature}
    )
    assert answer.status_code in {204, 401}


def test_a_destination_is_stored_nowhere(world: World) -> None:
    alice = world.cast.sign_in("alice")
    answer = alice.send(f"/rooms/{world.cast.board}/-/entry", entrance="1", once="a-word-of-a-form")
    world.land(answer)
    secret = answer.location.rpartition("signature=")[2]

    def everything() -> str:
        tables = sa.inspect(session.get_bind()).get_table_names()
        return repr([session.execute(sa.text(f'SELECT * FROM "{table}"')).all() for table in tables])

    assert secret not in world.read(everything)
