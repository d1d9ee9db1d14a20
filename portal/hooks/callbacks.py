"""A provider's callback as it came over HTTP, untouched: what an adapter needs to verify a signature over it."""

from flask import request

from portal.clock import now
from portal.providers.base import RawCallback
from portal.public_url import public_url


def read_callback() -> RawCallback:
    """The callback that the present request is. Only below `/hooks`, where the raw body has been kept."""
    query = request.query_string.decode("latin-1")
    return RawCallback(
        url=public_url(request.path + (f"?{query}" if query else "")),
        method=request.method,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(cache=True),
        received_at=now(),
    )
