"""Locking the room and ending the conversation for everyone, in real browsers, by keys."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person
from tests.e2e.test_doors import change_board
from tests.e2e.test_journeys import board_links
from tests.e2e.test_removals import people_of
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def test_a_locked_room_keeps_others_out_until_it_is_unlocked_and_ending_sends_all_out(
    portal: Portal, person: Callable[..., Person]
) -> None:
    links = board_links(portal)
    mo, gus, late = person("Mo Moderator"), person("Gus"), person("Late Lee")
    mo.join(links["moderator"])
    gus.join(links["guest"])
    expect(mo.page.locator("#people-count")).to_have_text("2")
    people_of(mo.page)
    people_of(gus.page)
    assert gus.page.get_by_role("button", name=re.compile("Lock room|End for everyone")).count() == 0

    mo.page.get_by_role("button", name="Lock room").focus()
    mo.page.keyboard.press("Enter")
    expect(gus.page.locator("#said")).to_have_text("A moderator has locked the room: nobody else can come in.")
    for page in (mo.page, gus.page):
        expect(page.get_by_text("Locked", exact=True)).to_be_visible()
    late.go(links["guest"])
    expect(late.page.get_by_text("A moderator has locked the room")).to_contain_text("This page tells you when")
    gus.page.reload()
    expect(gus.page.locator("#people-count")).to_have_text("2")

    mo.page.get_by_role("button", name="Unlock room").click()
    expect(gus.page.get_by_text("Locked", exact=True)).to_be_hidden()
    expect(late.page.get_by_text("Open now, 2 people are in")).to_be_visible(timeout=15_000)
    late.page.get_by_label("Your name").fill("Late Lee")
    late.page.get_by_role("button", name="Join").click()
    expect(mo.page.locator("#people-count")).to_have_text("3")

    end = mo.page.get_by_role("button", name="End for everyone")
    question = mo.page.get_by_role("group", name=re.compile("^End the conversation for everyone"))
    end.click()
    expect(question.get_by_role("button", name="Go on")).to_be_focused()
    mo.page.keyboard.press("Escape")
    expect(end).to_be_focused()
    expect(question).to_be_hidden()
    mo.page.keyboard.press("Enter")
    mo.page.keyboard.press("Shift+Tab")
    mo.page.keyboard.press("Enter")
    for one in (mo, gus, late):
        expect(one.page.get_by_role("heading", name="The conversation was ended for everyone.")).to_be_visible()
    assert [one.complaints for one in (mo, gus, late)] == [[], [], []]


def test_a_locked_room_in_every_look(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    links = board_links(portal)
    mo, late = person("Mo Silva"), person("Jun Tanaka")
    mo.join(links["moderator"])
    expect(mo.page.locator("#people-count")).to_have_text("1")
    mo.page.get_by_role("button", name="People").click()
    seen(mo.page, "conference-unlocked")
    mo.page.get_by_role("button", name="Lock room").click()
    expect(mo.page.get_by_role("button", name="Unlock room")).to_be_visible()
    seen(late.go(links["guest"]), "join-locked")
    mo.page.get_by_role("button", name="End for everyone").click()
    seen(mo.page, "conference-ending")
    mo.page.get_by_role("button", name="End for everyone").click()
    expect(mo.page.get_by_role("heading", name="The conversation was ended for everyone.")).to_be_visible()
    seen(mo.page, "conference-ended")


def test_who_comes_in_reads_the_welcome_once(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    links = board_links(portal)
    welcome = "Welcome to the board. " * 12
    change_board(portal, settings=json.dumps({"welcome_message": welcome, "moderator_only_message": "The PIN is 7."}))
    mo, gus = person("Mo Silva"), person("Gus")
    mo.join(links["moderator"])
    gus.join(links["guest"])
    for one, told in ((mo, True), (gus, False)):
        box = one.page.get_by_role("region", name="Welcome")
        expect(box).to_contain_text("Welcome to the board.")
        expect(box.get_by_text("The PIN is 7.")).to_be_visible(visible=told)
    seen(mo.page, "conference-welcome")
    box = mo.page.get_by_role("region", name="Welcome")
    box.get_by_role("button", name="OK").click()
    expect(box).to_be_hidden()
    mo.page.reload()
    expect(mo.page.locator("#people-count")).to_have_text("2")
    expect(box).to_be_hidden()
