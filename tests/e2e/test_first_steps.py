"""From nothing to a room, as the README says: commands, a link, a browser."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person
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
    expect(ada.page.get_by_text("portal customer create --name")).to_be_visible()
    seen(ada.page, "nothing-sold-yet")
    seen(zoe.go(link), "password-link-over")
    set_password(zoe.go(link_in(portal.run("user", "create", "zoe@example.org", "--name", "Zoe"))), "zoes-own-password")
    expect(zoe.page.get_by_text("ask whoever runs this portal")).to_be_visible()
    seen(zoe.page, "no-account")
