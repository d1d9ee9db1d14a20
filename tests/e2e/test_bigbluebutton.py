"""A room that a BigBlueButton server holds, as browsers see it: from the link into the meeting, and back."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.app import create_app
from portal.db import db
from tests.cast import Cast
from tests.conftest import settings_for
from tests.e2e.people import Person, follow
from tests.e2e.test_journeys import live_badge
from tests.presentations import PDF
from tests.providers.bigbluebutton.server import BbbServer, running_bbb
from tests.providers.bigbluebutton.world import give_board_room_to
from tests.servers import Portal, wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture
def server() -> Iterator[BbbServer]:
    with running_bbb() as server:
        server.calls_back = True
        yield server


@pytest.fixture
def held_by(tmp_path: Path, furnished_sqlite: Path, server: BbbServer) -> Callable[[str], Cast]:
    """Makes the demo world in the portal's data folder, with the board room held by the server, as one of this type."""

    def make(provider_type: str) -> Cast:
        data = tmp_path / "data"
        data.mkdir()
        shutil.copy(furnished_sqlite, data / "foyer.db")
        app = create_app(settings_for(f"sqlite:///{data / 'foyer.db'}", data))
        cast = Cast(app)
        give_board_room_to(cast, server, provider_type=provider_type)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        return cast

    return make


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    portal = Portal(tmp_path / "data", environment={"OUTGOING_ALLOWED": "127.0.0.1/32"})
    yield portal
    portal.stop()
    print(portal.log()[-6000:])  # shown beside what failed


def link_for_guests(cast: Cast) -> Any:
    return next(link for role, link in cast.links.items() if role.value == "guest")


def join(page: Any, name: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You are in.")).to_be_visible()


def test_a_guest_meets_at_the_server_and_comes_back_while_the_owner_watches(
    held_by: Callable[[str], Cast], portal: Portal, server: BbbServer, person: Callable[..., Person]
) -> None:
    cast = held_by("bigbluebutton")
    portal.start()
    alice, guest = person("Alice"), person("Gus Guest")
    guest.may_ask = (*guest.may_ask, server.url)
    alice.sign_in()
    room = alice.go(f"/manage/rooms/{cast.board}")
    live_badge(room, "Idle")
    page = guest.go(link_for_guests(cast))
    join(page, "Gus Guest")
    assert page.url.startswith(f"{server.url}/html5client/join")
    live_badge(room, "Live", seconds=20)
    expect(room.get_by_text("Gus Guest")).to_be_visible()
    page.get_by_role("link", name="Leave the meeting").click()
    expect(page.get_by_role("heading", name="You left the room.")).to_be_visible()
    live_badge(room, "Idle", seconds=20)
    page.get_by_role("link", name="Rejoin").click()
    join(page, "Gus Guest")


def test_a_balancer_leads_browsers_on_to_one_of_its_servers(
    held_by: Callable[[str], Cast], portal: Portal, server: BbbServer, person: Callable[..., Person]
) -> None:
    cast = held_by("scalelite")
    portal.start()
    guest = person("Gus Guest")
    with running_bbb() as behind:
        server.sends_on_to = behind.url
        guest.may_ask = (*guest.may_ask, server.url, behind.url)
        page = guest.go(link_for_guests(cast))
        join(page, "Gus Guest")
        assert page.url.startswith(f"{behind.url}/html5client/join")


def test_a_presentation_is_uploaded_on_the_rooms_settings_and_the_server_fetches_it(
    held_by: Callable[[str], Cast],
    portal: Portal,
    server: BbbServer,
    person: Callable[..., Person],
    seen: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    cast = held_by("bigbluebutton")
    server.fetches = True
    portal.start()
    alice, guest = person("Alice"), person("Gus Guest")
    alice.sign_in()
    page = alice.go(f"/manage/rooms/{cast.board}/settings")
    part = page.get_by_role("region", name="Presentation")

    def upload(name: str, content: bytes) -> None:
        (tmp_path / name).write_bytes(content)
        part.get_by_label("File").set_input_files(tmp_path / name)
        follow(part.get_by_role("button", name=re.compile("presentation")))

    upload("slides.pdf", b"x" * 31_000_000)
    expect(part.get_by_text("This file is too large: it has 32 MB, and at most 30 are taken.")).to_be_visible()
    expect(part.get_by_label("File")).to_be_focused()
    seen(page, "room-presentation-refused")
    slides = PDF + b"x" * 3_000_000
    upload("Überblick & Zahlen.pdf", slides)
    expect(part.get_by_text("Überblick & Zahlen.pdf", exact=True)).to_be_visible()
    seen(page, "room-presentation")
    guest.may_ask = (*guest.may_ask, server.url)
    join(guest.go(link_for_guests(cast)), "Gus Guest")
    wait_for(lambda: server.fetched, what="fetching")
    [(name, kind, content)] = server.fetched
    assert (name, kind, len(content)) == ("Überblick & Zahlen.pdf", "application/pdf", len(slides))
    assert content == slides
    assert "signature" not in portal.log()
    follow(part.get_by_role("button", name="Remove Überblick & Zahlen.pdf"))
    expect(page.get_by_text("The presentation was removed.")).to_be_visible()
