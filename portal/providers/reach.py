"""What an operator lets the portal call beside servers out on the internet by https, as values that are asked.

Whoever types an address in must not thereby reach into the portal's own network. So it takes the operator's word, and
that of two kinds: switches for all private networks and all plain http (webhooks, which customers type in), and a list
of networks with ports (services, which staff type in), which opens no more than it names.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

LAST_PORT = 65_535


@dataclass(frozen=True)
class AllowedNetwork:
    """A network that may be called, at one port or, for None, at any."""

    network: IPv4Network | IPv6Network
    port: int | None

    def holds(self, address: IPv4Address | IPv6Address, port: int) -> bool:
        """Whether this port of the address lies in it."""
        return address in self.network and self.port in (None, port)


@dataclass(frozen=True)
class Reach:
    """Which addresses are called beside public ones by https. `private` and `plain` allow all private ones, all http.

    `allowed` are called whether private or not, by http as well.
    """

    private: bool = False
    plain: bool = False
    allowed: tuple[AllowedNetwork, ...] = ()

    def allows(self, address: IPv4Address | IPv6Address, port: int) -> bool:
        """Whether the operator has named a network that this port of the address lies in."""
        return any(one.holds(address, port) for one in self.allowed)


def read_allowed(text: str) -> tuple[AllowedNetwork, ...]:
    """Networks as an operator writes them: `10.0.0.0/8, 127.0.0.1/32:1935, [fd00::/8]:443`. Raises `ValueError`."""
    return tuple(_read_one(word) for word in _words(text))


def _words(text: str) -> Iterable[str]:
    return (word for word in (part.strip() for part in text.split(",")) if word)


_WRITTEN = re.compile(
    r"\[(?P<six>[^\]]+)\](?::(?P<port_six>\d{1,5}))?|(?P<four>[0-9./]+)(?::(?P<port_four>\d{1,5}))?|(?P<bare>.+)",
    re.ASCII,
)


def _read_one(word: str) -> AllowedNetwork:
    found = _WRITTEN.fullmatch(word)
    try:
        assert found is not None  # a word has a character at least, which is bare if nothing else
        port = found["port_six"] or found["port_four"]
        number = int(port) if port else None
        if number is not None and not 1 <= number <= LAST_PORT:
            raise ValueError
        return AllowedNetwork(ip_network(found["six"] or found["four"] or found["bare"]), number)
    except ValueError:
        words = f"{word} is no network: write one like 10.0.0.0/8, 127.0.0.1/32:8080 or [fd00::/8]:443"
        raise ValueError(words) from None
