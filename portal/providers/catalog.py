"""The list of adapters that the portal has. To add one, make a folder beside this file and add a line here."""

from collections.abc import Sequence
from typing import Any

from portal.providers.base import Adapter, Places
from portal.providers.bigbluebutton import adapter as bigbluebutton
from portal.providers.mesh.adapter import Mesh
from portal.providers.mesh.turn import TurnServers
from portal.providers.vimeo.adapter import Vimeo
from portal.providers.vod.adapter import VideoOnDemand


def catalog(
    *,
    ice_servers: Sequence[dict[str, Any]],
    mesh_people: tuple[int, int],
    turn_urls: Sequence[str] = (),
    turn_secret: str = "",
) -> list[Adapter]:
    """All adapters, configured with the operator's settings."""
    senders, people = mesh_people
    turn = TurnServers(turn_urls, turn_secret) if turn_urls else None
    return [
        Mesh(ice_servers, turn, Places(people=people, senders=senders)),
        VideoOnDemand(),
        Vimeo(),
        bigbluebutton.SERVER,
        bigbluebutton.BALANCER,
    ]
