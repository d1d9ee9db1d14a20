"""The two servers that the portal is compared with, on the portal's own server class and database.

*bare*: one template and one query by primary key. *reference*: see `benchmarks.reference`.
Run as `python -m benchmarks.plain bare|reference PORT WORKERS DATABASE_URL ROOM_UUID FOLDER`.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import SecretStr

from portal.server import Server
from portal.settings import Settings

if TYPE_CHECKING:
    from flask import Flask, Response
    from sqlalchemy import Engine

PAGE = """<!doctype html>
<html lang="en"><head><title>{{ name }}</title></head><body><h1>{{ name }}</h1></body></html>
"""


class PlainServer(Server):
    """The portal's gunicorn with the same worker class, in front of an app that `make` makes of an engine."""

    def __init__(self, settings: Settings, options: dict[str, Any], make: "Callable[[Engine], Flask]") -> None:
        self._make = make
        super().__init__(settings, options)

    def load(self) -> Any:
        """The app, made after gevent has patched the standard library, with an engine like the portal's."""
        from gevent import monkey

        monkey.patch_all()
        import sqlalchemy as sa

        from portal.engine import configure_engine, engine_options

        engine = sa.create_engine(self._settings.database, **engine_options(self._settings.database))
        configure_engine(engine)
        app = self._make(engine)
        app.config["SETTINGS"] = self._settings
        return app


def bare(room_uuid: UUID, files: Path) -> "Callable[[Engine], Flask]":
    """The bare page: the name of this room. And the files of this folder, for everybody."""

    def make(engine: "Engine") -> "Flask":
        import sqlalchemy as sa
        from flask import Flask, render_template, send_from_directory
        from jinja2 import DictLoader

        from portal.rooms.models import Room

        app = Flask("bare")
        app.jinja_loader = DictLoader({"page.html": PAGE})
        query = sa.select(Room.room_name).where(Room.uuid == room_uuid)

        @app.get("/")
        def page() -> str:
            with engine.connect() as connection:
                return render_template("page.html", name=connection.execute(query).scalar_one())

        @app.get("/files/<path:name>")
        def file(name: str) -> "Response":
            return send_from_directory(files, name, max_age=31_536_000)

        return app

    return make


def reference(_room_uuid: UUID, _files: Path) -> "Callable[[Engine], Flask]":
    """The reference."""

    def make(engine: "Engine") -> "Flask":
        from benchmarks.reference import create_app

        return create_app(engine)

    return make


if __name__ == "__main__":
    kind, port, workers, database_url, room, files = sys.argv[1:]
    key = SecretStr("never used by these pages, but required")
    settings = Settings(database_url=database_url, secret_keys=(key,))
    options = {"bind": f"127.0.0.1:{port}", "workers": int(workers), "post_worker_init": lambda worker: None}
    PlainServer(
        settings, options, {"bare": bare, "reference": reference}[kind](UUID(room), Path(files).resolve())
    ).run()
