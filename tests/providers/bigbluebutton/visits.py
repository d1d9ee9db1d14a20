"""People who are about to join, and their browsers, which follow the addresses that they are given."""

import urllib.request
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from portal.providers.base import Visit
from portal.providers.bigbluebutton.adapter import BigBlueButtonService


def visit(role: Literal["moderator", "attendee", "guest"] = "guest", person: str = "p1", name: str = "Gus") -> Visit:
    """Somebody who is about to enter."""
    return Visit(participant_id=person, name=name, role=role, return_url="https://rooms.example/left")


def query(address: str) -> dict[str, str]:
    """What the query of an address says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def go(address: str) -> str:
    """The page on which a browser arrives."""
    with urllib.request.urlopen(address, timeout=5) as page:
        return str(page.read().decode())


def come(service: BigBlueButtonService, run: str, *people: Visit) -> None:
    """Have these people follow their addresses, and be in."""
    for person in people:
        assert "You are in." in go(service.destination(run, person).url)
