"""The portal's commands with Vimeo at the stand-in's address: `python -m tests.providers.vimeo.serving serve …`.

The environment's `STANDIN` tells the address. The catalog is changed where each process makes its app, after gevent has
patched what it patches.
"""

import os
import sys
from typing import Any

from portal import cli, server


def move_vimeo() -> None:
    """From now on, whoever makes an app in this process has Vimeo at the stand-in's address."""
    from portal.providers import catalog
    from portal.providers.vimeo.adapter import Vimeo

    shipped, here = catalog.catalog, os.environ["STANDIN"]

    def moved(**settings: Any) -> Any:
        others = [one for one in shipped(**settings) if one.key != Vimeo.key]
        return [*others, Vimeo(api=here, player=here, uploads=[here])]

    catalog.catalog = moved


class ServerWithVimeo(server.Server):
    """The portal's server, whose processes know the stand-in."""

    def load(self) -> Any:
        from gevent import monkey

        monkey.patch_all()
        move_vimeo()
        return super().load()


if __name__ == "__main__":
    server.Server = ServerWithVimeo  # type: ignore[misc]
    if "serve" not in sys.argv:
        move_vimeo()
    cli.main()
