"""The audit's page: who, what, when, from where, before and after, on whose behalf; narrowed, and as a file."""

import csv
import io
import re
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.operations import change_account
from portal.accounts.permission import AccountPermission
from portal.admission.tokens import change_token
from portal.audit.models import AuditEvent
from portal.customers.models import Customer, CustomerStatus
from portal.customers.operations import change_customer
from portal.customers.profile_entries import add_entry
from portal.customers.profile_models import AddressType, CustomerAddress
from portal.db import db, session, transaction
from portal.people.actor import actor_of
from portal.people.models import User
from portal.people.operations import change_profile
from portal.people.role_holders import change_roles
from portal.people.roles import create_role
from portal.people.staff import StaffPermission
from portal.permissions.memberships import add_membership, change_membership, remove_membership
from portal.permissions.operations import change_member, find_member_of_user
from portal.permissions.ownership import transfer_ownership
from portal.permissions.permission import Permission
from portal.rooms.models import Role
from portal.rooms.operations import describe_room
from portal.status.account_lifecycle import move_account
from portal.status.customer_lifecycle import change_customer_status
from portal.subscriptions.package_features import set_package_feature
from portal.subscriptions.packages import change_package, copy_package, delete_package
from portal.subscriptions.selling import create_subscription
from portal.subscriptions.service_providers import change_provider
from portal.subscriptions.switching import switch_service
from tests.cast import Cast, editable
from tests.conftest import BOTH
from tests.statements import statements
from tests.web.admin.staffing import with_role

AUDIT = "/admin/audit"


@pytest.fixture
def suspended(app: Flask, cast: Cast) -> str:
    """Ada has suspended Acme's subscription; its path."""
    with app.app_context(), transaction():
        path = f"/admin/subscriptions/{cast.room().subscription.id}"
    assert cast.sign_in("admin").send(f"{path}/suspension").status_code == 303
    return path


@BOTH
def test_a_line_tells_who_did_what_from_where_and_what_it_was_before(cast: Cast, suspended: str) -> None:
    page = cast.sign_in("admin").get(f"{AUDIT}?kind=subscriptions").text
    for words in (
        "Subscription suspended",
        "Ada Admin",
        "127.0.0.1",
        "<del>Active</del>",
        "<ins>Suspended</ins>",
        "Acme",
    ):
        assert words in page, words
    assert f'href="{suspended}"' in page


@BOTH
def test_lines_are_narrowed_by_person_thing_customer_and_time(cast: Cast, suspended: str) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context():
        found = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "subscription.suspended")).one()
        acme = session.scalars(sa.select(Customer).where(Customer.company_name == "Acme")).one().id
        globex = session.scalars(sa.select(Customer).where(Customer.company_name == "Globex")).one().id
        person, other = cast.user("admin").id, cast.user("alice").id
        thing = found.thing_uuid
    for asked in (f"person={person}", f"thing={thing}", "kind=subscriptions", f"customer={acme}", "time=day"):
        assert "Subscription suspended" in ada.get(f"{AUDIT}?{asked}").text, asked
    for asked in (f"person={other}", "kind=customers", f"customer={globex}"):
        assert "Subscription suspended" not in ada.get(f"{AUDIT}?{asked}").text, asked


def test_the_lines_of_one_person_are_told_however_many_staff_there_are(cast: Cast, suspended: str) -> None:
    with cast.app.app_context(), transaction():
        role = cast.user("admin").platform_roles[0]
        names = [f"AA {number:03}" for number in range(100)]
        emails = [f"staff{number}@staff.example" for number in range(100)]
        session.add_all(User(email=e, name=name, platform_roles=[role]) for e, name in zip(emails, names, strict=True))
        person = cast.user("alice")
        person.platform_roles = [role]
    page = cast.sign_in("admin").get(f"{AUDIT}?person={person.id}").text
    assert "Subscription suspended" not in page
    assert f'<option value="{person.id}" selected>' in page


@BOTH
def test_a_customer_without_a_company_has_the_name_that_other_pages_show(cast: Cast, suspended: str) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context(), transaction():
        acme = session.scalars(sa.select(Customer).where(Customer.company_name == "Acme")).unique().one()
        acme.company_name, acme.first_name, acme.last_name = None, "Alice", "Ample"
        shown = acme.display_name
    assert ada.send(f"/admin/customers/{acme.id}/status", status="suspended").status_code == 303
    for asked in ("kind=subscriptions", "kind=customers"):
        page = ada.get(f"{AUDIT}?{asked}").text
        assert f">{shown}<" in page, asked
        assert acme.email not in page, asked


def test_what_a_customers_people_do_is_found_by_the_customer(cast: Cast) -> None:
    assert cast.sign_in("alice").send("/manage/rooms/new", room_name="Made by Alice").status_code == 303
    with cast.app.app_context():
        acme = session.scalars(sa.select(Customer).where(Customer.company_name == "Acme")).one().id
    assert "Made by Alice" in cast.sign_in("admin").get(f"{AUDIT}?customer={acme}").text


