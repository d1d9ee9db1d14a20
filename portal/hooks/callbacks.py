"""Reading a provider's callback from the request, unparsed, as an adapter needs it to verify the signature."""

from flask import request

from portal.clock import now
from portal.providers.base import RawCallback
from portal.public_url import public_url


def read_callback() -> RawCallback:
    """The current request as a callback. Only below `/hooks`, where the raw body is read before it is parsed."""
    query = request.query_string.decode("latin-1")
    return RawCallback(
        url=public_url(request.path + (f"?{query}" if query else "")),
        method=request.method,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(cache=True),
        received_at=now(),
    )
