"""Every page of platform staff in light and dark, at 360 and 1280 px: see `test_looks`."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, follow
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(480)]


def test_pages_of_staff(portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    ada, guest = person("Admin"), person("Jun Tanaka")
    ada.sign_in()
    page = ada.go("/admin")
    expect(page.get_by_text("Nothing needs your attention.")).to_be_visible()
    seen(page, "admin-home-calm")
    guest.join(board_links(portal)["guest"])
    expect(ada.go("/admin").get_by_role("link", name="Board meeting")).to_be_visible()
    seen(page, "admin-home")
    seen(ada.go("/admin/staff"), "admin-staff")
    seen(ada.go("/admin/staff?search=nobody&sort=-name"), "admin-staff-none")
    seen(ada.go("/manage/rooms"), "admin-rooms")


def test_a_list_follows_what_is_typed_and_so_does_its_address(person: Callable[..., Person]) -> None:
    ada = person("Admin")
    ada.sign_in()
    page = ada.go("/admin/staff")
    page.get_by_label("Search by name or e-mail").fill("nobody")
    expect(page.get_by_text("Nothing matches “nobody”")).to_be_visible()
    assert page.url.endswith("/admin/staff?search=nobody")
    page.reload()
    expect(page.get_by_text("Nothing matches “nobody”")).to_be_visible()
    follow(page.get_by_role("link", name="Show all"))
    expect(page.get_by_role("rowheader", name="Ada Admin")).to_be_visible()
