"""The demo's board room, held by a BigBlueButton server: what tests of whole ways begin with."""

import urllib.request
from dataclasses import dataclass
from typing import Any

from portal.db import transaction
from portal.providers import fetch
from portal.providers.reach import read_allowed
from portal.subscriptions.service_providers import create_provider
from tests.cast import Cast
from tests.providers.bigbluebutton.server import SECRET, BbbServer
from tests.providers.standin.world import World


@dataclass
class BbbWorld(World):
    """The cast, the server, and the row that binds it."""

    server: BbbServer

    def land(self, answer: Any) -> None:
        """Follow the address of a destination, as a browser would, and be in."""
        assert answer.status_code == 303, answer.text
        assert answer.location.startswith(f"{self.server.url}/bigbluebutton/api/join?"), answer.location
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        with urllib.request.urlopen(answer.location, timeout=5) as page:
            assert "You are in." in page.read().decode()


def allow_loopback() -> None:
    """What an operator sets for a server on this machine."""
    fetch.use(private=False, plain=False, allowed=read_allowed("127.0.0.1/32"))


def give_board_room_to(
    cast: Cast, server: BbbServer, *, provider_type: str = "bigbluebutton", **properties: str
) -> BbbWorld:
    """Make the server the default of the plan that the board room is in."""
    allow_loopback()
    with cast.app.app_context(), transaction():
        provider = create_provider(
            provider_name="Conference server",
            provider_type=provider_type,
            properties={"host_url": server.url, "secret": SECRET, **properties},
        )
        cast.room().subscription.provider = provider
        made = provider.id
    return BbbWorld(cast, server, made, server)  # type: ignore[arg-type]
