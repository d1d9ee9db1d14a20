"""The network from which somebody asks, as limits count it: an IPv4 address, or the /64 of an IPv6 address.

Proxies write addresses in several ways (`203.0.113.8`, `203.0.113.8:40001`, `[2001:db8::8]:40001`), of which the port
differs with each connection. What is no address counts as one network, so that nobody escapes a limit by it.
"""

import ipaddress
import re

SUBNET = 64  # bits of an IPv6 address that one household or office shares
UNKNOWN = "unknown"
"""The network of everybody whose address is missing or makes no sense."""

_WITH_PORT = re.compile(r"\[(?P<ipv6>[^\]]*)\](?::\d+)?|(?P<ipv4>[0-9.]+):\d+", re.ASCII)


def network_of(address: str) -> str:
    """The network of an address, which may have a port; `UNKNOWN` for what is no address."""
    text = address.strip()
    if found := _WITH_PORT.fullmatch(text):
        text = found["ipv6"] or found["ipv4"] or ""
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(parsed), SUBNET), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)
