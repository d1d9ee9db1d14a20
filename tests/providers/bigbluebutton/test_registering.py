"""The webhooks component is asked for messages by a job: nobody who joins waits for it, and what it forgets it gets
again.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.clock import now
from portal.db import session, transaction
from portal.jobs.service_slots import ServiceSlots
from portal.providers import fetch
from portal.rooms.models import Role
from portal.status.callback_registration import providers_to_register_with, register_callbacks
from portal.status.models import RoomSession
from portal.subscriptions.queries import get_provider
from tests.conftest import BOTH
from tests.providers.bigbluebutton.world import BbbWorld


@pytest.fixture
def world(world: BbbWorld) -> BbbWorld:
    world.land(world.join(Role.GUEST)[1])
    return world


def hook_of(world: BbbWorld) -> str:
    assert world.server.hooks is not None
    [address] = world.server.hooks
    return address


def later(**how_much: float) -> time_machine.travel:
    return time_machine.travel(now() + timedelta(**how_much), tick=True)


def count_of_calls(world: BbbWorld) -> tuple[int, int]:
    return world.server.count("hooks/list"), world.server.count("hooks/create")


@BOTH
def test_a_job_asks_for_messages_and_who_joins_does_not_wait_for_it(world: BbbWorld) -> None:
    assert count_of_calls(world) == (0, 0)
    world.work()
    assert count_of_calls(world) == (1, 1)
    meeting = world.server.only()
    assert hook_of(world).endswith(f"/hooks/{world.provider_id}?room={meeting.id}")
    world.land(world.join(Role.MODERATOR)[1])
    world.work()
    assert count_of_calls(world) == (1, 1), "one run asks once"


@BOTH
def test_what_the_component_has_forgotten_it_is_asked_again(world: BbbWorld) -> None:
    world.work()
    address = hook_of(world)
    with later(minutes=6):
        world.work()
        assert count_of_calls(world) == (2, 1), "it has it still"
    assert world.server.hooks is not None
    world.server.hooks.clear()
    with later(minutes=12):
        world.work()
    assert hook_of(world) == address


def test_a_component_that_hangs_holds_no_room_up_and_is_asked_again(
    world: BbbWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "LONGEST_SECONDS", 0.3)
    world.server.hangs_at = {"hooks/list", "hooks/create"}
    world.work()
    world.land(world.join(Role.MODERATOR)[1])
    assert count_of_calls(world) == (1, 0)
    provider = world.read(lambda: get_provider(world.provider_id))
    assert (provider.down_since, provider.last_error) == (None, None), "polls do without the component"
    world.server.hangs_at = set()
    world.work()
    assert count_of_calls(world) == (1, 0), "not before some minutes have passed"
    with later(minutes=6):
        world.work()
    assert hook_of(world)


def test_a_run_that_is_over_is_asked_about_no_more(world: BbbWorld) -> None:
    world.work()
    world.server.end(world.server.only())
    world.ask()
    with later(minutes=6):
        assert world.read(providers_to_register_with) == []


@BOTH
def test_of_two_processes_one_asks(world: BbbWorld) -> None:
    uuid = world.read(lambda: get_provider(world.provider_id)).uuid

    def work(_process: int) -> int:
        with world.app.app_context():
            return register_callbacks(uuid)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(work, range(2))) == [0, 1]
    assert count_of_calls(world) == (1, 1)


def test_a_service_that_need_not_be_asked_is_left_alone(world: BbbWorld) -> None:
    with world.app.app_context(), transaction():
        get_provider(world.provider_id).provider_type = "mesh"
    world.work()
    with world.app.app_context(), transaction():
        assert session.scalars(sa.select(RoomSession.next_registration_at)).all() == [None]


def test_one_slow_service_takes_one_worker_and_all_of_them_a_few() -> None:
    slots = ServiceSlots(2)
    with slots.slot("a") as first, slots.slot("a") as again, slots.slot("b") as second, slots.slot("c") as third:
        assert (first, again, second, third) == (True, False, True, False)
    with slots.slot("c") as third:
        assert third
