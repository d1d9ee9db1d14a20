"""Health checks for monitoring: `/livez` tells whether the process answers, `/readyz` whether it can work."""

import threading
import time

from flask import Blueprint, Flask, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from portal import db, engine
from portal.channels import channels
from portal.edge.guard import open_to_all
from portal.errors import ChannelsAway
from portal.revisions import newest_revision

bp = Blueprint("health", __name__)

KEPT_SECONDS = 1.0  # anybody may ask, and checking uses SQLite's one writer, so it happens once a second at most
PROBES = frozenset({"/livez", "/readyz"})


class Readiness:
    """The result of `missing`, computed at most once a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._cause = ""

    def cause(self) -> str:
        """What is missing: `database`, `migrations` or `channels`; empty if nothing is."""
        with self._lock:
            if time.monotonic() - self._asked_at > KEPT_SECONDS:
                self._cause = missing()
                self._asked_at = time.monotonic()
            return self._cause


def missing() -> str:
    """What keeps this portal from working now: `database`, `migrations`, `channels`, or "". Needs an app context."""
    try:
        revision = db.revision()
    except db.ReadOnly:
        return "database"
    except SQLAlchemyError as error:
        missing_tables = isinstance(error, DBAPIError) and engine.lacks_migration(error)
        return "migrations" if missing_tables else "database"
    if revision is None or revision < newest_revision():  # a newer one is what servers of before an upgrade find
        return "migrations"
    try:
        channels().last_message_id("readyz")
    except ChannelsAway:
        return "channels"
    return ""


@bp.record_once
def _install(state: object) -> None:
    app: Flask = state.app  # type: ignore[attr-defined]
    app.extensions["readiness"] = Readiness()


@bp.get("/livez")
@open_to_all
def livez() -> ResponseReturnValue:
    """200 as long as the process answers."""
    return {"status": "ok"}


@bp.get("/readyz")
@open_to_all
def readyz() -> ResponseReturnValue:
    """200 if the database takes writes and has our tables, and the channels answer; else 503 with the cause."""
    readiness: Readiness = current_app.extensions["readiness"]
    cause = readiness.cause()
    return ({"status": "unavailable", "cause": cause}, 503) if cause else {"status": "ok"}
