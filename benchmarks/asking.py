"""What a measured path is, and the requests of which one is made."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from benchmarks.sites import Browser, Site

TURNS = 16
"""How many different requests a connection sends in turn."""
TWO_WORDS = tuple(f"search=phys+{number}" for number in range(10, 10 + TURNS))
"""Searches by the begins of two words, each of which finds few of very many names."""


@dataclass(frozen=True)
class Ask:
    """One request: `fields` are sent along, as a form or by a program as JSON."""

    by: Browser
    address: str
    fields: dict[str, Any] | None = None
    verb: str = ""
    """The method, where it is neither GET nor, with fields, POST."""

    @property
    def method(self) -> str:
        """The method of the request."""
        return self.verb or ("GET" if self.fields is None else "POST")

    @property
    def text(self) -> str:
        """The request as it goes over the wire."""
        return self.by.request(self.method, self.address, self.fields)


@dataclass(frozen=True)
class Path:
    """One line of the report. `asks` are the requests of the n-th connection in a round, sent in turn."""

    name: str
    asks: Callable[[Site, int], list[Ask]]
    ratio: float
    """At least so much: the processor time of the bare page, divided by that of this path."""
    statements: int
    reference: Callable[[Site, int], list[Ask]] | None = None
    """The same job, asked of the reference."""
    status: HTTPStatus = HTTPStatus.OK
    small: bool = False
    """Measured with 1,000 rooms, not with 100,000."""
    desk: bool = False
    """A page of staff, slow beside the others: few and short rounds, and in a quick run none unless it is named."""


def in_turn(ask: Callable[[Site, int, int], Ask]) -> Callable[[Site, int], list[Ask]]:
    """For each connection its requests: `ask(site, connection, turn)`."""
    return lambda site, connection: [ask(site, connection, turn) for turn in range(TURNS)]


def same(by: Callable[[Site], Browser], *addresses: str) -> Callable[[Site, int], list[Ask]]:
    """These addresses in turn, by the same person on all connections."""
    return lambda site, _connection: [Ask(by(site), address) for address in addresses]


def owner(site: Site) -> Browser:
    """The owner of all rooms but the small owners'."""
    return site.owner


def member(site: Site) -> Browser:
    """A member of three rooms."""
    return site.member


def staff(site: Site) -> Browser:
    """Somebody of the staff, who sees every room."""
    return site.staff
