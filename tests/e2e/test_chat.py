"""The chat in real browsers: written, read, counted while it is closed, kept over a broken network, and never markup."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CHAT = re.compile(r"^Chat\b")  # also with how many are unread

TAGS = "<img src=x onerror=alert(1)> <b>bold</b>"
NO_LINKS = "https://bank.example@evil.example/ https://:bank@evil.example javascript:alert(1) data:text/html,x"


def open_chat(one: Person) -> None:
    one.page.get_by_role("button", name=CHAT).click()
    expect(one.page.get_by_role("textbox", name="Message")).to_be_focused()


def write(one: Person, text: str, *, to: str | None = None) -> None:
    if to is not None:
        one.page.get_by_label("To", exact=True).select_option(label=to)
    box = one.page.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")
    expect(box).to_have_value("")


def lines(page: Page) -> list[str]:
    return page.locator("#chat-list li p").all_inner_texts()


def test_people_write_to_all_and_to_one(portal: Portal, person: Callable[..., Person]) -> None:
    mo, ann, gus = person("Mo"), person("Ann"), person("Gus")
    links = board_links(portal)
    for one, role in ((mo, "moderator"), (gus, "guest")):
        one.join(links[role])
    for one, other in ((mo, gus), (gus, mo)):
        sees(one.page, other.name)
    open_chat(mo)
    expect(mo.page.get_by_text("Nobody has written yet.")).to_be_visible()
    write(mo, f"See https://example.org/a?b=1. {TAGS} {NO_LINKS}")
    button = gus.page.get_by_role("button", name=CHAT)
    expect(button).to_have_accessible_name(re.compile(r"^Chat +1 unread *$"))
    open_chat(gus)
    expect(button).to_have_accessible_name(re.compile("^Chat *$"))
    line = gus.page.locator("#chat-list li")
    expect(line).to_contain_text("Mo")
    expect(line).to_contain_text(f"{TAGS} {NO_LINKS}")  # as it was typed
    expect(line.get_by_role("link")).to_have_attribute("href", "https://example.org/a?b=1")
    expect(line.locator("img, p b")).to_have_count(0)
    write(gus, "Only for you", to="Mo")
    expect(mo.page.get_by_text("to you only")).to_be_visible()
    ann.join(links["attendee"], code="DEMO-2026")
    open_chat(ann)
    expect(ann.page.locator("#chat-list li")).to_have_count(1)  # what was said to all before; the secret is not there
    ann.context.set_offline(True)
    write_offline(ann, "Are you there?")
    write(mo, "While you were away")
    ann.context.set_offline(False)
    expect(ann.page.get_by_text("While you were away")).to_be_visible(timeout=30_000)
    ann.page.get_by_role("button", name="Send").click()
    expect(mo.page.get_by_text("Are you there?")).to_be_visible()
    assert lines(mo.page)[1:] == ["Only for you", "While you were away", "Are you there?"]
    mo.page.get_by_label("To", exact=True).select_option(label="Gus")
    mo.page.get_by_role("textbox", name="Message").fill("For Gus and nobody else")
    gus.leave()
    expect(mo.page.get_by_label("To", exact=True)).to_contain_text("Gus (not in any more)")
    mo.page.keyboard.press("Enter")
    expect(mo.page.get_by_text("Choose to whom you write.")).to_be_visible()
    ann.page.reload()
    open_chat(ann)
    expect(ann.page.locator("#chat-list li")).to_have_count(3)
    ann.page.keyboard.press("Escape")
    expect(ann.page.get_by_role("button", name=CHAT)).to_be_focused()


def write_offline(one: Person, text: str) -> None:
    """What cannot be sent stays in the box, and it is said."""
    box = one.page.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")
    expect(one.page.get_by_text("It was not sent. Try again.")).to_be_visible()
    expect(box).to_have_value(text)
