"""Whether a host name or IP address can be reached from this machine only.

This module imports nothing of the portal, because the server needs it before gevent patches the library.
"""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether `host` is a loopback address, `localhost`, or a name below `localhost`."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