def test_the_file_has_the_same_columns(cast: Cast, suspended: str) -> None:
    answer = cast.sign_in("admin").get(f"{AUDIT}/export.csv?kind=subscriptions")
    head, first, *_ = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head == ["What", "Thing", "Who", "When (UTC)", "From where", "On behalf of", "Before → after"]
    assert first[0] == "Subscription suspended"
    assert first[-1] == "Status: Active → Suspended"


@BOTH
def test_a_page_takes_few_statements(cast: Cast, suspended: str) -> None:
    ada = cast.sign_in("admin")
    ada.get(AUDIT)
    with cast.app.app_context(), statements(db.engine) as seen:
        ada.get(AUDIT)
    assert len(seen) <= 3, seen


def test_it_is_read_by_those_whose_role_says_so(cast: Cast) -> None:
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.SUBSCRIPTIONS_READ)
    assert bob.get(AUDIT).status_code == 403
    charlie = with_role(cast, "charlie", StaffPermission.DASHBOARD_ACCESS, StaffPermission.AUDIT_READ, role="auditors")
    assert charlie.get(AUDIT).status_code == 200
    assert cast.sign_in("alice").get(AUDIT).status_code == 404


@BOTH
def test_a_change_of_anything_that_is_sold_tells_what_it_was_before(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        room = cast.room()
        package, provider = room.subscription.package, room.subscription.provider
        change_customer(room.customer, external_id="4711", allowed_domains_registration=["demo.example"])
        change_account(room.account, account_name="Head office", metadata={})
        change_account(room.account, account_name="Head office", metadata={})
        change_package(package, by=None, name="Meet Basic", price=Decimal("9.90"))
        change_package(package, by=None, name="Meet Basic", price=Decimal("9.9"))
        set_package_feature(package, code="max_rooms", value=12, by=None)
        change_provider(provider, provider_name="Own rooms")
        change_provider(provider, provider_name="Own rooms")
        change_customer_status(room.customer, CustomerStatus.SUSPENDED)
        wanted = {
            "customer.updated": {"external_id": [None, "4711"], "allowed_domains_registration": [[], ["demo.example"]]},
            "account.updated": {"account_name": ["Main", "Head office"]},
            "package.updated": {"name": ["Meet Standard", "Meet Basic"], "price": ["0", "9.90"]},
            "package.features_changed": {"max_rooms": [10, 12]},
            "provider.updated": {"provider_name": ["Built in", "Own rooms"]},
        }
    with cast.app.app_context():
        lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.action.in_(wanted))).all()
        assert sorted(line.action for line in lines) == sorted(wanted), "one line for each change"
        assert {line.action: line.details for line in lines} == {
            action: {"changes": changes} for action, changes in wanted.items()
        }
    page = cast.sign_in("admin").get(AUDIT).text
    for field, before, after in (
        ("Name", "Main", "Head office"),
        ("E-mail domains of its people", "nothing", "demo.example"),
        ("Price of one period", "0", "9.90"),
        ("Status", "Active", "Suspended"),
        ("Rooms", "10", "12"),
    ):
        told = rf"{field}: <del>{before}</del>\s*<span aria-hidden=\"true\">→</span> <ins>{after}</ins>"
        assert re.search(told, page), field


def test_stored_words_and_moments_are_told_as_people_say_them(cast: Cast) -> None:
    details = {
        "ending": "lost",
        "changes": {"ends_at": ["2027-01-31T00:00:00.000000Z", None], "periodicity_type": ["month", "year"]},
    }
    with cast.app.app_context(), transaction():
        room = cast.room()
        session.add(
            AuditEvent(
                action="subscription.updated", thing="subscriptions", thing_uuid=room.subscription.uuid, details=details
            )
        )
        session.add(
            AuditEvent(
                action="room.updated", thing="rooms", thing_uuid=room.uuid, details={"name": "month", "role": "guest"}
            )
        )
    page = cast.sign_in("admin").get(AUDIT).text
    for words in (
        "Ends: <del>31 January 2027, 00:00:00 UTC</del>",
        "<del>months</del>",
        "<ins>years</ins>",
        "How it ended: Connection lost",
        "Name: month, Role: Guest",
    ):
        assert words in page, words


def test_who_came_in_by_a_link_is_named(cast: Cast) -> None:
    cast.join(Role.GUEST, name="Gus Guest")
    page = cast.sign_in("admin").get(f"{AUDIT}?kind=participations").text
    assert "Joined" in page
    assert "<bdi>Gus Guest</bdi>" in page


