"""Hands, and what moderators ask of others' pages, in real browsers."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_hands_go_up_in_order_and_moderators_lower_them(portal: Portal, person: Callable[..., Person]) -> None:
    links = board_links(portal)
    mo, gus = person("Mo"), person("Gus")
    mo.join(links["moderator"])
    gus.join(links["guest"])
    for one, other in ((mo, gus), (gus, mo)):
        sees(one.page, other.name)
    hand = gus.page.get_by_role("button", name="Raise hand")
    hand.focus()
    gus.page.keyboard.press("Enter")
    expect(gus.page.get_by_role("button", name="Lower hand")).to_have_attribute("aria-pressed", "true")
    expect(mo.page.locator(".tile:not(.is-own) .tile-hand")).to_be_visible()
    mo.page.get_by_role("button", name="Raise hand").click()
    mo.page.get_by_role("button", name="People").click()
    people = mo.page.get_by_role("complementary", name="People").get_by_role("listitem")
    expect(people.filter(has_text="Guest")).to_contain_text("hand raised, number 1")
    expect(people.filter(has_text="Moderator")).to_contain_text("hand raised, number 2")
    mo.page.get_by_role("button", name="Lower the hand of Gus").click()
    expect(hand).to_have_attribute("aria-pressed", "false")
    expect(people.filter(has_text="Moderator")).to_contain_text("hand raised, number 1")
    mo.page.get_by_role("button", name="Stop the camera of Gus").click()
    expect(gus.page.get_by_text("A moderator stopped your camera. You can start it yourself.")).to_be_visible()
    expect(mo.page.get_by_role("button", name="Stop the camera of Gus")).to_be_hidden()
    gus.page.get_by_role("button", name="Start camera").click()
    expect(gus.page.get_by_text("A moderator stopped your camera.")).to_be_hidden()
    sees(mo.page, "Gus")


def test_a_moderator_asks_to_unmute_and_nothing_is_on_without_an_answer(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    links = board_links(portal)
    mo, gus = person("Mo"), person("Gus")
    mo.join(links["moderator"])
    gus.join(links["guest"])
    for one, other in ((mo, gus), (gus, mo)):
        sees(one.page, other.name)
    mo.page.get_by_role("button", name="People").click()
    ask = mo.page.get_by_role("button", name="Ask Gus to unmute")
    expect(mo.page.get_by_role("button", name="Mute Gus")).to_be_visible()
    expect(ask).to_be_hidden()
    gus.page.get_by_role("button", name="Mute microphone").click()
    ask.click()
    expect(mo.page.get_by_role("button", name="Asked to unmute: Gus")).to_be_visible()
    question = gus.page.get_by_role("group", name="A moderator asks you to unmute your microphone.")
    expect(question).to_be_visible()
    seen(gus.page, "asked-to-unmute")
    seen(mo.page, "asks-to-unmute")
    question.get_by_role("button", name="Not now").click()
    expect(question).to_be_hidden()
    expect(gus.page.get_by_role("button", name="Unmute microphone")).to_be_focused()
    expect(mo.page.get_by_role("button", name="Mute Gus")).to_be_hidden()
    mo.page.get_by_role("button", name="Asked to unmute: Gus").click()  # once more
    question.get_by_role("button", name="Unmute microphone").click()
    expect(gus.page.get_by_role("button", name="Mute microphone")).to_be_focused()
    expect(mo.page.get_by_role("button", name="Mute Gus")).to_be_visible()
    expect(ask).to_be_hidden()
