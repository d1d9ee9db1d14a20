"""Which names and addresses are this machine only. Imports nothing: the server asks before gevent has patched."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether this name or address is this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
