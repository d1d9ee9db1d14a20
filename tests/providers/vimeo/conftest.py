"""A stand-in, and the service bound to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from portal.providers.vimeo import client
from portal.providers.vimeo.account import VimeoAccount
from portal.providers.vimeo.adapter import Vimeo
from tests.providers.vimeo.server import TOKEN, StandIn, running_vimeo


@pytest.fixture
def standin() -> Iterator[StandIn]:
    client._budgets.clear()
    with running_vimeo() as home:
        yield home


def bound_to(standin: StandIn, **properties: Any) -> VimeoAccount:
    """The account behind a row with these properties."""
    adapter = Vimeo(api=standin.url, player=standin.url, uploads=[standin.url])
    return adapter.bind({"token": TOKEN, "folder": "", "hosts": "", **properties})


@pytest.fixture
def account(standin: StandIn) -> VimeoAccount:
    return bound_to(standin)
