"""Reactions in real browsers: seen on the tile, and announced."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

REMEMBER = """(place) => {
  const reaction = document.querySelector(place);
  window.shown = [];
  new MutationObserver(() => reaction.hidden || shown.push(reaction.textContent)).observe(reaction, { attributes: true });
}"""


def test_a_reaction_is_seen_on_the_tile_for_a_while_and_announced(
    portal: Portal, person: Callable[..., Person]
) -> None:
    links = board_links(portal)
    mo, gus = person("Mo"), person("Gus")
    mo.join(links["moderator"])
    gus.join(links["guest"])
    for one, other in ((mo, gus), (gus, mo)):
        sees(one.page, other.name)
    places = ((mo.page, ".tile:not(.is-own) .tile-reaction"), (gus.page, ".tile.is-own .tile-reaction"))
    for page, place in places:
        page.evaluate(REMEMBER, place)
    gus.page.get_by_role("button", name="React").focus()
    gus.page.keyboard.press("Enter")
    gus.page.keyboard.press("Tab")
    gus.page.keyboard.press("Tab")
    expect(gus.page.get_by_role("button", name="Applause")).to_be_focused()
    gus.page.keyboard.press("Enter")
    for page, _place in places:
        page.wait_for_function("() => shown[0] === '\U0001f44f'")
    for page, place in places:
        expect(page.locator(place)).to_be_hidden(timeout=15_000)
    expect(mo.page.locator("#said")).to_have_text("Gus reacts: Applause")
    expect(gus.page.locator("#reactions")).to_be_hidden()
