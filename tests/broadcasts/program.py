"""The portal's commands, with the adapter of live rooms, which the product does not offer yet.

python -m tests.broadcasts.program serve
"""

import sys
from typing import Any


def main() -> None:
    if "serve" in sys.argv:
        from gevent import monkey

        monkey.patch_all()
    from portal import cli
    from portal.providers import catalog
    from portal.providers.broadcast.adapter import LiveBroadcasts

    shipped = catalog.catalog

    def with_live(**settings: Any) -> list[Any]:
        return [*shipped(**settings), LiveBroadcasts()]

    catalog.catalog = with_live
    cli.main()


if __name__ == "__main__":
    main()
