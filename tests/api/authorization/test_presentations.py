"""Who may do what with the presentation of a room, which here has a service that takes them."""

from typing import Any

import pytest

from portal.db import transaction
from portal.permissions.permission import Permission
from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table
from tests.presentations import a_service_that_takes_them, new_presentation

TABLE = table(
    """
    needs              method  address                                         nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    room:view          GET     /rooms/{room}/presentation                         401    200   404     200   200   200   404     404     403
    room:edit          PUT     /rooms/{room}/presentation                         401    200   404     403   200   200   403     404     403
    room:edit          DELETE  /rooms/{room}/presentation                         401    204   404     403   204   204   403     404     403

    room:view          GET     /rooms/{their_room}/presentation                   401    200   404     200   404   404   404     200     403
    room:edit          PUT     /rooms/{their_room}/presentation                   401    200   404     403   404   404   404     200     403
    room:edit          DELETE  /rooms/{their_room}/presentation                   401    204   404     403   404   404   404     204     403
    """
)


class Stage:
    """The world, in which both rooms have a presentation."""

    def __init__(self, world: World) -> None:
        self.world, self.app = world, world.app

    def set_up(self, granted: frozenset[Permission]) -> dict[str, str]:
        names = self.world.set_up(granted)
        with self.app.app_context(), transaction():
            for name in ("room", "their_room"):
                room = self.world.cast.room(names[name])
                room.subscription.provider = a_service_that_takes_them()
                new_presentation(room)
        return names

    def play(self, member: str, line: Line, names: dict[str, str]) -> Any:
        if line.method != "PUT":
            return self.world.play(member, line, names)
        return self.world.caller(member, line).upload(line.address.format(**names))


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


@each(TABLE)
def test_presentations(stage: Stage, line: Line) -> None:
    check(stage, line)
