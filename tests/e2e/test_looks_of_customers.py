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
    follow(page.get_by_role("link", name="New account"))
    page.get_by_label("Owner").fill("nobody@demo.example")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("Fill this in.")).to_be_visible()
    seen(page, "admin-account-new-refused")
    page.get_by_label("Name", exact=True).fill("Events")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("Nobody with this address belongs to Acme.")).to_be_visible()
    page.get_by_label("Owner").fill("")
    follow(page.get_by_role("button", name="Create account"))
    expect(page.get_by_role("heading", name="Events", level=1)).to_be_visible()
    seen(page, "admin-account")
    account = re.sub("[?#].*", "", page.url)
    for part in ("edit", "status", "subscription", "deletion"):
        seen(ada.go(f"{account}/{part}"), f"admin-account-{part}")
    page = ada.go(address)
    follow(page.get_by_role("link", name="Sell package"))
    page.get_by_label("Package", exact=True).select_option(index=0)
    follow(page.get_by_role("button", name="Sell package"))
    page = ada.go(f"{account}/subscription")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_role("button", name="Move account")).to_be_visible()
    seen(page, "admin-account-move")
    page = ada.go(address)
    follow(page.get_by_role("link", name="People"))
    expect(page.get_by_role("heading", name="People of Acme")).to_be_visible()
    seen(page, "customer-people")
    follow(page.get_by_role("link", name="Add person"))
    seen(page, "customer-person-new")
    seen(ada.go("/manage/places"), "places")
    follow(ada.page.get_by_role("link", name="Usage of Acme"))
    seen(ada.page, "places-usage")
    seen(ada.go(f"{address.replace('/admin/', '/manage/')}/accounts/new"), "own-account-new")


def test_pages_of_a_customers_profile(person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    ada = person("Admin")
    ada.sign_in()
    page = ada.go("/admin/customers")
    follow(page.get_by_role("link", name="Acme"))
    address = re.sub("[?#].*", "", page.url)
    for noun, field, typed in (("addresses", "Street", "Am Ufer"), ("telephones", "Telephone number", "+49 30 901820")):
        page = ada.go(f"{address}/{noun}/new")
        page.get_by_label(field, exact=True).fill(typed)
        if noun == "addresses":
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_text("Fill this in.")).to_be_visible()
            seen(page, "admin-customer-address-refused")
            page.get_by_label("City").fill("Bonn")
        follow(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Am Ufer, Bonn")).to_be_visible()
    seen(page, "admin-customer-with-profile")
    follow(page.get_by_role("link", name="Change +49 30 901820"))
    seen(page, "admin-customer-telephone")
    seen(ada.go(f"{address}/legal-documents/new"), "admin-customer-document-new")


def test_pages_of_the_portals_webhooks(person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    ada = person("Admin")
    ada.sign_in()
    page = ada.go("/admin/customers")
    follow(page.get_by_role("link", name="Webhooks"))
    seen(page, "admin-webhooks-none")
    follow(page.get_by_role("link", name="New webhook"))
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("Fill this in.")).to_be_visible()
    seen(page, "admin-webhook-new-refused")
    page.get_by_label("Address").fill("https://hooks.example/desk")
    page.get_by_label("Description").fill("Billing")
    follow(page.get_by_role("button", name="Create webhook"))
    expect(page.get_by_role("heading", name="Billing")).to_be_visible()
    seen(page, "admin-webhook")
    seen(ada.go("/admin/webhooks"), "admin-webhooks")
    follow(page.get_by_role("link", name="Open webhook Billing"))
    follow(page.get_by_role("link", name="Delete"))
    seen(page, "admin-webhook-deletion")
