"""Server-sent events: the format, the response, and limits on streams.

A stream holds no database session while it waits; it queries in short transactions. When the process is told to end, it
ends its streams (`end_all`): each would wait for news for longer than the process may take.
"""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Response

from portal.channels import Watch
from portal.clock import now

HEARTBEAT_SECONDS = 15.0
LONGEST_SECONDS = 3600.0  # then the browser reconnects by itself: no stream lives for ever
MOST_STREAMS = 20  # of one sign-in in one process; a browser needs one
REPLACED = "replaced"
"""The word of the nudge by which a stream learns that it has to end, because there are newer ones."""

_open: dict[object, list[Watch]] = {}
_in_turns: dict[int, Watch] = {}
_all_ended = threading.Event()
_lock = threading.Lock()


def event(name: str, data: Any, *, number: str = "") -> str:
    """One named event in the format of the protocol, with `data` as JSON. `number` is its id."""
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


@lru_cache(maxsize=256)
def cached_event(name: str, data: str) -> str:
    """One named event with a short text as its data, written once for the thousands of streams that send it at once."""
    return event(name, data)


def heartbeat() -> str:
    """A comment: it keeps proxies from closing the connection, and finds out if the client has gone."""
    return ":\n\n"


def stream(events: Iterator[str]) -> Response:
    """The response that streams `events`."""
    response = Response(events, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def waiting_time(heartbeat_seconds: float, until: datetime | None) -> float:
    """The seconds that a stream waits for news: a heartbeat, or less if a right on which it depends ends before."""
    if until is None:
        return heartbeat_seconds
    return min(heartbeat_seconds, max(0.0, (until - now()).total_seconds()))


def turns(watch: Watch) -> Iterator[int]:
    """The turns of a loop that waits by `watch`, from 0, until the stream is `LONGEST_SECONDS` old or `end_all`."""
    end = time.monotonic() + LONGEST_SECONDS
    with _lock:
        _in_turns[id(watch)] = watch
    try:
        for turn in itertools.count():
            if _all_ended.is_set() or time.monotonic() > end:
                return
            yield turn
    finally:
        with _lock:
            del _in_turns[id(watch)]


def end_all() -> None:
    """End every stream of this process, now and later. The browsers connect again, to the process that comes next."""
    _all_ended.set()
    with _lock:
        watches = list(_in_turns.values())
    for watch in watches:
        watch.tell("")


@contextmanager
def one_of_few(owner: object, watch: Watch) -> Iterator[None]:
    """Count a stream of `owner` while the block runs. If there are more than `MOST_STREAMS`, the oldest is ended."""
    with _lock:
        watches = _open.setdefault(owner, [])
        watches.append(watch)
        oldest = watches[:-MOST_STREAMS]
    for replaced in oldest:
        replaced.tell(REPLACED)
    try:
        yield
    finally:
        with _lock:
            watches[:] = [other for other in watches if other is not watch]
            if not watches and _open.get(owner) is watches:
                del _open[owner]
