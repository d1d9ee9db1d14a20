"""A draining provider starts no new run; what goes on goes on."""

import pytest

from portal.db import transaction
from portal.errors import Conflict
from portal.people.actor import actor_of
from portal.rooms.models import Role
from portal.status.service_calls import start_room
from portal.subscriptions.service_providers import change_provider
from tests.cast import CODE, Cast
from tests.providers.standin.server import StandIn
from tests.providers.standin.world import World


def drain(cast: Cast, *, draining: bool = True) -> None:
    with cast.app.app_context(), transaction():
        change_provider(cast.room().subscription.provider, draining=draining)


def test_nobody_opens_a_room_on_a_draining_service(cast: Cast) -> None:
    guest = cast.follow(Role.MODERATOR)
    proof = guest.token(cast.board_path)
    drain(cast)
    assert "not available right now" in guest.get(cast.board_path).text
    assert guest.post(cast.board_path, data={"csrf_token": proof, "name": "Gus"}).status_code == 403
    with cast.app.app_context(), pytest.raises(Conflict, match="not available right now"):
        start_room(cast.room(), by=actor_of(cast.user("alice")), has_place=True)
    drain(cast, draining=False)
    assert guest.send(cast.board_path, name="Gus").status_code == 303


def test_a_run_that_goes_on_lets_people_in(cast: Cast) -> None:
    cast.join(Role.MODERATOR, name="Mia")
    drain(cast)
    cast.join(Role.GUEST, name="Gus")
    cast.join(Role.ATTENDEE, name="Fay", code=CODE)


def test_a_service_elsewhere_is_not_asked_to_start_while_it_drains(world: World, service: StandIn) -> None:
    cast = world.cast
    guest = cast.follow(Role.MODERATOR)
    proof = guest.token(cast.board_path)
    drain(cast)
    assert guest.post(cast.board_path, data={"csrf_token": proof, "name": "Gus"}).status_code == 403
    with cast.app.app_context(), pytest.raises(Conflict):
        start_room(cast.room(), by=actor_of(cast.user("alice")), has_place=True)
    assert service.count("start") == 0
    drain(cast, draining=False)
    assert world.join(Role.MODERATOR)[1].status_code == 303
    drain(cast)
    assert world.join(Role.GUEST)[1].status_code == 303
