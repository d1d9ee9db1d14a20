"""What an attack and a strict reader found: services that lie, people who hurry, and what changes while a service thinks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from portal.admission.models import RoomToken
from portal.admission.tokens import change_token, people_inside, revoke_token
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.customers.models import CustomerStatus
from portal.db import session, transaction
from portal.identifiers import new_uuid
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.providers import registry
from portal.providers.base import Destination, LiveState, RunStatus, Snapshot, WatchedRoom
from portal.providers.mesh.adapter import Mesh
from portal.rooms.models import Role, RoomStatusWord
from portal.status.maintenance import end_silent_runs
from portal.status.models import RoomSession, RoomStatus, Source
from portal.status.recording import record
from portal.status.runs import end_session
from portal.subscriptions.provider_models import ServiceProvider
from tests.api.conftest import NewProgram, program
from tests.cast import Client
from tests.conftest import BOTH
from tests.providers.standin.adapter import StandInService
from tests.providers.standin.server import sign
from tests.providers.standin.world import World

__all__ = ["program"]
pytestmark = BOTH
LATER = timedelta(minutes=2)


def enter(world: World, name: str = "Gus", role: Role = Role.GUEST) -> Client:
    client, answer = world.join(role, name=name)
    world.land(answer)
    return client


def in_a_transaction(world: World, act: Callable[[], object]) -> None:
    with world.app.app_context(), transaction():
        act()


def tell(world: World, snapshot: Snapshot, external: str | None = None) -> None:
    """Record this of the board room, as if its service had said it."""

    def said() -> None:
        provider = session.scalars(sa.select(ServiceProvider).where(ServiceProvider.id == world.provider_id)).one()
        name = external or world.service.meeting_name()
        record(world.cast.room().uuid, snapshot, source=Source.POLL, provider=provider, external=name)

    in_a_transaction(world, said)


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

    def lies(service: StandInService, rooms: list[WatchedRoom]) -> Mapping[str, Any]:
        found = look(service, rooms)
        return {key: NONSENSE[kind](run) if key == board else run for key, run in found.items()}

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


# Who is in


def test_who_comes_again_is_on_the_way_again(world: World) -> None:
    client = enter(world)
    world.service.people_in()
    with time_machine.travel(now() + LATER, tick=True):
        meeting = next(iter(world.service.meetings.values()))
        meeting.people.clear()
        client.send(world.cast.board_path, name="Gus")
        world.ask()
        assert len(world.people()) == 1


def test_who_takes_long_at_the_services_own_door_is_counted_once_he_is_in(world: World) -> None:
    _, answer = world.join(Role.GUEST)
    with time_machine.travel(now() + LATER, tick=True):
        world.ask()
        assert world.people() == []
        world.land(answer)
        world.ask()
        assert len(world.people()) == 1


def test_a_service_that_tells_only_how_many_keeps_no_ghosts(world: World) -> None:
    for name in ("One", "Two", "Three"):
        enter(world, name)
    with time_machine.travel(now() + LATER, tick=True):
        tell(world, Snapshot(state=LiveState.LIVE, checked_at=now(), headline=1))
        assert [person.name for person in world.people()] == ["Three"]


def test_a_device_that_hurries_is_one_person_at_the_service(world: World) -> None:
    client = world.cast.follow(Role.GUEST)
    first = client.send(world.cast.board_path, name="Gus")
    second = client.send(world.cast.board_path, name="Gus")
    world.land(first)
    world.land(second)
    assert len(world.service.people_in()) == 1


def test_nobody_leaves_a_service_by_the_portals_own_player(world: World) -> None:
    client = enter(world)
    base = f"/rooms/{world.cast.board}/-/conference"
    proof = client.token(world.cast.board_path)
    for path in ("presence", "closing", "departure", "signals"):
        answer = client.post(f"{base}/{path}", json={"tab": "x"}, headers={"X-CSRFToken": proof})
        assert answer.status_code in {400, 409}, path
    assert client.get(f"{base}/stream").status_code == 409
    assert len(world.people()) == 1


def test_places_are_counted_by_the_services_word_too(world: World) -> None:
    in_a_transaction(world, lambda: setattr(world.cast.room(), "room_features", {"max_participants": 2}))
    enter(world)
    world.service.come(world.service.meeting_name(), "walk-in", "Walk-in", "member")
    world.ask()
    _, answer = world.join(Role.GUEST, name="Too many")
    assert answer.status_code == 403
    assert "full" in answer.text


# What changes while a service thinks


def test_a_customer_who_is_out_meanwhile_lets_nobody_in(world: World) -> None:
    world.service.meanwhile.append(
        lambda: in_a_transaction(
            world, lambda: setattr(world.cast.room().customer, "status", CustomerStatus.TERMINATED)
        )
    )
    _, answer = world.join(Role.GUEST)
    assert answer.status_code == 403
    assert world.people(present=False) == []


def test_a_member_who_is_none_any_more_meanwhile_is_not_let_in(world: World) -> None:
    bob = world.cast.sign_in("bob")
    in_a_transaction(
        world, lambda: session.execute(sa.update(RoomMember).values(permissions=[Permission.ROOM_VIEW.value]))
    )
    world.service.meanwhile.append(lambda: in_a_transaction(world, lambda: session.execute(sa.delete(RoomMember))))
    answer = bob.send(f"/rooms/{world.cast.board}/-/entry", entrance="1")
    assert answer.status_code == 404
    assert world.people(present=False) == []


def test_a_link_that_is_lowered_meanwhile_makes_no_moderator(world: World) -> None:
    def lower() -> None:
        token = world.cast.token(Role.MODERATOR)
        change_token(token, room=token.room, by=actor_of(world.cast.user("alice")), role=Role.GUEST)

    world.service.meanwhile.append(lambda: in_a_transaction(world, lower))
    _, answer = world.join(Role.MODERATOR, name="Mo")
    world.land(answer)
    assert [role for _, role in world.service.people_in().values()] == ["visitor"]


def test_a_slow_arrival_ends_no_run_that_others_began_meanwhile(world: World) -> None:
    enter(world, "One")

    def begin_anew() -> None:
        in_a_transaction(world, lambda: end_session(world.cast.room()))
        world.service.meetings.clear()
        enter(world, "Ann")

    world.service.meanwhile.append(begin_anew)
    enter(world, "Slow")
    assert sorted(person.name for person in world.people()) == ["Ann", "Slow"]
    assert len(world.service.people_in()) == 2


def test_an_end_that_could_not_be_told_does_not_end_who_came_after(world: World) -> None:
    enter(world, "One")
    in_a_transaction(world, lambda: end_session(world.cast.room()))
    enter(world, "Two")  # the service has gone on under the same name
    world.work()
    assert world.service.count("end") == 0
    assert [person.name for person in world.people()] == ["Two"]


def test_a_room_that_cannot_be_used_is_not_opened_by_its_service(world: World) -> None:
    enter(world)
    world.ask()

    def shut() -> None:
        world.cast.room().status = RoomStatusWord.INACTIVE
        end_session(world.cast.room())

    in_a_transaction(world, shut)
    in_a_transaction(world, lambda: session.execute(sa.update(RoomSession).values(end_wanted=False)))
    with time_machine.travel(now() + timedelta(minutes=5), tick=True):
        world.ask()
        assert [run.ended_at is None for run in world.runs()] == [False]
        world.work()
    assert world.service.count("end") == 1, "its service is told once more"


def test_a_refused_start_leaves_the_programs_key_free(world: World, program: NewProgram) -> None:
    alice = program("alice")
    world.service.dead = True
    first = alice.post(f"/rooms/{world.cast.board}/start", Idempotency_Key="k-1")
    assert first.status_code == 503
    world.service.dead = False
    again = alice.post(f"/rooms/{world.cast.board}/start", Idempotency_Key="k-1")
    assert (again.status_code, again.json["data"]["state"]) == (200, "starting")


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


# What people are told


def test_revoking_a_link_does_not_claim_to_remove_who_is_at_the_service(world: World) -> None:
    enter(world)

    def revoke() -> None:
        token = world.cast.token(Role.GUEST)
        assert people_inside(token) == []
        assert revoke_token(token, by=actor_of(world.cast.user("alice")), remove_people=True) == 0

    in_a_transaction(world, revoke)
    assert len(world.people()) == 1
    assert world.read(lambda: session.scalars(sa.select(RoomToken).where(RoomToken.revoked_at.is_not(None))).all())


def test_staff_who_moderate_by_a_staff_right_only_do_so_on_the_customers_behalf(world: World) -> None:
    def add() -> None:
        ada = world.cast.user("admin")
        session.add(RoomMember(uuid=new_uuid(), room=world.cast.room(), user=ada, permissions=["room:view"]))

    in_a_transaction(world, add)
    world.land(world.cast.sign_in("admin").send(f"/rooms/{world.cast.board}/-/entry", entrance="1"))
    joined = sa.select(AuditEvent.on_behalf_of_uuid).where(AuditEvent.action == "participant.joined")
    assert world.read(lambda: session.scalars(joined).one()) == world.read(lambda: world.cast.room().customer_uuid)


def test_a_service_is_asked_with_its_own_settings_after_the_plan_was_switched(world: World) -> None:
    enter(world, "One")
    in_a_transaction(world, lambda: setattr(world.cast.room().subscription, "provider", world.built_in()))
    enter(world, "Two")
    assert len(world.service.people_in()) == 2
