"""What the portal's pages do by themselves, between two requests."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.people import Person
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def test_how_long_a_room_is_live_counts_on_while_nobody_is_asked(portal: Portal, person: Callable[..., Person]) -> None:
    guest, alice = person("Jun Tanaka"), person("Alice")
    guest.join(board_links(portal)["guest"])
    alice.sign_in()
    page = alice.page
    room = page.get_by_role("link", name="Board meeting", exact=True).get_attribute("href")
    assert room
    page.clock.install()
    for asked in ("**/live", "**/status*"):
        page.route(asked, lambda route: route.fulfill(status=204))  # no news from the portal
    for path, age in (("/manage/rooms", ".room-state time[data-for]"), (room, "#status time[data-for]")):
        shown = alice.go(path).locator(age)
        expect(shown).to_contain_text(re.compile(" (s|min)$"))
        page.clock.fast_forward("01:12:00")
        expect(shown).to_have_text(re.compile(r"^1 h 1\d min$"))
