"""Rooms where only moderators see everybody, and the cameras of all, in real browsers."""

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.people import Person, follow, hears, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

GETS_NO_PICTURE = """(name) => {
  const video = [...document.querySelectorAll("video")].find((one) => one.getAttribute("aria-label").includes(name));
  return video.srcObject.getVideoTracks().every((track) => track.muted);
}"""
SWITCHES = ("Only moderators see who is in", "Only moderators see the cameras of others")


def tiles(page: Page, name: str) -> Locator:
    return page.locator(".tile").filter(has_text=name)


def listed(page: Page, name: str) -> Locator:
    return page.get_by_role("complementary", name="People").get_by_role("listitem").filter(has_text=name)


def switch(page: Page, *, on: bool) -> None:
    for label in SWITCHES:
        page.get_by_label(label).set_checked(on)
    follow(page.get_by_role("button", name="Save"))


def keep(page: Page, name: str) -> None:
    """Keep pictures of the page in two widths, for whoever looks at them."""
    if folder := os.environ.get("SCREENSHOTS"):
        for width, height in ((360, 740), (1280, 720)):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=f"{folder}/{name}-{width}.png")


def test_who_is_neither_seen_nor_heard_is_known_to_moderators_only_and_cameras_are_theirs(
    portal: Portal, person: Callable[..., Person]
) -> None:
    links = board_links(portal)
    alice, mo, ann, gus = person("Alice"), person("Mo"), person("Ann"), person("Gus")
    alice.sign_in()
    alice.page.get_by_role("link", name="Board meeting", exact=True).click()
    settings = alice.go(f"{alice.page.url}/settings")
    switch(settings, on=True)
    mo.join(links["moderator"])
    for one in (ann, gus):
        one.join(links["guest"])
        sees(mo.page, one.name)
    sees(gus.page, "Mo")
    hears(gus.page, "Ann")
    expect(tiles(gus.page, "Ann")).not_to_have_class("tile has-picture")
    gus.page.wait_for_function(GETS_NO_PICTURE, arg="Ann")
    expect(gus.page.get_by_text("In this room only moderators see your camera.")).to_be_visible()
    expect(mo.page.get_by_text("In this room only moderators see your camera.")).to_be_hidden()

    gus.page.get_by_role("button", name="People").click()
    expect(listed(gus.page, "Ann")).to_be_visible()
    expect(gus.page.get_by_text("Only moderators see everybody who is in.")).to_be_visible()
    ann.page.get_by_role("button", name="Mute microphone").click()
    expect(tiles(gus.page, "Ann")).to_have_count(0)
    expect(listed(gus.page, "Ann")).to_have_count(0)
    keep(gus.page, "list-hidden")
    sees(mo.page, "Ann")
    expect(tiles(mo.page, "Ann")).to_be_visible()
    ann.page.get_by_role("button", name="Unmute microphone").click()
    hears(gus.page, "Ann")
    keep(gus.page, "camera-for-moderators")

    switch(settings, on=False)  # for those who are in, too
    for one, other in ((gus, ann), (ann, gus)):
        sees(one.page, other.name)
        expect(tiles(one.page, other.name)).to_have_class("tile has-picture")
    expect(gus.page.get_by_text("In this room only moderators see your camera.")).to_be_hidden()
    switch(settings, on=True)
    gus.page.wait_for_function(GETS_NO_PICTURE, arg="Ann")
    hears(gus.page, "Ann")
    assert [one.complaints for one in (mo, ann, gus)] == [[], [], []]
