"""The adapter and service `mesh`: conferences without a media server. Browsers connect directly to each other.

The portal only relays their signals. It is good for a handful of people. Behind strict networks a TURN server is
needed (setting `ICE_SERVERS`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from portal.providers.base import Player, Property, Setting

NOUNS = ("player", "tiles", "side", "chat", "controls", "notes")
"""The player's stylesheets, one for each thing that it shows."""


class Mesh:
    """The adapter for conferences between browsers, on the portal's own page."""

    key = "mesh"
    label = "Direct connection"
    kinds = frozenset({"meet"})
    properties: Sequence[Property] = ()  # STUN and TURN servers are the operator's, for all rows alike
    settings: Sequence[Setting] = ()  # what rooms of the type have is all there is to choose
    features: frozenset[str] = frozenset({"public_chat", "private_chat", "screen_sharing"})  # nothing is recorded

    def __init__(self, ice_servers: Sequence[dict[str, Any]]) -> None:
        self._service = MeshService(ice_servers)

    def bind(self, properties: Mapping[str, Any]) -> "MeshService":
        """The service. All rows share one, because it has no properties."""
        return self._service


class MeshService:
    """The service that provides the player for conferences between browsers."""

    def __init__(self, ice_servers: Sequence[dict[str, Any]]) -> None:
        self._ice_servers = list(ice_servers)

    def player(self) -> Player:
        """The peer-to-peer player with the operator's STUN and TURN servers."""
        return Player(
            template="providers/mesh/_player.html",
            script="providers/mesh/main.js",
            stylesheets=tuple(f"providers/mesh/{noun}.css" for noun in NOUNS),
            context={"ice_servers": self._ice_servers},
        )
