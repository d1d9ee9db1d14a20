"""The list of adapters. To add one: a folder beside this file and a line here."""

from collections.abc import Sequence
from typing import Any

from portal.providers.base import Adapter
from portal.providers.mesh.adapter import Mesh


def catalog(*, ice_servers: Sequence[dict[str, Any]]) -> list[Adapter]:
    """Every adapter of this portal, configured."""
    return [Mesh(ice_servers)]
