"""A provider's callback as it came over HTTP, untouched: what an adapter needs to verify a signature over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from flask import current_app, request

from portal.clock import now
from portal.errors import NotFound
from portal.subscriptions.models import ServiceProvider


@dataclass(frozen=True, kw_only=True)
class RawCallback:
    """One request of a service provider."""

    url: str
    """The address as it is registered at the service: the portal's public base, the path, and the query as sent."""
    method: str
    """GET or POST."""
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes
    """Byte for byte what was sent; at most 1 MB."""
    received_at: datetime


def read_callback() -> RawCallback:
    """The callback that the present request is. Only below `/hooks`, where the raw body has been kept."""
    query = request.query_string.decode("latin-1")
    return RawCallback(
        url=current_app.config["BASE_URL"] + request.path + (f"?{query}" if query else ""),
        method=request.method,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(cache=True),
        received_at=now(),
    )


def receive(*, provider: ServiceProvider, callback: RawCallback) -> NoReturn:
    """Have the provider's adapter verify and read the callback. Raises `NotFound`: none of them receives any yet."""
    raise NotFound
