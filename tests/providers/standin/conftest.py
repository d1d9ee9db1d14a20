"""An app whose catalog has the stand-in, and a stand-in that listens."""

from collections.abc import Iterator

import pytest
from flask import Flask

from portal.providers import registry
from portal.providers.mesh.adapter import Mesh
from tests.cast import Cast
from tests.providers.standin.adapter import StandInAdapter
from tests.providers.standin.server import StandIn, running
from tests.providers.standin.world import World, give_board_room_to


@pytest.fixture
def service() -> Iterator[StandIn]:
    with running() as service:
        service.calls_back = False
        yield service


@pytest.fixture
def world(app: Flask, cast: Cast, service: StandIn) -> World:
    registry.fill([Mesh([]), StandInAdapter()])  # what the next app's catalog replaces
    return give_board_room_to(cast, service)
