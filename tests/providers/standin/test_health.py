"""The health of a provider follows what its service does."""

from typing import Any

from portal.rooms.models import Role
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
