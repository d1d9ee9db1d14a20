"""From nothing to a room, as the README says: commands, a link, a browser."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, follow
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    """A portal with empty tables."""
    portal = Portal(tmp_path / "data")
    portal.run("migrate")
    portal.start()
    yield portal
    portal.stop()
    print(portal.log()[-6000:])


def link_in(printed: str) -> str:
    found = re.search(r"https?://\S+/set-password\?token=\S+", printed)
    assert found, printed
    return found[0]


def set_password(page: Page, password: str) -> None:
    for field in ("Password", "Repeat the password"):
        page.get_by_label(field, exact=True).fill(password)
    page.get_by_role("button", name="Set password and sign in").click()


def test_an_owner_comes_by_the_printed_link_and_makes_a_room(portal: Portal, person: Callable[..., Person]) -> None:
    asked = ("customer", "create", "--name", "Acme", "--owner-email", "eva@köln.example", "--owner-name", "Eva")
    link = link_in(portal.run(*asked))
    eva = person("Eva", timezone_id="Europe/Dublin")
    set_password(eva.go(link), "evas-own-password")
    eva.page.get_by_role("link", name="New room").first.click()
    eva.page.get_by_label("Name").fill("First room")
    eva.page.keyboard.press("Enter")
    expect(eva.page.get_by_role("heading", name="First room")).to_be_visible()
    expect(eva.go("/me").get_by_label("Time zone")).to_have_value("Europe/Dublin")
    assert "BAD" not in portal.run("doctor")
    eva.context.clear_cookies()
    page = eva.go("/sign-in")
    page.get_by_label("E-mail").fill("eva@köln.example")  # Chromium sends eva@xn--kln-sna.example
    page.get_by_label("Password").fill("evas-own-password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="First room", exact=True)).to_be_visible()


def test_a_reseller_has_a_working_room_on_the_first_day_without_the_command_line(
    portal: Portal, person: Callable[..., Person]
) -> None:
    """Home leads through a package, a customer and a sale: three forms. The owner sets a password and makes a room."""
    ada, eva, guest = person("Ada"), person("Eva"), person("Gus")
    set_password(
        ada.go(link_in(portal.run("user", "create", "ada@example.org", "--name", "Ada", "--admin"))), "adas-password"
    )
    page = ada.page
    follow(page.get_by_role("link", name="New package"))
    page.get_by_label("Name").fill("Team")
    page.get_by_label("Rooms", exact=True).fill("3")
    follow(page.get_by_role("button", name="Create package"))
    ada.go("/admin")
    follow(page.get_by_role("link", name="New customer"))
    page.get_by_role("textbox", name="Company").fill("Acme")
    page.get_by_label("E-mail").fill("eva@example.org")
    follow(page.get_by_role("button", name="Create customer"))
    link = page.get_by_role("textbox", name="Password link").input_value()
    ada.go("/admin")
    follow(page.get_by_role("link", name="Sell package"))
    page.get_by_label("Customer").fill("eva@example.org")
    expect(page.get_by_role("combobox", name="Package")).to_have_value(re.compile("."))
    follow(page.get_by_role("button", name="Sell package"))
    expect(page.get_by_text("Sold to Acme.")).to_be_visible()
    expect(ada.go("/admin").get_by_text("Nothing needs your attention.")).to_be_visible()

    set_password(eva.go(link), "evas-own-password")
    follow(eva.page.get_by_role("link", name="New room").first)
    eva.page.get_by_label("Name").fill("Stand-up")
    follow(eva.page.get_by_role("button", name="Create room"))
    eva.page.get_by_role("button", name="Share").first.click()
    expect(eva.page.locator("#sharing")).not_to_be_empty()
    eva.page.reload()
    address = eva.page.get_by_role("textbox", name=re.compile("^Address of the")).first.input_value()
    guest.join(address)
    assert "BAD" not in portal.run("doctor")


def test_the_first_pages_look_right(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    ada, zoe = person("Ada"), person("Zoe")
    seen(ada.go("/sign-in"), "nobody-yet")
    link = link_in(portal.run("user", "create", "ada@example.org", "--name", "Ada", "--admin"))
    seen(ada.go(link), "set-password")
    set_password(ada.page, "short")
    expect(ada.page.get_by_text("A password has at least 10 characters.")).to_be_visible()
    seen(ada.page, "set-password-refused")
    set_password(ada.page, "adas-own-password")
    expect(ada.page.get_by_role("heading", name="Three steps to the first room")).to_be_visible()
    seen(ada.page, "nothing-sold-yet")
    seen(ada.go("/manage/rooms"), "nobody-can-make-a-room")
    seen(zoe.go(link), "password-link-over")
    set_password(zoe.go(link_in(portal.run("user", "create", "zoe@example.org", "--name", "Zoe"))), "zoes-own-password")
    expect(zoe.page.get_by_text("ask whoever runs this portal")).to_be_visible()
    seen(zoe.page, "no-account")
