"""Server-sent events. A stream holds no database session; it looks things up in short transactions."""

import json
from collections.abc import Iterator
from typing import Any

from flask import Response

HEARTBEAT_SECONDS = 15.0
LONGEST_SECONDS = 3600.0  # then the browser reconnects by itself: no stream lives for ever


def event(name: str, data: Any, *, number: str = "") -> str:
    """One named event as it goes over the wire."""
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def heartbeat() -> str:
    """A comment that keeps proxies patient and finds out that nobody listens any more."""
    return ":\n\n"


def stream(events: Iterator[str]) -> Response:
    """The answer that carries `events`."""
    response = Response(events, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response
