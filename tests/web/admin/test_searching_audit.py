"""Searching the audit by names, and roles by what they let somebody do."""

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.customers.models import Customer
from portal.customers.operations import change_customer
from portal.db import db, session, transaction
from portal.people.actor import actor_of
from portal.people.roles import create_role
from portal.people.staff import StaffPermission
from portal.rooms.operations import describe_room
from portal.status.account_lifecycle import move_account
from portal.subscriptions.selling import create_subscription
from portal.web.admin import audit_search
from tests.cast import Cast, Client, editable
from tests.conftest import BOTH
from tests.statements import statements
from tests.web.admin.test_lists import names

AUDIT = "/admin/audit"


@pytest.fixture
def ada(app: Flask, cast: Cast) -> Client:
    """Ada, who has changed Globex, and Acme's room on its behalf; Alice has changed that room, too."""
    with app.app_context(), transaction():
        room, ada, alice = cast.room(), actor_of(cast.user("admin")), actor_of(cast.user("alice"))
        globex = session.scalars(sa.select(Customer).where(Customer.company_name == "Globex")).unique().one()
        change_customer(globex, by=ada, external_id="4711")
        sold = create_subscription(customer=room.customer, package=room.subscription.package, name="Silver plan")
        move_account(room.account, sold, by=ada)
        describe_room(editable(cast.room(), alice), by=alice, is_public=True)
    return cast.sign_in("admin")


def found(ada: Client, search: str, **more: str) -> set[str]:
    """What the lines that are found tell that was done."""
    rows = ada.get(f"{AUDIT}/export.csv", query_string={"search": search, **more}).text.splitlines()[1:]
    return {row.partition(",")[0] for row in rows}


@BOTH
def test_lines_are_found_by_person_customer_subscription_and_room(ada: Client) -> None:
    assert {"Customer changed", "Account moved to another subscription", "Signed in"} <= found(ada, "ada adm")
    assert "Room changed" not in found(ada, "ada adm")
    assert "Room changed" in found(ada, "alice@demo.example"), "an address, also of somebody who is no staff"
    assert {"Customer created", "Customer changed"} <= found(ada, "globe")
    assert found(ada, "silv") == {"Package sold"}
    assert {"Room created", "Room changed", "Link created"} <= found(ada, "board meet")
    assert found(ada, "nobody") == found(ada, "?!") == set()


@BOTH
def test_a_search_goes_with_the_filters_and_finds_each_line_once(ada: Client) -> None:
    assert found(ada, "ada", kind="customers") == {"Customer changed"}
    page = ada.get(f"{AUDIT}?search=globex").text
    assert page.count("4711") == 1
    assert 'value="globex"' in page


def test_of_a_search_that_very_much_fits_some_things_are_looked_at(
    ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ada.application.app_context(), statements(db.engine) as seen:
        ada.get(f"{AUDIT}?search=o")
    assert len(seen) <= 4, seen
    monkeypatch.setattr(audit_search, "MOST", 0)
    assert found(ada, "o") == set()


@BOTH
def test_roles_are_narrowed_by_what_they_hold(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        by = actor_of(cast.user("admin"))
        create_role(name="readers", by=by, permissions=[StaffPermission.ROOMS_READ])
        create_role(name="sellers", by=by, permissions=[StaffPermission.CUSTOMERS_READ])
    ada = cast.sign_in("admin")
    assert names(ada.get("/admin/roles?may=staff:rooms:read").text) == ["Administrator", "Readers"]
    assert names(ada.get("/admin/roles?may=dashboard:access").text) == ["Administrator", "Readers", "Sellers"]
