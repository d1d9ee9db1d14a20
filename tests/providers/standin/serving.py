"""The portal's commands with the stand-in in the catalog: `python -m tests.providers.standin.serving serve …`.

The adapter is added where each process makes its app, after gevent has patched what it patches.
"""

from typing import Any

from portal import cli, server


def add_to_catalog() -> None:
    """From now on, whoever makes an app in this process has the stand-in in its catalog."""
    from portal.providers import catalog
    from tests.providers.standin.adapter import StandInAdapter

    shipped = catalog.catalog

    def with_stand_in(**settings: Any) -> Any:
        return [*shipped(**settings), StandInAdapter()]

    catalog.catalog = with_stand_in


class ServerWithStandIn(server.Server):
    """The portal's server, whose processes know the stand-in."""

    def load(self) -> Any:
        from gevent import monkey

        monkey.patch_all()
        add_to_catalog()
        return super().load()


if __name__ == "__main__":
    import sys

    server.Server = ServerWithStandIn  # type: ignore[misc]
    if "serve" not in sys.argv:
        add_to_catalog()
    cli.main()
