"""The rights of open streams, judged again: all streams of a process together, by a few statements once a minute.

Each by itself would cost several statements a minute for everybody who watches, even if nothing happens.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from uuid import UUID

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from portal.clock import now
from portal.db import reading, transaction
from portal.people.signed_in import signed_in_among
from portal.permissions.watching import Watched, watched_by_each

log = structlog.get_logger()

EXTENSION = "stream_rights"
MOST_AT_ONCE = 500
"""How many sign-ins one statement reads: pages are answered between two."""


class StreamRights:
    """What the sign-ins with open streams may watch, as of the last round in which it was read for all of them."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._watching: Counter[UUID] = Counter()
        self._watched: dict[UUID, Watched] = {}
        self._read_at = -math.inf
        self._lock = threading.Lock()

    @contextmanager
    def include(self, sign_in_uuid: UUID) -> Iterator[None]:
        """Judge this sign-in in each round while the block runs."""
        self._watching[sign_in_uuid] += 1
        try:
            yield
        finally:
            self._watching[sign_in_uuid] -= 1
            if not self._watching[sign_in_uuid]:
                del self._watching[sign_in_uuid]

    def watched(self, sign_in_uuid: UUID, *, since: float) -> tuple[Watched | None, float]:
        """What the sign-in may watch, or None if it does not count any more, and when it was read: after `since`.

        Begins a round if the last one is not as new. Times are those of `time.monotonic`. A round that fails is one in
        which nobody's rights were found: so all streams end at once, and not each after a try of its own.
        """
        with self._lock:
            if self._read_at <= since:
                began = time.monotonic()
                try:
                    self._watched = self.read(list(self._watching))
                except SQLAlchemyError as error:
                    log.warning("the rights of streams could not be read", error=type(error).__name__)
                    self._watched = {}
                self._read_at = began
            return self._watched.get(sign_in_uuid), self._read_at

    def read(self, sign_in_uuids: Collection[UUID]) -> dict[UUID, Watched]:
        """What those of these sign-ins that count may watch now, without people who are shut out."""
        watched: dict[UUID, Watched] = {}
        remaining = iter(sign_in_uuids)
        days = self._app.config["SESSION_DAYS"]
        while some := list(islice(remaining, MOST_AT_ONCE)):
            with self._app.app_context(), reading(), transaction():
                actors = [one for one in signed_in_among(some, at=now(), days=days) if not one.shut_out]
                of_people = watched_by_each(actors)
            watched |= {one.sign_in.uuid: of_people[one.uuid] for one in actors if one.sign_in is not None}
        return watched


def install(app: Flask) -> None:
    """Give this app rights of streams of its own, because they are read from its database."""
    app.extensions[EXTENSION] = StreamRights(app)
