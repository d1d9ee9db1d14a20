"""People write from right to left, too: their text keeps its direction, and leaves that of the page alone."""

import re
from html.parser import HTMLParser

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account
from portal.admission.models import AccessCode, RoomToken
from portal.credentials.models import OAuthClient
from portal.customers.models import Customer
from portal.db import session, transaction
from portal.edge.i18n import gettext, isolated
from portal.people.models import User
from portal.rooms.models import Role, Room
from portal.webhooks.models import WebhookEndpoint
from tests.cast import Cast, Client

HEBREW = "יעל (Dana)!"
VOID = {"meta", "link", "input", "br", "img", "path", "rect", "circle"}
TYPED = {"text", "search", "email"}


class Reader(HTMLParser):
    """Collects the texts that run from right to left in an element that does not ask for the text's own direction."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.seen = 0
        self.astray: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "input" and has.get("type", "text") in TYPED and HEBREW in (has.get("value") or ""):
            self._meet(has.get("dir") == "auto", f"<input {has}>")
        if tag == "title":
            has["dir"] = None
        if tag not in VOID:
            self.open.append((tag, tag == "bdi" or has.get("dir") == "auto"))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for before in data.split(HEBREW)[:-1]:
            self._meet(before.endswith("\u2068") or any(auto for _, auto in self.open[-1:]), data.strip())

    def _meet(self, good: bool, where: str) -> None:
        self.seen += 1
        if not good:
            self.astray.append(where)


def read(client: Client, path: str) -> int:
    """How often people's text is on the page. All of it has to run in its own direction."""
    reader = Reader()
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == 200, (path, answer.status)
    reader.feed(answer.text)
    assert reader.astray == [], path
    return reader.seen


@pytest.fixture
def hebrew(app: Flask, cast: Cast) -> Cast:
    """The demo world, in which people wrote everything in Hebrew."""
    alice = cast.sign_in("alice")
    made = alice.send(f"/manage/rooms/{cast.board}/webhooks/new", url="https://example.org/hook", events=["code.used"])
    assert made.status_code == 303
    made = alice.send("/me/credentials/new", name="A program", scopes=["rooms.read"])
    assert made.status_code == 201
    cast.join(Role.MODERATOR, name=HEBREW)
    cast.join(Role.GUEST, name="Gus")
    with app.app_context(), transaction():
        for model, values in (
            (User, {"name": HEBREW}),
            (Customer, {"company_name": HEBREW}),
            (Account, {"account_name": HEBREW}),
            (RoomToken, {"label": HEBREW}),
            (AccessCode, {"label": HEBREW}),
            (WebhookEndpoint, {"description": HEBREW}),
            (OAuthClient, {"name": HEBREW, "description": HEBREW}),
            (Room, {"room_name": HEBREW}),
        ):
            session.execute(sa.update(model).values(**values))
        for room in session.scalars(sa.select(Room)):
            room.room_settings = {**room.room_settings, "description": HEBREW}
    return cast


def test_text_of_people_runs_in_its_own_direction_on_every_page_for_owners(hebrew: Cast) -> None:
    alice, room = hebrew.sign_in("alice"), f"/manage/rooms/{hebrew.board}"
    pages = {
        "/manage/rooms": 6,
        f"/manage/rooms?search={HEBREW}": 3,  # nothing is found, and the page says so
        "/manage/rooms/new": 1,
        "/me": 1,
        "/me/credentials": 2,
        room: 5,
        f"{room}/links": 4,
        f"{room}/links/new": 3,
        f"{room}/codes": 4,
        f"{room}/people": 4,
        f"{room}/sessions": 3,
        f"{room}/webhooks": 4,
        f"{room}/settings": 4,
        f"{room}/deletion": 3,
        f"{room}/ending": 3,
        f"/rooms/{hebrew.board}/-/entry": 2,
    }
    found = {path: read(alice, path) for path in pages}
    assert {path: number for path, number in found.items() if number < pages[path]} == {}


def test_text_of_people_runs_in_its_own_direction_at_the_door_and_in_the_room(hebrew: Cast) -> None:
    guest = hebrew.follow(Role.GUEST)
    assert read(guest, guest.get(hebrew.links[Role.GUEST]).location) >= 5
    host = hebrew.join(Role.MODERATOR, name=HEBREW)
    assert read(host, f"/rooms/{hebrew.board}/-/conference") >= 2
    page = guest.get(f"/rooms/{hebrew.board}", follow_redirects=True).text
    field = re.search(r'<input [^>]*name="name"[^>]*>', page)
    assert field is not None
    assert 'dir="auto"' in field[0]


def test_a_message_isolates_what_it_quotes(app: Flask) -> None:
    with app.test_request_context():
        assert gettext("“%(name)s” is back.", name="Ada") == "“Ada” is back."
        assert gettext("“%(name)s” is back.", name=HEBREW) == f"“\u2068{HEBREW}\u2069” is back."
    assert isolated(7) == 7
