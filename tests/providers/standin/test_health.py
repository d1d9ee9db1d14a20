"""The health of a provider follows what its service does."""

from datetime import timedelta
from typing import Any

import time_machine

from portal.clock import now
from portal.rooms.models import Role
from portal.subscriptions.provider_health import OUT_AFTER, TRIED_AGAIN
from portal.subscriptions.queries import get_provider
from tests.conftest import BOTH
from tests.providers.standin.world import World

pytestmark = BOTH


def health(world: World) -> Any:
    return world.read(lambda: get_provider(world.provider_id))


def test_a_poll_that_is_answered_and_one_that_is_not_are_written_down(world: World) -> None:
    world.join(Role.GUEST)
    world.ask()
    well = health(world)
    assert well.last_answer_at is not None
    assert (well.last_error, well.down_since) == (None, None)
    world.service.dead = True
    world.ask()
    ill = health(world)
    assert ill.last_answer_at == well.last_answer_at
    assert ill.last_error.startswith("status got no answer")
    assert ill.down_since == ill.last_error_at
    world.ask()
    assert health(world).down_since == ill.down_since
    world.service.dead = False
    world.ask()
    assert health(world).down_since is None


def test_a_guest_who_cannot_be_let_in_leaves_the_reason_for_staff(world: World) -> None:
    world.service.dead = True
    _, answer = world.join(Role.GUEST)
    assert answer.status_code >= 400
    assert health(world).last_error.startswith("start got no answer")
    world.service.dead, world.service.refuses = False, True
    world.join(Role.GUEST)
    assert health(world).last_error == "start was answered 409"


def test_who_wants_a_dead_service_is_refused_at_once_until_it_is_tried_again(world: World) -> None:
    world.join(Role.GUEST)
    world.service.dead = True
    with time_machine.travel(now(), tick=False) as clock:
        for seconds in (0, OUT_AFTER.total_seconds() / 2):  # one lost packet is not the end of it
            clock.shift(seconds)
            asked = len(world.service.calls)
            assert world.join(Role.GUEST)[1].status_code == 503
            assert len(world.service.calls) > asked
        clock.shift(OUT_AFTER)
        asked = len(world.service.calls)
        assert world.join(Role.GUEST)[1].status_code == 503
        assert len(world.service.calls) == asked
        clock.shift(TRIED_AGAIN)
        assert world.join(Role.GUEST)[1].status_code == 503
        assert len(world.service.calls) > asked
        world.service.dead = False
        clock.shift(timedelta(seconds=1))
        assert world.join(Role.GUEST)[1].status_code == 503  # it is still out
        world.ask()  # the poller finds it up
        assert health(world).down_since is None
        assert world.join(Role.GUEST)[1].status_code == 303
