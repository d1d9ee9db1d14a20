"""Searching the audit by names, and roles by what they let somebody do."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.customers.models import Customer
from portal.customers.operations import change_customer
from portal.db import db, literal_limit, session, transaction
from portal.identifiers import new_uuid
from portal.keyset import first_found
from portal.people.actor import actor_of
from portal.people.models import PlatformRole, User
from portal.people.roles import create_role
from portal.people.staff import StaffPermission
from portal.rooms.operations import describe_room
from portal.status.account_lifecycle import move_account
from portal.subscriptions.selling import create_subscription
from portal.web.admin import audit_search
from portal.web.admin.audit import AUDIT as AUDIT_LIST
from portal.web.admin.list_page import PAGE
from tests.cast import Cast, Client, editable
from tests.conftest import BOTH
from tests.statements import statements
from tests.web.admin.test_lists import link, names

AUDIT = "/admin/audit"
MANY = 1_000
"""So many that reading them all would show, and take PostgreSQL longer than going by the index."""


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


@pytest.fixture
def busy(ada: Client, cast: Cast) -> list[str]:
    """The details of many lines, the newest first, which Ada and her namesake, who has two roles, wrote in turn."""
    with ada.application.app_context(), transaction():
        roles = [PlatformRole(name=name, permissions=["dashboard:access"]) for name in ("one", "two")]
        namesake = User(email="adam@staff.example", name="Ada Adm", platform_roles=roles)
        session.add(namesake)
        session.flush()
        people = [cast.user("admin").uuid, namesake.uuid]
        at = now() + timedelta(days=1)
        lines = [f"line {number:03}" for number in range(MANY)]
        session.execute(
            sa.insert(AuditEvent),
            [
                {
                    "uuid": new_uuid(), "at": at + timedelta(seconds=number), "actor_uuid": people[number % 2],
                    "action": "package.updated", "thing": "service_packages", "details": {"note": line},
                }
                for number, line in enumerate(lines)
            ],
        )  # fmt: skip
    return lines[::-1]


@BOTH
def test_lines_of_several_people_come_in_their_order_on_all_pages(ada: Client, busy: list[str]) -> None:
    told: list[str] = []
    address = f"{AUDIT}?search=ada adm"
    while len(told) < 3 * PAGE:
        page = ada.get(address).text
        told += re.findall(r"line \d{3}", page)
        address = link(page, "Next")
    assert told == busy[: 3 * PAGE]
    back = ada.get(link(ada.get(address).text, "Previous")).text
    assert re.findall(r"line \d{3}", back) == busy[2 * PAGE : 3 * PAGE]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_of_people_with_many_lines_no_more_are_read_than_a_page_has(ada: Client, busy: list[str]) -> None:
    with ada.application.app_context():
        session.execute(sa.text("ANALYZE"))
        keys, limit = AUDIT_LIST.orders[AUDIT_LIST.default_order], literal_limit(PAGE)
        found = first_found(audit_search.ways_to_match("ada adm"), keys, None, limit)
        query = found.compile(session.connection(), compile_kwargs={"literal_binds": True})
        [[told]] = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}").scalars()
        read = [
            one["Actual Rows"] * one["Actual Loops"] + one.get("Rows Removed by Filter", 0)
            for one in nodes(told["Plan"])
            if one.get("Relation Name") == "audit_events"
        ]
        assert 2 * PAGE <= sum(read) < 4 * PAGE, told


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """This step of a plan, and all those below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@BOTH
def test_roles_are_narrowed_by_what_they_hold(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        by = actor_of(cast.user("admin"))
        create_role(name="readers", by=by, permissions=[StaffPermission.ROOMS_READ])
        create_role(name="sellers", by=by, permissions=[StaffPermission.CUSTOMERS_READ])
    ada = cast.sign_in("admin")
    assert names(ada.get("/admin/roles?may=staff:rooms:read").text) == ["Administrator", "Readers"]
    assert names(ada.get("/admin/roles?may=dashboard:access").text) == ["Administrator", "Readers", "Sellers"]
