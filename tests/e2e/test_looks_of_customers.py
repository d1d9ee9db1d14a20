"""Every page of customers and of their people in light and dark, at 360 and 1280 px: see `test_looks`."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, follow

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(480)]


def test_pages_of_customers(person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    ada = person("Admin")
    ada.sign_in()
    page = ada.go("/admin/customers")
    seen(page, "admin-customers")
    follow(page.get_by_role("link", name="New customer"))
    seen(page, "admin-customer-new")
    page = ada.go("/admin/customers")
    follow(page.get_by_role("link", name="Acme"))
    seen(page, "admin-customer")
    address = re.sub("[?#].*", "", page.url)
    for part in ("edit", "status", "deletion"):
        seen(ada.go(f"{address}/{part}"), f"admin-customer-{part}")
    page = ada.go(address)
    follow(page.get_by_role("link", name="People"))
    expect(page.get_by_role("heading", name="People of Acme")).to_be_visible()
    seen(page, "customer-people")
    follow(page.get_by_role("link", name="Add person"))
    seen(page, "customer-person-new")
    seen(ada.go("/manage/places"), "places")
