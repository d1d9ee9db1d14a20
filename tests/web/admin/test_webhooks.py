"""The pages of the portal's own webhooks: for staff who may change customers, with the events of customers."""

import re
from typing import Any

from flask import Flask

from portal.customers.operations import change_customer
from portal.db import transaction
from portal.people.staff import StaffPermission
from tests.cast import Cast, Client
from tests.web.admin.staffing import with_role

HOOK = "https://hooks.example/desk"
PAGES = "/admin/webhooks"


def make(client: Client, **fields: Any) -> str:
    """The address of the page of a new webhook."""
    answer = client.send(f"{PAGES}/new", **{"url": HOOK, "events": ["customer.updated"], **fields})
    assert answer.status_code == 303, answer.text
    return answer.location


def offered(page: str) -> set[str]:
    return set(re.findall(r'name="events" value="([^"]+)"', page))


def test_staff_make_one_from_the_page_of_customers_and_see_what_it_was_told(app: Flask, cast: Cast) -> None:
    ada = cast.sign_in("admin")
    assert f'href="{PAGES}"' in ada.get("/admin/customers").text
    assert "No webhooks" in ada.get(PAGES).text
    page = make(ada, description="Billing")
    assert "whsec_" in ada.get(page).text
    assert "Billing" in ada.get(PAGES).text
    with app.app_context(), transaction():
        change_customer(cast.room().customer, company_name="Acme & Sons")
    assert "customer.updated" in ada.get(f"{page}/deliveries").text
    edited = ada.send(f"{page}/edit", url=HOOK, events=["subscription.ending"], description="Renewals")
    assert edited.location == page
    assert ada.send(f"{page}/pause", page).location == page
    assert "Paused" in ada.get(page).text
    assert ada.send(f"{page}/resumption", page).location == page
    assert "Listens" in ada.get(page).text
    assert ada.send(f"{page}/test", page).location == page
    assert "webhook.test" in ada.get(page).text
    assert ada.send(f"{page}/deletion", page).location == PAGES
    assert ada.get(page).status_code == 404


def test_each_place_offers_its_own_events(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    here = offered(ada.get(f"{PAGES}/new").text)
    there = offered(ada.get(f"/manage/rooms/{cast.board}/webhooks/new").text)
    assert {one.partition(".")[0] for one in here} == {"customer", "account", "subscription"}
    assert {one.partition(".")[0] for one in there} == {
        "room",
        "participant",
        "token",
        "code",
        "member",
        "recording",
        "video",
    }
    assert ada.send(f"{PAGES}/new", url=HOOK, events=["room.created"]).status_code == 422
    sent: dict[str, Any] = {"url": HOOK, "events": ["customer.updated"]}
    assert ada.send(f"/manage/rooms/{cast.board}/webhooks/new", **sent).status_code == 422


def test_one_of_the_portal_is_not_among_those_of_a_room(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    page = make(ada, description="Billing")
    room = f"/manage/rooms/{cast.board}/webhooks"
    assert "Billing" not in ada.get(room).text
    assert ada.get(f"{room}/{page.rpartition('/')[2]}").status_code == 404


def test_staff_choose_only_what_they_may_see(cast: Cast) -> None:
    make(cast.sign_in("admin"), description="Billing")
    needed = StaffPermission.DASHBOARD_ACCESS, StaffPermission.CUSTOMERS_READ, StaffPermission.CUSTOMERS_UPDATE
    bob = with_role(cast, "bob", *needed)
    assert "Billing" in bob.get(PAGES).text
    page = bob.get(f"{PAGES}/new").text
    assert 'value="subscription.ended" disabled' in page
    assert 'value="customer.updated" disabled' not in page
    refused = bob.send(f"{PAGES}/new", url=HOOK, events=["subscription.ended"])
    assert refused.status_code in {403, 422}
    make(bob)


def test_whoever_only_reads_customers_finds_no_webhooks(cast: Cast) -> None:
    make(cast.sign_in("admin"))
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.CUSTOMERS_READ)
    assert PAGES not in bob.get("/admin/customers").text
    assert bob.get(PAGES).status_code == 403
