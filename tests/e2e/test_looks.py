"""Every page in light and dark, at 360 and 1280 px: no violation that axe can find, nothing wider than the screen.

With SCREENSHOTS=folder the pictures are kept; the README's is one of them.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
LOOKS = [("light", 360), ("light", 1280), ("dark", 360), ("dark", 1280)]


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def look(request: pytest.FixtureRequest) -> tuple[str, int]:
    scheme, width = request.param
    return scheme, width


@pytest.fixture
def seen(look: tuple[str, int]) -> Iterator[Callable[[Page, str], None]]:
    """Looks at a page; all complaints are told together at the end."""
    complaints: list[str] = []
    scheme, width = look

    def at(page: Page, name: str) -> None:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=name != "conference")
        found = Axe().run(page, options=AXE).response["violations"]
        complaints.extend(f"{name}: {one['id']}: {one['nodes'][0]['html'][:160]}" for one in found)
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            complaints.append(f"{name}: {wide} px wider than the screen")

    yield at
    assert complaints == []


def test_pages_of_owners(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None], look: tuple[str, int]
) -> None:
    links = board_links(portal)
    chair, guest, alice = person("Mo Silva"), person("Jun Tanaka"), person("Alice")
    chair.join(links["moderator"])
    guest.join(links["guest"])
    page = alice.go("/sign-in")
    seen(page, "sign-in")
    alice.sign_in()
    seen(page, "rooms")
    page.get_by_role("link", name="New room").first.click()
    page.get_by_role("button", name="Create room").click()
    expect(page.get_by_text("Give the room a name.")).to_be_visible()
    seen(page, "room-new-refused")
    alice.create_room(
        "Quarterly supervisory board meeting with the external auditors of Globex Verwaltungsgesellschaft mbH"
    )
    seen(page, "room-new")
    alice.go("/manage/rooms").get_by_role("link", name="Board meeting", exact=True).click()
    expect(page.get_by_text("Jun Tanaka")).to_be_visible()
    seen(page, "room")
    room = page.url
    for name, path in (
        ("links", "/links"),
        ("link-new", "/links/new"),
        ("codes", "/codes"),
        ("code-new", "/codes/new"),
        ("people", "/people"),
        ("person-new", "/people/new"),
        ("settings", "/settings"),
        ("deletion", "/deletion"),
    ):
        seen(alice.go(room + path), name)
    alice.go(f"{room}/links").get_by_role("link", name="Test Members").click()
    seen(page, "link-test")
    page.get_by_label("More for Press").click()
    seen(page, "link-menu")
    page.get_by_role("button", name="Revoke").click()
    seen(page, "link-revoke")
    page.get_by_role("button", name="Revoke").click()
    seen(page, "link-revoked")
    seen(alice.go("/me"), "me")
    seen(alice.go("/manage/rooms?search=nothing+like+it"), "rooms-none")
    charlie = person("Charlie")
    charlie.sign_in()
    seen(charlie.page, "rooms-first")
    seen(charlie.go(room.removeprefix(portal.address)), "not-found")


def test_pages_of_guests(portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    links = board_links(portal)
    host, guest = person("Mo Moderator"), person("Jun Tanaka")
    page = guest.go(links["attendee"])
    seen(page, "join")
    page.get_by_label("Your name").fill("Jun Tanaka")
    page.get_by_label("Access code").fill("KDTM-4QXB")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("That code does not fit this link")).to_be_visible()
    seen(page, "join-wrong-code")
    host.join(links["moderator"])
    guest.join(links["attendee"], code="DEMO-2026")
    sees(page, "Mo Moderator")
    sees(host.page, "Jun Tanaka")
    seen(host.page, "conference")
    host.page.get_by_role("button", name="People").click()
    seen(host.page, "conference-people")
    guest.leave()
    seen(page, "left")
    alice = person("Alice")
    alice.sign_in()
    alice.page.get_by_role("link", name="Board meeting", exact=True).click()
    room = alice.page.url
    seen(alice.go(f"{portal.address}/rooms/{room.rsplit('/', 1)[1]}/-/entry"), "entry")
    alice.go(f"{room}/links").get_by_label("More for Press").click()
    alice.page.get_by_role("button", name="Pause").click()
    seen(guest.go(links["guest"]), "refused")
    seen(guest.go("/rooms/1111111111/nowhere"), "nothing")
