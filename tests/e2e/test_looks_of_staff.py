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
    ada.go("/admin/roles/new").get_by_label("Title").fill("Sales team of the whole of the south")
    page.get_by_label("Name for programs").fill("sales-team")
    page.get_by_label("Description").fill("Take customers on, and sell them packages.")
    page.get_by_label("Customers: create").check()
    page.get_by_role("button", name="Create role").click()
    expect(page.get_by_text("“Customers: create” needs “Customers: read”, too.")).to_be_visible()
    seen(page, "admin-role-refused")
    page.get_by_label("Customers: read").check()
    follow(page.get_by_role("button", name="Create role"))
    seen(page, "admin-role")
    seen(ada.go("/admin/roles"), "admin-roles")
    follow(page.get_by_role("link", name="Administrator"))
    seen(page, "admin-role-built-in")
    seen(ada.go("/admin/staff/new"), "admin-staff-new")
    page.get_by_label("E-mail").fill("eve.of.the.south@sales.example")
    page.get_by_label("Name").fill("Eve Sales")
    page.get_by_label("Sales team").check()
    page.get_by_role("button", name="Create staff member").click()
    expect(page.get_by_role("heading", name="Give Eve Sales this link")).to_be_visible()
    seen(page, "admin-password-link")
    follow(page.get_by_role("link", name="I have copied it"))
    seen(page, "admin-person")
    follow(page.get_by_role("link", name="Change roles"))
    seen(page, "admin-person-roles")
    page.go_back()
    follow(page.get_by_role("link", name="Delete this person"))
    seen(page, "admin-person-delete")
    seen(ada.go("/admin/staff"), "admin-staff")
    seen(ada.go("/admin/staff?search=nobody&sort=-name"), "admin-staff-none")
    seen(ada.go("/manage/rooms"), "admin-rooms-live")
    seen(ada.go("/admin/rooms"), "admin-rooms")
    seen(ada.go("/admin/rooms?search=nothing&status=live"), "admin-rooms-none")
    share_as_staff(ada)
    seen(ada.page, "room-with-acts-of-staff")


def share_as_staff(ada: Person) -> None:
    """Staff rename nothing and harm nothing: they make one link more, on the customer's behalf."""
    page = ada.go("/admin/rooms")
    follow(page.get_by_role("link", name="Board meeting"))
    follow(page.get_by_role("link", name="Links", exact=True))
    follow(page.get_by_role("link", name="New link"))
    page.get_by_label("Label").fill("From support")
    follow(page.get_by_role("button", name="Create link"))
    follow(page.get_by_role("link", name="Overview"))
    expect(page.get_by_role("heading", name="Done by platform staff")).to_be_visible()


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


def test_pages_of_subscriptions_and_the_audit(person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    ada = person("Admin")
    ada.sign_in()
    seen(ada.go("/admin/subscriptions"), "admin-subscriptions")
    page = ada.go("/admin/subscriptions/new")
    page.get_by_label("Customer").fill("alice@demo.example")
    seen(page, "admin-sell")
    follow(page.get_by_role("button", name="Sell package"))
    expect(page.get_by_text("Sold to Acme.")).to_be_visible()
    seen(page, "admin-subscription")
    path = page.url.partition("?")[0]
    for act in ("cancellation", "suspension", "service", "edit", "features"):
        seen(ada.go(f"{path}/{act}"), f"admin-subscription-{act}")
    page = ada.go(f"{path}/features")
    page.get_by_label("Participants").fill("1")
    follow(page.get_by_role("button", name="Save"))
    seen(page, "admin-subscription-differs")
    seen(ada.go("/admin/audit"), "admin-audit")
