"""What was deleted for good keeps its name in the audit: in older lines about it, and about what was in it."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.admission.codes import create_code, delete_code
from portal.admission.tokens import change_token
from portal.audit.models import AuditEvent
from portal.customers.models import CustomerStatus
from portal.db import db, session, transaction
from portal.people.actor import actor_of
from portal.rooms.models import Role
from portal.rooms.operations import describe_room, trash_room
from portal.rooms.purging import TRASH_DAYS, empty_trash
from portal.status.customer_lifecycle import change_customer_status, delete_customer
from portal.status.subscription_lifecycle import delete_subscription
from portal.subscriptions.models import SubscriptionStatus
from tests.cast import Cast, editable
from tests.conftest import BOTH
from tests.statements import statements

AUDIT = "/admin/audit"


def rows(cast: Cast) -> list[list[str]]:
    """The lines of the audit, newest first, as the file has them."""
    return list(csv.reader(io.StringIO(cast.sign_in("admin").get(f"{AUDIT}/export.csv").text)))[1:]


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
