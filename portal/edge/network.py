"""The network that a request comes from, for limits and for the audit. Nothing else reads the address of a request.

It is that of the connection, or what TRUSTED_PROXIES proxies say in X-Forwarded-For.
"""

from flask import request

from portal.networks import network_of


def network() -> str:
    """The network of the current request, as `portal.networks` writes it."""
    return network_of(request.remote_addr or "")
