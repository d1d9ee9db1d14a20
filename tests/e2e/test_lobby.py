"""The lobby, in real browsers: waiting, being admitted or turned away, by pointer and by keys."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, follow
from tests.e2e.test_journeys import board_links
from tests.e2e.test_removals import people_of
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RINGS = """() => {
  const start = OscillatorNode.prototype.start;
  window.rings = 0;
  OscillatorNode.prototype.start = function (...at) { window.rings++; return start.apply(this, at); };
}"""


def ask_guests_to_wait(alice: Person) -> str:
    """Alice, signed in, turns the lobby on. The address of the room's page."""
    alice.sign_in()
    alice.page.get_by_role("link", name="Board meeting", exact=True).click()
    page = alice.page.url
    alice.go(f"{page}/settings").get_by_label("Guests").select_option(label="Wait until a moderator lets them in")
    follow(alice.page.get_by_role("button", name="Save"))
    return page


def knock(one: Person, link: str) -> Page:
    page = one.go(link)
    page.get_by_label("Your name").fill(one.name)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Keep this page open: you come in by yourself.")).to_be_visible()
    return page


def test_guests_wait_until_a_moderator_admits_or_refuses_them(portal: Portal, person: Callable[..., Person]) -> None:
    links = board_links(portal)
    alice, mo = person("Alice"), person("Mo Moderator")
    gus, fay, zoe = person("Gus"), person("Fay"), person("Zoe")
    room = ask_guests_to_wait(alice)
    page = knock(gus, links["guest"])
    expect(page.get_by_text("No moderator is here yet.")).to_be_visible()
    alice.go(room)
    expect(alice.page.get_by_text("1 guest waits to be let in")).to_be_visible()

    mo.page.add_init_script(f"({RINGS})()")
    mo.join(links["moderator"])
    note = mo.page.get_by_role("region", name="Gus is waiting to be let in.")
    expect(note).to_be_visible()
    mo.page.wait_for_function("() => window.rings === 1")
    expect(page.get_by_text("A moderator sees that you are waiting")).to_be_visible(timeout=15_000)
    page.reload()  # the place is kept
    expect(page.get_by_text("A moderator sees that you are waiting")).to_be_visible()
    note.get_by_role("button", name="Admit", exact=True).focus()
    mo.page.keyboard.press("Enter")
    page.wait_for_url("**/-/conference", timeout=15_000)  # by itself
    expect(note).to_be_hidden()
    expect(mo.page.locator("#people-count")).to_have_text("2")

    knock(fay, links["guest"])
    knock(zoe, links["guest"])
    expect(mo.page.get_by_role("region", name="2 are waiting to be let in: Fay, Zoe")).to_be_visible()
    expect(gus.page.locator("#lobby")).to_be_hidden()
    people_of(mo.page)
    panel = mo.page.get_by_role("complementary", name="People")
    panel.get_by_role("button", name="Refuse Fay").click()
    expect(fay.page.get_by_role("heading", name="You were not let in this time")).to_be_visible(timeout=15_000)
    expect(panel.get_by_role("heading", name="Not let in")).to_be_visible()
    panel.get_by_role("button", name="Admit Fay").click()
    expect(panel.get_by_role("heading", name="Not let in")).to_be_hidden()

    alice.go(room).get_by_role("button", name="Admit Zoe").click()
    expect(alice.page.get_by_text("Zoe can come in.")).to_be_visible()
    zoe.page.wait_for_url("**/-/conference", timeout=15_000)
    expect(mo.page.get_by_role("region", name=re.compile("waiting to be let in"))).to_be_hidden()
    assert mo.page.evaluate("() => window.rings") in {2, 3}  # once for those who came together, or for each


def test_the_lobby_in_every_look(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    links = board_links(portal)
    alice, mo, jun, ann = person("Alice"), person("Mo Silva"), person("Jun Tanaka"), person("Ann Lee")
    room = ask_guests_to_wait(alice)
    seen(jun.go(links["guest"]), "lobby-before")
    page = knock(jun, links["guest"])
    seen(page, "lobby-unattended")
    seen(alice.go(room), "lobby-room-unattended")
    mo.join(links["moderator"])
    expect(mo.page.get_by_role("region", name="Jun Tanaka is waiting to be let in.")).to_be_visible()
    seen(mo.page, "lobby-note")
    knock(ann, links["guest"])
    expect(mo.page.get_by_role("region", name=re.compile("^2 are waiting"))).to_be_visible()
    mo.page.get_by_role("button", name="People").click()
    seen(mo.page, "lobby-people")
    seen(alice.go(room), "lobby-room")
    mo.page.get_by_role("button", name="Refuse Jun Tanaka").click()
    expect(page.get_by_role("heading", name="You were not let in this time")).to_be_visible(timeout=15_000)
    seen(page, "lobby-turned-away")
    seen(mo.page, "lobby-refused")
