"""What people may see large, and the keys that press buttons."""

import os
from collections.abc import Callable
from itertools import combinations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, sees
from tests.e2e.test_chat import open_chat
from tests.e2e.test_journeys import board_links
from tests.e2e.test_screen_sharing import share
from tests.e2e.test_tiles import MEASURE, MODULE, inside, overlap
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SIZES = ((360, 740), (740, 360), (1280, 720), (1920, 1080))
SPEAK = f"""async (id) => {{
  const {{ hear }} = await {MODULE % "layouts.js"};
  for (let heard = 0; heard < 3; heard++) hear(id, true);
}}"""

SMALL_WINDOW = "(name) => document.pictureInPictureElement?.ariaLabel === name"


def choose(page: Page, what: str) -> None:
    page.get_by_role("button", name="View").click()
    page.get_by_role("button", name=what).click()


def assert_in_place(page: Page, what: str) -> None:
    """One picture is larger than all others, and none lies over another, in every window."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        where = f"{what} at {width} × {height}"
        seen = page.evaluate(MEASURE)
        assert all(inside(tile, seen["stage"]) for tile in seen["tiles"]), where
        assert not any(overlap(one, other) for one, other in combinations(seen["tiles"], 2)), where
        sizes = sorted(tile["width"] * tile["height"] for tile in seen["tiles"])
        assert sizes[-1] > 2 * sizes[-2], where
        assert sizes[0] > 2000, where
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{what}-{width}.png")


def test_who_speaks_is_large_unless_a_screen_is(portal: Portal, person: Callable[..., Person]) -> None:
    links = board_links(portal)
    mo, gus, ann = person("Mo"), person("Gus"), person("Ann")
    mo.join(links["moderator"])
    gus.join(links["guest"])
    ann.join(links["attendee"], code="DEMO-2026")
    for one in (gus, ann):
        one.page.get_by_role("button", name="Mute microphone").click()
    large = mo.page.locator(".tile.is-large")
    for other in (gus, ann):
        sees(mo.page, other.name)
        expect(mo.page.locator(".tile").filter(has_text=f"{other.name}, microphone off")).to_be_visible()
    expect(large).to_have_count(0)
    choose(mo.page, "Speaker")
    expect(large).to_contain_text("Gus")
    mo.page.evaluate(SPEAK, ann.page.locator("#player").get_attribute("data-id"))
    expect(large).to_contain_text("Ann")
    assert_in_place(mo.page, "speaker")
    choose(mo.page, "Picture in picture")
    mo.page.wait_for_function(SMALL_WINDOW, arg="Picture of Ann")
    expect(mo.page.locator("#small-window")).to_have_attribute("aria-pressed", "true")
    mo.page.keyboard.press("w")
    mo.page.wait_for_function("() => !document.pictureInPictureElement")
    expect(mo.page.locator("#small-window")).to_have_attribute("aria-pressed", "false")
    mo.page.reload()
    sees(mo.page, "Ann")
    expect(large).to_have_count(1)  # what was chosen is remembered on the device
    share(gus.page)
    sees(mo.page, "Screen of Gus")
    expect(large).to_contain_text("Screen of Gus")
    assert_in_place(mo.page, "speaker-screen")
    choose(mo.page, "Grid")
    expect(large).to_contain_text("Screen of Gus")
    gus.page.get_by_role("button", name="Stop sharing").click()
    expect(large).to_have_count(0)


def test_keys_press_buttons_and_never_while_somebody_types(portal: Portal, person: Callable[..., Person]) -> None:
    mo = person("Mo")
    mo.join(board_links(portal)["moderator"])
    page = mo.page
    microphone = page.locator("#microphone")
    expect(microphone).to_be_enabled()
    page.keyboard.press("m")
    expect(microphone).to_contain_text("Unmute microphone")
    page.keyboard.press("Control+m")
    open_chat(mo)
    page.keyboard.type("mph?")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("mph?")
    expect(microphone).to_contain_text("Unmute microphone")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.get_by_role("complementary", name="People")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement?.id === 'player'")
    page.keyboard.press("f")
    page.wait_for_function("() => !document.fullscreenElement")

    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    page.keyboard.press("m")  # the dialog alone is heard
    expect(microphone).to_contain_text("Unmute microphone")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    choose(page, "Keyboard shortcuts")
    dialog.get_by_label("Use these keys").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.reload()
    expect(microphone).to_contain_text("Unmute microphone")
    page.keyboard.press("m")
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    expect(microphone).to_contain_text("Unmute microphone")
