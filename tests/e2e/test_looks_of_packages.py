"""The pages of packages and services in light and dark, at 360 and 1280 px: see `test_looks`."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, follow
from tests.e2e.test_services import cast, portal, service  # noqa: F401  (fixtures)
from tests.providers.standin.server import SECRET, StandIn

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(480)]


def test_packages_are_made_and_services_connected_by_their_pages(
    service: StandIn,  # noqa: F811
    person: Callable[..., Person],
    seen: Callable[[Page, str], None],
) -> None:
    ada = person("Admin")
    ada.sign_in()
    page = ada.go("/admin/services/new?kind=standin")
    seen(page, "admin-service-new")
    page.get_by_label("Name", exact=True).fill("Conferences elsewhere")
    page.get_by_label("Address").fill(service.url)
    page.get_by_label("Shared secret").fill("wrong")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("The service answers at this address, and refuses this secret.")).to_be_visible()
    seen(page, "admin-service-refused")
    page.get_by_label("Shared secret").fill(SECRET)
    follow(page.get_by_role("button", name="Connect service"))
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("The service answers: version 1.2.")).to_be_visible()
    seen(page, "admin-service")
    seen(ada.go("/admin/services"), "admin-services")
    page = ada.go("/admin/packages/new")
    page.get_by_label("Price of one period").fill("-1")
    page.get_by_role("button", name="Create package").click()
    expect(page.get_by_text("Give the package a name.")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Meet for the whole company")
    page.get_by_role("button", name="Create package").click()
    expect(page.get_by_text("Use an amount from 0")).to_be_visible()
    seen(page, "admin-package-new-refused")
    page.get_by_label("Price of one period").fill("19.90")
    follow(page.get_by_role("button", name="Create package"))
    page.get_by_label("Service to add").select_option("Conferences elsewhere")
    page.get_by_role("button", name="Add service").click()
    expect(page.get_by_role("button", name="Make default: Conferences elsewhere")).to_be_visible()
    seen(page, "admin-package")
    follow(page.get_by_role("link", name="Edit"))
    seen(page, "admin-package-edit")
    page.get_by_label("Public chat").check()
    follow(page.get_by_role("button", name="Save"))
    follow(page.get_by_role("link", name="Copy package"))
    seen(page, "admin-package-copy")
    seen(ada.go("/admin/packages"), "admin-packages")
    follow(page.get_by_role("link", name="Meet Standard"))
    expect(page.get_by_text("It cannot be deleted")).to_be_visible()
    seen(page, "admin-package-sold")
