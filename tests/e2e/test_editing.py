"""Editing in two tabs, and leaving a form that holds something unsent."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.e2e.people import Person, follow
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


class Asked:
    """What a browser asks before it leaves a page, and the answer that is given."""

    def __init__(self, page: Page) -> None:
        self.page, self.count, self.leave = page, 0, False
        page.on("dialog", self._answer)

    def _answer(self, dialog: Dialog) -> None:
        assert dialog.type == "beforeunload"
        self.count += 1
        if self.leave:
            dialog.accept()
        else:
            dialog.dismiss()


def settings_of(page: Page) -> None:
    page.get_by_role("link", name="Board meeting", exact=True).click()
    page.get_by_role("navigation", name="Room").get_by_role("link", name="Settings").click()
    expect(page.get_by_label("Name", exact=True)).to_be_visible()


def test_two_tabs_of_settings_do_not_overwrite_each_other(person: Callable[..., Person]) -> None:
    alice = person("Alice")
    alice.sign_in()
    first, second = alice.page, alice.new_tab()
    second.goto(first.url)
    settings_of(first)
    settings_of(second)

    first.get_by_label("Description").fill("By the first tab")
    follow(first.get_by_role("button", name="Save"))
    second.get_by_label("Name", exact=True).fill("By the second tab")
    follow(second.get_by_role("button", name="Save"))
    expect(second.get_by_text("Saved.")).to_be_visible()
    expect(second.get_by_label("Description")).to_have_value("By the first tab")

    first.get_by_label("Name", exact=True).fill("Theirs")  # this tab still shows the old name
    first.get_by_label("Description").fill("From the first tab again")
    follow(first.get_by_role("button", name="Save"))
    expect(first.get_by_role("alert")).to_contain_text("This was saved in another tab")
    expect(first.get_by_label("Name", exact=True)).to_be_focused()
    expect(first.get_by_role("definition")).to_have_text(["By the second tab", "Theirs"])
    expect(first.get_by_label("Description")).to_have_value("From the first tab again")
    follow(first.get_by_role("button", name="Take theirs"))
    expect(first.get_by_text("Saved.")).to_be_visible()
    expect(first.get_by_label("Name", exact=True)).to_have_value("By the second tab")
    expect(first.get_by_label("Description")).to_have_value("From the first tab again")

    second.get_by_label("Description").fill("Mine")
    follow(second.get_by_role("button", name="Save"))
    expect(second.get_by_role("definition")).to_have_text(["From the first tab again", "Mine"])
    follow(second.get_by_role("button", name="Keep mine"))
    expect(second.get_by_text("Saved.")).to_be_visible()
    expect(second.get_by_label("Description")).to_have_value("Mine")


def test_a_form_that_holds_something_unsent_is_not_left_without_asking(person: Callable[..., Person]) -> None:
    alice = person("Alice")
    alice.sign_in()
    page = alice.page
    asked = Asked(page)
    tabs = page.get_by_role("navigation", name="Room")
    name = page.get_by_label("Name", exact=True)
    settings_of(page)
    follow(tabs.get_by_role("link", name="Links"))
    assert asked.count == 0, "nothing was typed"

    follow(tabs.get_by_role("link", name="Settings"))
    name.fill("Half a na")
    tabs.get_by_role("link", name="Links").click()
    page.wait_for_function("() => true")  # the page goes on
    expect(name).to_have_value("Half a na")
    assert asked.count == 1

    name.fill("Board meeting")
    follow(tabs.get_by_role("link", name="Links"))
    assert asked.count == 1, "it is as it was"

    follow(tabs.get_by_role("link", name="Settings"))
    page.get_by_label("Active", exact=False).first.uncheck()
    page.get_by_label("Active", exact=False).first.check()
    page.get_by_label("Guests").select_option(label="Are not let in")
    follow(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert asked.count == 1, "sending is not leaving"

    name.fill("")
    follow(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Give the room a name.")).to_be_visible()
    asked.leave = True
    follow(tabs.get_by_role("link", name="Links"))
    assert asked.count == 2, "what was refused stands nowhere else"


def test_a_new_link_that_was_begun_is_not_lost_by_a_click(portal: Portal, person: Callable[..., Person]) -> None:
    alice = person("Alice")
    alice.sign_in()
    page = alice.page
    asked = Asked(page)
    page.get_by_role("link", name="Board meeting", exact=True).click()
    page.get_by_role("link", name="Links", exact=True).click()
    page.get_by_role("link", name="New link").first.click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="New link")).to_have_count(0)
    page.go_back()
    page.get_by_label("Label").fill("For Jun")
    page.get_by_role("link", name="Rooms").first.click()
    expect(page.get_by_label("Label")).to_have_value("For Jun")
    assert asked.count == 1
    follow(page.get_by_role("button", name="Create link"))
    assert asked.count == 1
