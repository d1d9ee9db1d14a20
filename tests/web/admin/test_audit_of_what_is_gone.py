"""What was deleted for good keeps its name in the audit: in older lines about it, and about what was in it."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.accounts.permission import AccountPermission
from portal.admission.codes import create_code, delete_code
from portal.admission.tokens import change_token
from portal.audit.models import AuditEvent
from portal.customers.models import Customer, CustomerStatus
from portal.customers.permission import CustomerPermission
from portal.db import db, session, transaction
from portal.identifiers import new_uuid
from portal.people.actor import actor_of
from portal.permissions.memberships import add_membership, remove_membership
from portal.permissions.rules import acting_as_staff
from portal.rooms.models import Role, Room
from portal.rooms.operations import describe_room, trash_room
from portal.rooms.purging import TRASH_DAYS, empty_trash
from portal.status.customer_lifecycle import change_customer_status, delete_customer
from portal.status.subscription_lifecycle import delete_subscription
from portal.subscriptions.models import SubscriptionStatus
from tests.cast import Cast, editable
from tests.conftest import BOTH
from tests.statements import statements

AUDIT = "/admin/audit"


def rows(cast: Cast, **asked: str) -> list[list[str]]:
    """The lines of the audit, newest first, as the file has them."""
    answer = cast.sign_in("admin").get(f"{AUDIT}/export.csv", query_string=asked)
    return list(csv.reader(io.StringIO(answer.text)))[1:]


@pytest.fixture
def emptied(app: Flask, cast: Cast) -> datetime:
    """The board room, which has a link, was renamed, trashed, and emptied from the trash; when that was."""
    with app.app_context(), transaction():
        room, alice = cast.room(), actor_of(cast.user("alice"))
        describe_room(editable(room, alice), by=alice, room_name="Board")
        change_token(cast.token(Role.GUEST), room=room, by=alice, role=Role.GUEST, label="Readers")
        trash_room(cast.room(), by=alice)
    over = datetime.now(UTC) + timedelta(days=TRASH_DAYS, minutes=1)
    with time_machine.travel(over, tick=True), app.app_context(), transaction():
        empty_trash()
    return over


@BOTH
def test_a_room_that_was_emptied_from_the_trash_keeps_its_name(cast: Cast, emptied: datetime) -> None:
    told = rows(cast)
    assert told[0][:3] == ["Room deleted for good", "Board", "The portal, or a guest"]
    older = {row[0]: row[1] for row in reversed(told)}
    assert (older["Room changed"], older["Room deleted"]) == ("Board", "Board")
    assert older["Link changed"] == "Board", "what was in it is told by where it was"
    ada = cast.sign_in("admin")
    ada.get(AUDIT)
    with cast.app.app_context(), statements(db.engine) as seen:
        page = ada.get(AUDIT).text
    assert "<bdi>Board</bdi>" in page
    assert len(seen) <= 4, seen


@BOTH
def test_the_trash_keeps_what_is_not_old_enough_and_notes_nothing_about_it(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        trash_room(cast.room(), by=actor_of(cast.user("alice")))
    with app.app_context(), transaction():
        empty_trash()
    with app.app_context():
        assert cast.room().trashed_at is not None
        assert session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "room.purged")).all() == []


@BOTH
def test_all_that_goes_with_a_customer_keeps_its_name(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        ada = actor_of(cast.user("admin"))
        customer = cast.room().customer
        change_customer_status(customer, CustomerStatus.TERMINATED, by=ada)
        delete_customer(customer, by=ada)
    gone = [tuple(row[:3]) for row in rows(cast)]
    assert sorted(row for row in gone if "deleted" in row[0]) == [
        ("Account deleted", "Main", "Ada Admin"),
        ("Customer deleted", "Acme", "Ada Admin"),
        ("Room deleted for good", "Board meeting", "Ada Admin"),
        ("Room deleted for good", "Open house", "Ada Admin"),
        ("Subscription deleted", "Meet Standard", "Ada Admin"),
    ]
    names = Counter(name for what, name, _ in gone if what.endswith("status changed"))
    assert names == {"Acme": 1, "Main": 1, "Meet Standard": 1}


@BOTH
def test_accounts_and_rooms_that_go_with_a_subscription_are_told(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        subscription = cast.room().subscription
        subscription.status = SubscriptionStatus.INACTIVE
        delete_subscription(subscription, by=actor_of(cast.user("admin")))
    told = Counter(row[0] for row in rows(cast) if "deleted" in row[0])
    assert told == {"Subscription deleted": 1, "Account deleted": 1, "Room deleted for good": 2}


def test_a_code_that_was_deleted_keeps_its_label(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        room, alice = cast.room(), actor_of(cast.user("alice"))
        for label in ("Press", ""):
            delete_code(create_code(room=room, role=Role.GUEST, label=label, by=alice), room=room, by=alice)
    deleted, created = ([row for row in rows(cast) if row[0] == f"Access code {end}"] for end in ("deleted", "created"))
    assert Counter(row[-1] for row in deleted) == {"Name: Press": 1, "": 1}
    assert "Press" in {row[1] for row in created}


@BOTH
def test_what_a_customer_had_is_found_by_it_when_it_is_gone(app: Flask, cast: Cast, emptied: datetime) -> None:
    with app.app_context(), transaction():
        ada = actor_of(cast.user("admin"))
        [other] = session.scalars(sa.select(Room).where(Room.room_name == "Open house"))
        account, acme = other.account, other.customer
        email = cast.user("bob").email
        for member in (
            add_membership(place=account, email=email, permissions=[AccountPermission.USAGE_VIEW], by=ada),
            add_membership(place=acme, email=email, permissions=[CustomerPermission.USAGE_VIEW], by=ada),
        ):
            remove_membership(member, by=ada)
        account.subscription.status = SubscriptionStatus.INACTIVE
        delete_subscription(account.subscription, by=ada)
        ids = {one.company_name: one.id for one in session.scalars(sa.select(Customer)).unique()}
    told = Counter((row[0], row[1]) for row in rows(cast, customer=ids["Acme"]))
    assert told["Room deleted for good", "Board"] == told["Room deleted", "Board"] == 1
    assert told["Link changed", "Board"] == 1
    assert told["Person added", "Bob Fischer"] == told["Person removed", "Bob Fischer"] == 2
    assert told["Account created", "Main"] == told["Account deleted", "Main"] == 1
    assert told["Package sold", "Meet Standard"] == told["Subscription deleted", "Meet Standard"] == 1
    assert {row[0] for row in rows(cast, customer=ids["Globex"])} == {
        "Customer created", "Package sold", "Account created",
    }  # fmt: skip
    page = cast.sign_in("admin").get(f"/admin/customers/{ids['Acme']}").text
    for words in ("Subscription deleted", "Account deleted"):
        assert words in page, words
    assert "Link changed" not in page


@BOTH
def test_the_lines_of_a_customer_that_is_gone_are_found_from_one_of_them(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        ada, acme = actor_of(cast.user("admin")), cast.room().customer
        change_customer_status(acme, CustomerStatus.TERMINATED, by=acting_as_staff(ada, acme))
        delete_customer(acme, by=acting_as_staff(ada, acme))
        uuid = str(acme.uuid)
    ada_page = cast.sign_in("admin").get(AUDIT).text
    assert f'href="{AUDIT}?customer={uuid}"' in ada_page
    found = cast.sign_in("admin").get(AUDIT, query_string={"customer": uuid}).text
    assert f'<option value="{uuid}" selected>' in found
    assert {row[0] for row in rows(cast, customer=uuid)} >= {"Customer created", "Room created", "Customer deleted"}
    everything = rows(cast)
    for nobody in (str(new_uuid()), "no-uuid"):
        assert len(rows(cast, customer=nobody)) > len(everything) / 2, "what is unknown narrows nothing"
