"""The provider that needs no server: browsers connect directly, the portal only carries their signals.

Good for a handful of people. Behind strict networks a TURN server is needed (`ICE_SERVERS`).
"""

from collections.abc import Sequence
from typing import Any

from portal.providers.base import Player, Setting


class Mesh:
    """Embedded conferences between browsers."""

    key = "mesh"
    label = "Direct connection"
    kinds = frozenset({"meet"})
    settings: Sequence[Setting] = ()  # what rooms of the type have is all there is to choose
    features: frozenset[str] = frozenset()  # pictures and voices: nothing is recorded, no chat, no screens

    def __init__(self, ice_servers: Sequence[dict[str, Any]]) -> None:
        self._ice_servers = list(ice_servers)

    def player(self) -> Player:
        """The peer-to-peer player with the operator's STUN and TURN servers."""
        return Player(template="providers/mesh/_player.html", context={"ice_servers": self._ice_servers})
