"""A server that listens, and a service that is bound to it; the operator allows its network."""

from collections.abc import Iterator
from typing import Any

import pytest

from portal.providers import fetch
from portal.providers.bigbluebutton.adapter import SERVER, BigBlueButtonService
from tests.cast import Cast
from tests.providers.bigbluebutton.server import SECRET, BbbServer, running_bbb
from tests.providers.bigbluebutton.world import BbbWorld, allow_loopback, give_board_room_to


@pytest.fixture
def server() -> Iterator[BbbServer]:
    allow_loopback()
    with running_bbb() as server:
        yield server
    fetch.use(private=False, plain=False)


@pytest.fixture
def world(cast: Cast, server: BbbServer) -> BbbWorld:
    return give_board_room_to(cast, server)


def bound_to(server: BbbServer, **properties: Any) -> BigBlueButtonService:
    """The service behind a row with these properties."""
    given = {"host_url": f"{server.url}/bigbluebutton/", "secret": SECRET, **properties}
    return SERVER.bind({one.name: given.get(one.name, one.default) for one in SERVER.properties})


@pytest.fixture
def service(server: BbbServer) -> BigBlueButtonService:
    return bound_to(server)
