"""The head of a room's pages: its tabs on a phone, and the live state on each of them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.people import Person, follow
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

IN_VIEW = """(tab) => {
  const [one, all] = [tab.getBoundingClientRect(), tab.parentElement.getBoundingClientRect()];
  return one.left >= all.left - 1 && one.right <= all.right + 1;
}"""


def test_on_a_phone_the_current_tab_is_in_view_and_a_fade_says_where_there_are_more(
    person: Callable[..., Person],
) -> None:
    alice = person("Alice", viewport={"width": 360, "height": 740})
    alice.sign_in()
    page = alice.page
    follow(page.get_by_role("link", name="Board meeting", exact=True))
    tabs = page.get_by_role("navigation", name="Room")
    assert tabs.evaluate("(tabs) => tabs.scrollWidth > tabs.clientWidth")
    expect(tabs).to_have_class("tabs has-after")
    for name, classes in (("People", "tabs has-before has-after"), ("Settings", "tabs has-before")):
        follow(tabs.get_by_role("link", name=name))
        assert tabs.locator("[aria-current]").evaluate(IN_VIEW), name
        assert page.evaluate("scrollY") == 0
        expect(tabs).to_have_class(classes)
    page.set_viewport_size({"width": 1280, "height": 740})
    expect(tabs).to_have_class("tabs")


def test_every_tab_shows_the_live_state_and_changes_with_it(portal: Portal, person: Callable[..., Person]) -> None:
    alice, guest = person("Alice"), person("Gus Guest")
    alice.sign_in()
    page = alice.page
    follow(page.get_by_role("link", name="Board meeting", exact=True))
    follow(page.get_by_role("navigation", name="Room").get_by_role("link", name="Links"))
    badge = page.locator("#live-badge")
    expect(badge).to_have_text("Idle")
    guest.join(board_links(portal)["guest"])
    expect(badge).to_contain_text("1 in")  # by itself
    guest.leave()
    expect(badge).to_contain_text("Idle", timeout=15_000)