@BOTH
def test_what_a_line_refers_to_has_its_name_on_the_page_and_in_the_file(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        room, by = cast.room(), actor_of(cast.user("admin"))
        package, service = room.subscription.package, room.subscription.provider
        sold = create_subscription(customer=room.customer, package=package, name="Second plan")
        move_account(room.account, sold)
        transfer_ownership(room.account, to=cast.user("bob"), by=by)
        role = create_role(name="sales-team", by=by, permissions=[StaffPermission.CUSTOMERS_READ])
        change_roles(cast.user("bob"), by=by, give=[role])
        entry = add_entry(
            room.customer, CustomerAddress, address_type=AddressType.POSTAL, city="Lyon", address_line1="Rue Une"
        )
        switch_service(sold, package_provider=package.providers[0])
        ids = {package.id, sold.id, service.id, cast.user("bob").id, cast.user("alice").id, entry.id}
    ada = cast.sign_in("admin")
    rows = list(csv.reader(io.StringIO(ada.get(f"{AUDIT}/export.csv").text)))
    told = {row[0]: row[-1] for row in reversed(rows)}
    assert told["Package sold"] == "Package: Meet Standard"
    assert told["Account moved to another subscription"].endswith("→ Second plan")
    assert told["Account handed over"] == "Owner: Alice Moreau → Bob Fischer"
    assert told["Person's roles changed"] == "Roles: nothing → Sales team"
    assert told["Role created"] == "Name: sales-team, Permissions: Admin pages: open, Customers: read"
    assert told["Address added to a customer"].endswith("Entry: Lyon")
    assert told["Service of a subscription switched"] == "Service: Built in"
    assert not ids & set(re.findall(r"\w+", " ".join(told.values()))), "no line tells an id"
    page = re.sub(r"<[^>]+>", "", ada.get(AUDIT).text)
    for words in ("Package: Meet Standard", "Roles: nothing → Sales team", "Service: Built in"):
        assert words in re.sub(r"\s+", " ", page), words


@BOTH
def test_what_was_deleted_keeps_its_name_in_its_lines(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        package = cast.room().subscription.package
        gone = copy_package(package, name="Meet Rare", by=None)
        copy_package(gone, name="Meet Rarer", by=None)
        delete_package(gone, by=None)
        gone_id = gone.id
    ada = cast.sign_in("admin")
    rows = list(csv.reader(io.StringIO(ada.get(f"{AUDIT}/export.csv?kind=service_packages").text)))
    assert [(row[0], row[1]) for row in rows[1:4]] == [
        ("Package deleted", "Meet Rare"), ("Package created", "Meet Rarer"), ("Package created", "Meet Rare"),
    ]  # fmt: skip
    assert [row[-1] for row in rows[2:4]] == [f"Copied from: {gone_id}", "Copied from: Meet Standard"]


@BOTH
def test_names_cost_one_more_statement_however_many_kinds_they_are_of(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        room = cast.room()
        gone = copy_package(room.subscription.package, name="Meet Rare", by=None)
        delete_package(gone, by=None)
        transfer_ownership(room.account, to=cast.user("bob"), by=actor_of(cast.user("admin")))
    ada = cast.sign_in("admin")
    ada.get(AUDIT)
    with cast.app.app_context(), statements(db.engine) as seen:
        page = ada.get(AUDIT).text
    assert "Meet Rare" in page
    assert len(seen) <= 4, seen


@BOTH
def test_rights_rooms_links_and_people_tell_what_they_were_before(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        room, alice, bob = cast.room(), actor_of(cast.user("alice")), cast.user("bob")
        member = add_membership(
            place=room.account, email=bob.email, permissions=[AccountPermission.USAGE_VIEW], by=alice
        )
        change_membership(member, permissions=[AccountPermission.ROOMS_CREATE], by=alice)
        remove_membership(member, by=alice)
        change_member(find_member_of_user(room, bob.id), room=room, permissions=[Permission.ROOM_MODERATE], by=alice)
        link = cast.token(Role.GUEST)
        change_token(link, room=room, by=alice, role=Role.ATTENDEE, label="Readers")
        change_profile(bob, name="Robert Fischer", timezone="Europe/Berlin", by=actor_of(bob))
        describe_room(
            editable(room, alice), by=alice, room_name="Board", settings={"description": "Monthly"},
            features={"max_participants": 5},
        )  # fmt: skip
    rows = list(csv.reader(io.StringIO(cast.sign_in("admin").get(f"{AUDIT}/export.csv").text)))
    told = {(row[0], row[1]): row[-1] for row in reversed(rows)}
    name = "Robert Fischer"
    assert told["Person added", "Bob Fischer"] == "Permissions: nothing → See usage"
    assert told["Person's rights changed", name].startswith("Permissions: See the room, See who is in → ")
    assert told["Person's rights changed", "Bob Fischer"] == "Permissions: See usage → Create rooms"
    assert told["Person removed", "Bob Fischer"] == "Permissions: Create rooms → nothing; Name: Bob Fischer"
    assert told["Link changed", "Readers"] == "Role: Guest → Attendee; Label: Press → Readers; Role: Attendee"
    assert told["Person changed", name] == "Name: Bob Fischer → Robert Fischer; Time zone: nothing → Europe/Berlin"
    changed = told["Room changed", "Board"]
    for words in (
        "Name: Board meeting → Board", "description: nothing → Monthly", "Participants: nothing → 5",
    ):  # fmt: skip
        assert words.lower() in changed.lower(), changed


def test_a_sign_in_tells_from_where(cast: Cast) -> None:
    cast.sign_in("admin")
    with cast.app.app_context():
        line = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "user.signed_in")).one()
        assert line.network == "127.0.0.1"
