"""Removing somebody from a conversation: asked before, undone after, by pointer and by keys."""

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TARGETS = """() => [...document.querySelectorAll(".side button, .bar button")]
  .filter((one) => one.checkVisibility())
  .map((one) => ({ box: one.getBoundingClientRect(), label: one.getAttribute("aria-label") ?? one.innerText }))
  .filter(({ box }) => Math.min(box.width, box.height) < 44)
  .map(({ label }) => label)"""


def make_all_public(portal: Portal) -> None:
    engine = sa.create_engine(f"sqlite:///{portal.data / 'foyer.db'}", connect_args={"timeout": 10})
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE rooms SET is_public = true"))
    engine.dispose()


def people_of(page: Page) -> None:
    page.get_by_role("button", name="People").click()
    expect(page.get_by_role("complementary", name="People")).to_be_focused()


def test_removing_asks_first_and_who_was_removed_comes_back_when_let_in(
    portal: Portal, person: Callable[..., Person]
) -> None:
    links = board_links(portal)
    host, anna, ben = person("Mo Moderator"), person("Anna Lee"), person("Ben Two")
    host.join(links["moderator"])
    anna.join(links["guest"])
    ben.join(links["guest"])
    page = host.page
    sees(page, "Anna Lee")
    people_of(page)
    panel = page.get_by_role("complementary", name="People")
    remove, keep = (panel.get_by_role("button", name=word) for word in ("Remove Anna Lee", "Keep Anna Lee in"))

    remove.dblclick()  # by mistake, and too fast
    question = panel.get_by_role("group", name=re.compile("^Remove Anna Lee\\?"))
    expect(question).to_contain_text("unless you let them back in")
    keep.click()
    expect(remove).to_be_focused()
    remove.click()
    expect(keep).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(remove).to_be_focused()
    expect(panel).to_be_visible()
    expect(page.locator("#people-count")).to_have_text("3")

    page.keyboard.press("Enter")  # by keys from here
    page.keyboard.press("Shift+Tab")
    expect(question.get_by_role("button", name="Remove Anna Lee")).to_be_focused()
    page.keyboard.press("Enter")
    expect(anna.page.get_by_role("heading", name="A moderator removed you from the room.")).to_be_visible()
    expect(anna.page.get_by_text("this page notices it by itself")).to_be_visible()
    expect(page.locator("#people-count")).to_have_text("2")
    expect(page.locator("#said")).to_have_text(
        "Anna Lee was removed. You can let them back in from the list of people."
    )
    expect(ben.page.locator("#said")).to_have_text("Anna Lee left")
    expect(panel).to_be_focused()
    people_of(ben.page)
    assert ben.page.get_by_role("button", name=re.compile("Anna Lee|Remove|Mute Mo|Let back in")).count() == 0
    assert ben.page.get_by_role("heading", name="Removed").count() == 0
    anna.go(links["guest"])
    expect(anna.page.get_by_role("heading", name="You were removed from this room")).to_be_visible()

    expect(panel.get_by_role("heading", name="Removed")).to_be_visible()
    panel.get_by_role("button", name="Let back in: Anna Lee").click()
    expect(panel.get_by_role("heading", name="Removed")).to_be_hidden()
    expect(page.locator("#said")).to_have_text("Anna Lee can come in again.")
    anna.page.get_by_role("button", name="Join").click()  # her page has found it by itself
    anna.page.wait_for_url("**/-/conference")
    sees(page, "Anna Lee")
    expect(page.locator("#people-count")).to_have_text("3")


def test_the_page_after_a_removal_leads_back_by_itself(portal: Portal, person: Callable[..., Person]) -> None:
    links = board_links(portal)
    make_all_public(portal)
    host, anna = person("Mo Moderator", viewport={"width": 360, "height": 740}, has_touch=True), person("Anna Lee")
    host.join(links["moderator"])
    anna.join(links["guest"])
    page = host.page
    sees(page, "Anna Lee")
    page.get_by_role("button", name="People").tap()
    page.get_by_role("button", name="Remove Anna Lee").tap()
    assert page.evaluate(TARGETS) == []
    page.get_by_role("group", name=re.compile("^Remove Anna Lee")).get_by_role("button", name="Remove Anna Lee").tap()
    expect(anna.page.get_by_role("heading", name="A moderator removed you from the room.")).to_be_visible()
    readmit = page.get_by_role("button", name="Let back in: Anna Lee")
    expect(readmit).to_be_visible()
    expect(page.get_by_text("The room is public: with another browser they can come back.")).to_be_visible()
    expect(page.get_by_role("button", name="Turn on the lobby").last).to_be_visible()
    assert page.evaluate(TARGETS) == []
    readmit.tap()
    back = anna.page.get_by_role("link", name="Rejoin")
    expect(anna.page.get_by_role("heading", name="A moderator let you back in.")).to_be_visible(timeout=15_000)
    expect(back).to_be_focused()
    back.click()
    anna.page.get_by_role("button", name="Join").click()
    sees(anna.page, "Mo Moderator")
