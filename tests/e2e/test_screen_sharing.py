"""Shared screens in real browsers: seen by all, large, by those who come later, too; and how sharing ends."""

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.people import Person, follow, hears, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SCREEN = "Screen of Gus"
ENDED_BY_THE_BROWSER = """() => {
  const [track] = document.querySelector(".is-own.is-screen video").srcObject.getVideoTracks();
  track.stop();
  track.dispatchEvent(new Event("ended"));
}"""


def share(page: Page) -> None:
    page.get_by_role("button", name="Share screen").click()
    expect(page.get_by_role("button", name="Stop sharing", exact=True)).to_have_attribute("aria-pressed", "true")


def screen(page: Page, name: str = SCREEN) -> Locator:
    return page.locator(".is-screen").filter(has_text=name)


def keep(page: Page, name: str) -> None:
    """Keep pictures of the page in two widths, for whoever looks at them."""
    if folder := os.environ.get("SCREENSHOTS"):
        for width, height in ((360, 740), (1280, 720)):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=f"{folder}/{name}-{width}.png")


def test_a_shared_screen_is_large_for_all_and_its_end_is_noticed(portal: Portal, person: Callable[..., Person]) -> None:
    links = board_links(portal)
    mo, gus, ann = person("Mo"), person("Gus"), person("Ann")
    mo.join(links["moderator"])
    gus.join(links["guest"])
    for one, other in ((mo, gus), (gus, mo)):
        sees(one.page, other.name)
    share(gus.page)
    sees(mo.page, SCREEN)
    hears(mo.page, SCREEN)  # this browser gives its sound, too
    sees(mo.page, "Picture of Gus")
    expect(screen(mo.page)).to_have_class("tile is-screen has-picture is-large")
    sees(gus.page, "Your screen, as others see it")
    keep(mo.page, "screen-of-other")
    keep(gus.page, "screen-own")

    ann.join(links["attendee"], code="DEMO-2026")  # whoever comes later sees it as well
    for name in (SCREEN, "Picture of Gus", "Picture of Mo"):
        sees(ann.page, name)
    screen(ann.page).get_by_role("button", name="Full screen").click()
    ann.page.wait_for_function("() => document.fullscreenElement?.classList.contains('is-screen')")
    screen(ann.page).get_by_role("button", name="Leave full screen").click()
    ann.page.wait_for_function("() => !document.fullscreenElement")

    share(mo.page)
    sees(ann.page, "Screen of Mo")
    expect(screen(ann.page, "Screen of Mo")).to_have_class("tile is-screen has-picture is-large")
    expect(screen(ann.page)).to_have_class("tile is-screen has-picture")  # the newest is large, the other a tile
    keep(ann.page, "screens-two")
    mo.page.evaluate(ENDED_BY_THE_BROWSER)
    expect(mo.page.get_by_role("button", name="Share screen")).to_be_visible()
    expect(screen(ann.page, "Screen of Mo")).to_have_count(0)
    expect(screen(ann.page)).to_have_class("tile is-screen has-picture is-large")

    mo.page.get_by_role("button", name="People").click()
    people = mo.page.get_by_role("complementary", name="People").get_by_role("listitem")
    expect(people.filter(has_text="Gus")).to_contain_text("Guest, shares a screen")
    keep(mo.page, "screen-people")
    mo.page.get_by_role("button", name="Stop the screen sharing of Gus").click()
    expect(gus.page.get_by_text("A moderator stopped your screen sharing. You can share again.")).to_be_visible()
    for one in (mo, ann):
        expect(one.page.locator(".is-screen")).to_have_count(0)
        sees(one.page, "Gus")

    share(gus.page)
    sees(ann.page, SCREEN)
    mo.page.get_by_role("button", name="Stop sharing for others").click()
    expect(gus.page.get_by_text("A moderator has stopped screen sharing, so yours has ended.")).to_be_visible()
    for one in (mo, ann, gus):
        expect(one.page.locator(".is-screen")).to_have_count(0)
    expect(gus.page.get_by_role("button", name="Share screen")).to_be_hidden()
    expect(mo.page.get_by_role("button", name="Share screen")).to_be_visible()
    keep(mo.page, "sharing-stopped")
    mo.page.get_by_role("button", name="Allow sharing").click()
    share(gus.page)
    for one in (mo, ann):
        sees(one.page, SCREEN)


def test_a_screen_ends_with_its_page_and_where_the_room_turns_sharing_off(
    portal: Portal, person: Callable[..., Person]
) -> None:
    links = board_links(portal)
    mo, gus, alice = person("Mo"), person("Gus"), person("Alice")
    gus.join(links["guest"])
    share(gus.page)  # before anybody else is there
    mo.join(links["moderator"])
    sees(mo.page, SCREEN)
    gus.page.reload()
    expect(screen(mo.page)).to_have_count(0)
    sees(mo.page, "Gus")
    share(gus.page)
    sees(mo.page, SCREEN)

    alice.sign_in()
    alice.page.get_by_role("link", name="Board meeting", exact=True).click()
    alice.go(f"{alice.page.url}/settings").get_by_label("Screen sharing").select_option("off")
    follow(alice.page.get_by_role("button", name="Save"))
    expect(screen(mo.page)).to_have_count(0)  # his page still sends it: what the portal does not name is not shown
    for one in (mo, gus):
        expect(one.page.get_by_role("button", name="Share screen")).to_be_hidden()
    expect(gus.page.get_by_text("Screen sharing was turned off in this room, so yours has ended.")).to_be_visible()
    expect(gus.page.locator(".is-screen")).to_have_count(0)
