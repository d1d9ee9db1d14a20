"""Whether a host name is an IP address that is written in another way than addresses are.

Resolvers and browsers read `2130706433`, `0x7f000001`, `127.1`, `0177.0.0.1`, `127.0.0.1.`, full-width digits and
`::ffff:127.0.0.1` as 127.0.0.1. Nobody who means well writes them, and who checks addresses should not have to guess.
This module imports nothing of the portal.
"""

import re
import unicodedata
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")


def is_ip_in_disguise(host: str) -> bool:
    """Whether programs may take `host`, without brackets, for an IP address that it does not look like."""
    plain = unicodedata.normalize("NFKC", host.translate(_DOTS)).lower()
    try:
        if ":" in plain:
            return IPv6Address(plain).ipv4_mapped is not None
        if not _NUMBER.fullmatch(plain.rstrip(".").rpartition(".")[2]):
            return False
        return str(IPv4Address(plain)) != host
    except AddressValueError:
        return True
