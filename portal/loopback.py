"""Whether a host name or IP address can be reached from this machine only, and whether a port of it is free.

This module imports nothing of the portal, because the server needs it before gevent patches the library.
"""

import socket
from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether `host` is a loopback address, `localhost`, or a name below `localhost`."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_free(port: int) -> bool:
    """Whether nothing listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
