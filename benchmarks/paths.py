"""The measured paths. To add one, add a line to `PATHS`: what is sent, by whom, and what it may cost."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from benchmarks.seeding import CODE
from benchmarks.sites import Browser, Site
from portal.edge import cursors
from portal.web.manage.room_list import cursor_after

ROOMS = "/manage/rooms"
API = "/api/v1/rooms"
BY_NAME = "?orderBy=room_name&cursor="


@dataclass(frozen=True)
class Path:
    """One line of the report.

    `address` is the path below the portal, for the n-th connection; `by` who sends it (the same browser on
    all connections, or a list with one for each); `fields` are sent along, as a form or by a program as JSON.
    `verb` and `answer` need to be said where they are not a form's: POST, and 303.
    """

    name: str
    address: Callable[[Site, int], str]
    by: Callable[[Site], Browser | list[Browser]]
    ratio: float
    """At least so many requests per second, divided by those of the bare page."""
    statements: int
    fields: dict[str, Any] | None = None
    small: bool = False
    """Measured with 1,000 rooms, not with 100,000."""
    verb: str = ""
    answer: HTTPStatus | None = None

    @property
    def method(self) -> str:
        """The method of the request."""
        return self.verb or ("GET" if self.fields is None else "POST")

    @property
    def status(self) -> HTTPStatus:
        """The status of a right answer."""
        return self.answer or (HTTPStatus.OK if self.fields is None else HTTPStatus.SEE_OTHER)

    def browsers(self, site: Site, connections: int) -> list[Browser]:
        """Who sends the request, for each connection."""
        by = self.by(site)
        return [by[n % len(by)] for n in range(connections)] if isinstance(by, list) else [by] * connections

    def requests(self, site: Site, connections: int) -> list[str]:
        """The text of the request that the load generator sends, for each connection."""
        return [
            browser.request(self.method, self.address(site, number), self.fields)
            for number, browser in enumerate(self.browsers(site, connections))
        ]


def owner(site: Site) -> Browser:
    """The owner of all rooms."""
    return site.owner


def member(site: Site) -> Browser:
    """A member of three rooms."""
    return site.member


def staff(site: Site) -> Browser:
    """Somebody of the staff, who sees every room."""
    return site.staff


def program(site: Site) -> Browser:
    """A program of the owner, with all scopes."""
    return site.program


def guests(site: Site) -> list[Browser]:
    """Guests, each with a link of another room."""
    return site.guests


def coded(site: Site) -> list[Browser]:
    """Attendees, each with a link of another room that needs a code."""
    return site.coded


def at(address: str) -> Callable[[Site, int], str]:
    """This address for all connections."""
    return lambda _site, _number: address


def join(site: Site, number: int) -> str:
    """The address of the n-th room's door."""
    return site.seeded.rooms[number % len(site.seeded.rooms)].path


def manage(rest: str) -> Callable[[Site, int], str]:
    """An address below the n-th room's page for its owner."""
    return lambda site, number: f"{ROOMS}/{site.seeded.rooms[number % len(site.seeded.rooms)].id}{rest}"


def deep(site: Site, _number: int) -> str:
    """The page of the list that begins in the middle of all rooms."""
    middle = site.seeded.middle
    with site.app.app_context():
        return f"{ROOMS}?{urlencode({'after': cursor_after((middle.sort_name, middle.uuid))})}"


def api(rest: str) -> Callable[[Site, int], str]:
    """An address of the API below the n-th room."""
    return lambda site, number: f"{API}/{site.seeded.rooms[number % len(site.seeded.rooms)].id}{rest}"


def deep_api(site: Site, _number: int) -> str:
    """The page of the API's list that begins, by a cursor, in the middle of all rooms."""
    middle = site.seeded.middle
    with site.app.app_context():
        cursor = cursors.encode((middle.sort_name, middle.uuid), of="api.rooms.index", order="room_name asc")
    return f"{API}?{urlencode({'cursor': cursor})}"


SETTINGS = {
    "room_name": "Board meeting",
    "slug": "board-meeting",
    "description": "A room for the bench.",
    "is_public": "y",
    "active": "y",
}

CHANGE = {"room_name": "Board meeting", "is_public": True, "room_settings": {"description": "A room for the bench."}}

PATHS = [
    Path("join page", join, guests, 0.7, 2),
    Path("join", join, guests, 0.4, 9, {"name": "Gus"}),
    Path("join with code", join, coded, 0.4, 9, {"name": "Gus", "code": CODE}),
    Path("rooms first", at(ROOMS), owner, 0.5, 3),
    Path("rooms deep", deep, owner, 0.5, 3),
    Path("rooms first 1,000", at(ROOMS), owner, 0.5, 3, small=True),
    Path("rooms deep 1,000", deep, owner, 0.5, 3, small=True),
    Path("rooms first member", at(ROOMS), member, 0.5, 3),
    Path("rooms first staff", at(ROOMS), staff, 0.5, 3),
    Path("rooms deep staff", deep, staff, 0.5, 3),
    Path("search two words", at(f"{ROOMS}?search=phys+12"), owner, 0.3, 3),
    Path("search broad", at(f"{ROOMS}?search=rev"), owner, 0.3, 3),
    Path("status fragment", manage("/status"), owner, 0.5, 5),
    Path("create room", at(f"{ROOMS}/new"), owner, 0.5, 6, {"room_name": "Bench"}),
    Path("create link", manage("/links/new"), owner, 0.5, 5, {"role": "guest"}),
    Path("update room", manage("/settings"), owner, 0.45, 5, SETTINGS),
    Path("API rooms first", at(f"{API}{BY_NAME}"), program, 0.5, 3),
    Path("API rooms deep", deep_api, program, 0.5, 3),
    Path("API first 1,000", at(f"{API}{BY_NAME}"), program, 0.5, 3, small=True),
    Path("API deep 1,000", deep_api, program, 0.5, 3, small=True),
    Path("API search two words", at(f"{API}{BY_NAME}&search=phys+12"), program, 0.3, 3),
    Path("API search broad", at(f"{API}{BY_NAME}&search=rev"), program, 0.3, 3),
    Path("API one room", api(""), program, 0.5, 2),
    Path("API status", api("/status"), program, 0.5, 3),
    Path("API create room", at(API), program, 0.5, 6, {"room_name": "Bench"}, answer=HTTPStatus.CREATED),
    Path("API create token", api("/tokens"), program, 0.5, 5, {"role": "guest"}, answer=HTTPStatus.CREATED),
    Path("API update room", api(""), program, 0.45, 5, CHANGE, verb="PATCH", answer=HTTPStatus.OK),
]
