"""The bare Flask page, the reference of all ratios: one template and one primary-key query, on the portal's server.

Run as `python -m benchmarks.bare PORT WORKERS DATABASE_URL ROOM_UUID`.
"""

import sys
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from portal.server import Server
from portal.settings import Settings

PAGE = """<!doctype html>
<html lang="en"><head><title>{{ name }}</title></head><body><h1>{{ name }}</h1></body></html>
"""


class BareServer(Server):
    """The portal's gunicorn with the same worker class, in front of the bare page."""

    def __init__(self, settings: Settings, options: dict[str, Any], room_uuid: UUID) -> None:
        self._room_uuid = room_uuid
        super().__init__(settings, options)

    def load(self) -> Any:
        """The bare page, made in the worker after gevent has patched the standard library."""
        import sqlalchemy as sa
        from flask import Flask, render_template
        from jinja2 import DictLoader

        from portal.db import engine_options
        from portal.rooms.models import Room

        app = Flask("bare")
        app.jinja_loader = DictLoader({"page.html": PAGE})
        engine = sa.create_engine(self._settings.database, **engine_options(self._settings.database))
        query = sa.select(Room.room_name).where(Room.uuid == self._room_uuid)

        @app.get("/")
        def page() -> str:
            with engine.connect() as connection:
                return render_template("page.html", name=connection.execute(query).scalar_one())

        return app


if __name__ == "__main__":
    port, workers, database_url, room_uuid = sys.argv[1:]
    key = SecretStr("never used by the bare page, but required")
    settings = Settings(database_url=database_url, secret_keys=(key,))
    options = {"bind": f"127.0.0.1:{port}", "workers": int(workers), "post_worker_init": lambda worker: None}
    BareServer(settings, options, UUID(room_uuid)).run()
