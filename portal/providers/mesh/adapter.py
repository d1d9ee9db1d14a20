"""The adapter and service `mesh`: conferences without a media server. Browsers connect directly to each other.

The portal only relays their signals. Each sender uploads once for every other person, so it is good for a handful of
senders and some more who listen (setting `MESH_PEOPLE`). Behind strict networks a TURN server is needed (settings
`TURN_URLS` and `TURN_SECRET`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from portal.clock import now
from portal.providers.base import Contradiction, Places, Player, Property, RecordingMode, Setting
from portal.providers.mesh.turn import TurnServers

NOUNS = ("player", "tiles", "side", "chat", "controls", "notes", "view")
"""The player's stylesheets, one for each thing that it shows."""


PLACES = Places(people=12, senders=6)


class Mesh:
    """The adapter for conferences between browsers, on the portal's own page."""

    key = "mesh"
    label = "Direct connection"
    kinds = frozenset({"meet"})
    properties: Sequence[Property] = ()  # STUN and TURN servers are the operator's, for all rows alike
    settings: Sequence[Setting] = ()  # what rooms of the type have is all there is to choose
    contradictions: Sequence[Contradiction] = ()
    features: frozenset[str] = frozenset({"public_chat", "private_chat", "screen_sharing"})  # nothing is recorded
    asks_about_guests = False

    def __init__(
        self, ice_servers: Sequence[dict[str, Any]], turn: TurnServers | None = None, places: Places = PLACES
    ) -> None:
        self.places: Places | None = places
        self._service = MeshService(ice_servers, turn)

    def bind(self, properties: Mapping[str, Any]) -> "MeshService":
        """The service. All rows share one, because it has no properties."""
        return self._service

    def recording_mode(self, _settings: Mapping[str, Any], _limits: Mapping[str, Any]) -> RecordingMode:
        """Nothing is recorded."""
        return RecordingMode.OFF


class MeshService:
    """The service that provides the player for conferences between browsers."""

    def __init__(self, ice_servers: Sequence[dict[str, Any]], turn: TurnServers | None) -> None:
        self._ice_servers, self._turn = list(ice_servers), turn

    def player(self, participant_id: str) -> Player:
        """The peer-to-peer player with the operator's STUN and TURN servers."""
        turn = [self._turn.for_participant(participant_id, now())] if self._turn is not None else []
        return Player(
            template="providers/mesh/_player.html",
            script="providers/mesh/main.js",
            stylesheets=tuple(f"providers/mesh/{noun}.css" for noun in NOUNS),
            context={"ice_servers": [*self._ice_servers, *turn]},
        )
