"""A server that listens, and a service that is bound to it; the operator allows its network."""

from collections.abc import Iterator
from typing import Any

import pytest

from portal.providers import fetch
from portal.providers.bigbluebutton.adapter import SERVER, BigBlueButtonService
from portal.providers.reach import read_allowed
from tests.providers.bigbluebutton.server import SECRET, BbbServer, running_bbb


@pytest.fixture
def server() -> Iterator[BbbServer]:
    fetch.use(private=False, plain=False, allowed=read_allowed("127.0.0.1/32"))
    with running_bbb() as server:
        yield server
    fetch.use(private=False, plain=False)


def bound_to(server: BbbServer, **properties: Any) -> BigBlueButtonService:
    """The service behind a row with these properties."""
    given = {"host_url": f"{server.url}/bigbluebutton/", "secret": SECRET, **properties}
    return SERVER.bind({one.name: given.get(one.name, one.default) for one in SERVER.properties})


@pytest.fixture
def service(server: BbbServer) -> BigBlueButtonService:
    return bound_to(server)
