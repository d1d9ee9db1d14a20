"""Webhooks of the portal itself tell staff's programs what becomes of customers, accounts and subscriptions."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from standardwebhooks import WebhookVerificationError

from portal.accounts.models import Account
from portal.accounts.operations import change_account, sell_package
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.customers.models import Customer, CustomerStatus
from portal.customers.operations import change_customer, create_customer
from portal.db import session, transaction
from portal.errors import Invalid
from portal.people.actor import Actor, actor_of
from portal.people.models import PlatformRole
from portal.people.staff import StaffPermission
from portal.permissions.ownership import transfer_ownership
from portal.resources.subscriptions import serialize_subscription
from portal.status.account_lifecycle import delete_account
from portal.status.customer_lifecycle import change_customer_status, delete_customer
from portal.status.subscription_lifecycle import delete_subscription
from portal.subscriptions import endings
from portal.subscriptions.cancellation import cancel, uncancel
from portal.subscriptions.changing import change_subscription
from portal.subscriptions.granting import remove_feature, set_feature, sync_features
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.renewal import renew
from portal.subscriptions.statuses import resume, suspend, terminate
from portal.subscriptions.terms import Length, PeriodUnit
from portal.webhooks.deliveries import due
from portal.webhooks.events import EVENT_OF_ACTION, ROOM_EVENTS, STAFF_EVENTS, Event
from portal.webhooks.models import PauseReason
from portal.webhooks.operations import change_endpoint, create_endpoint
from portal.webhooks.scheduling import SLOTS_PER_CUSTOMER, SLOW_SLOTS_PER_CUSTOMER
from tests.cast import Cast
from tests.conftest import BOTH
from tests.noted_actions import noted_actions
from tests.receiver import Message, Receiver
from tests.subscriptions.test_packages import a_package
from tests.webhooks.conftest import Work, endpoint_of, happen, messages, secret_of

Staff = Callable[..., str]
OBJECTS = {"customer": "Customer", "account": "Account", "subscription": "ServicePackageSubscription"}


@pytest.fixture
def staff_listen(app: Flask, cast: Cast, hook: Receiver, told: list[object]) -> Staff:
    """Makes an endpoint of the portal that the admin keeps, or somebody else."""

    def make(*events: Event, name: str = "admin") -> str:
        with app.app_context(), transaction():
            by = actor_of(cast.user(name))
            return create_endpoint(customer=None, url=hook.url, events=events or STAFF_EVENTS, by=by).id

    return make


def told_of() -> list[tuple[str, dict[str, Any]]]:
    """Type and data of each message, in order."""
    return [(one["type"], one["data"]) for one in (json.loads(one.payload) for one in messages())]


def sell(cast: Cast, by: Actor, *, customer: Customer | None = None) -> Account:
    package = session.scalars(sa.select(ServicePackage).where(ServicePackage.name == "Endless")).one_or_none()
    package = package or a_package(period=Length(1, PeriodUnit.MONTH), features={"max_rooms": 3})
    return sell_package(customer=customer or cast.room().customer, package=package, by=by)


def test_the_life_of_a_customer_is_told_from_the_first_to_the_last(app: Flask, cast: Cast, staff_listen: Staff) -> None:
    staff_listen()
    with app.app_context(), transaction():
        ada = actor_of(cast.user("admin"))
        customer = create_customer(by=ada, owner=cast.user("bob"), company_name="Initech")
        change_customer(customer, by=ada, company_name="Initrode")
        account = sell(cast, ada, customer=customer)
        change_account(account, by=ada, account_name="Events")
        change_customer_status(customer, CustomerStatus.TERMINATED, by=ada)
        subscription = account.subscription
        ids = {"customer": customer.id, "account": account.id, "subscription": subscription.id}
        delete_account(account, by=ada)
        delete_subscription(subscription, by=ada)
        delete_customer(customer, by=ada)
    with app.app_context():
        told = told_of()
    assert [kind for kind, _ in told] == [
        "customer.created",
        "customer.updated",
        "subscription.created",
        "account.created",
        "account.updated",
        "subscription.updated",
        "account.updated",
        "customer.updated",
        "account.deleted",
        "subscription.deleted",
        "customer.deleted",
    ]
    for kind, data in told:
        noun = kind.partition(".")[0]
        assert (data["object"], data["id"]) == (OBJECTS[noun], ids[noun])
    assert [data["company_name"] for _, data in told if data["object"] == "Customer"] == ["Initech"] + 3 * ["Initrode"]
    assert told[5][1]["status"] == told[6][1]["status"] == "inactive"
    assert told[7][1]["status"] == "terminated"


def test_whatever_is_done_to_a_subscription_is_told(app: Flask, cast: Cast, staff_listen: Staff) -> None:
    staff_listen()
    with app.app_context(), transaction():
        ada = actor_of(cast.user("admin"))
        one = sell(cast, ada).subscription
        acts: list[Callable[[], object]] = [
            lambda: renew(one, by=ada),
            lambda: cancel(one, by=ada),
            lambda: uncancel(one, by=ada),
            lambda: change_subscription(one, by=ada, name="Renamed"),
            lambda: set_feature(one, code="max_rooms", value=9, by=ada),
            lambda: remove_feature(one, code="max_rooms", by=ada),
            lambda: sync_features(one, by=ada),
            lambda: suspend(one, by=ada),
            lambda: resume(one, by=ada),
            lambda: terminate(one, by=ada),
        ]
        for act in acts:
            act()
        told = [(kind, data) for kind, data in told_of() if data["object"] == "ServicePackageSubscription"]
        assert [kind.partition(".")[2] for kind, _ in told] == (["created", "renewed", "canceled", *(8 * ["updated"])])
        assert told[3][1]["canceled_at"] is None
        assert told[5][1]["feature_values"] == {"max_rooms": 9}
        assert told[6][1]["feature_values"] == {}
        assert told[7][1]["feature_values"] == {"max_rooms": 3}
        session.expire_all()
        assert told[-1][1] == json.loads(json.dumps(serialize_subscription(one, now())))


@BOTH
def test_housekeeping_tells_what_ends_soon_and_what_has_ended(app: Flask, cast: Cast, staff_listen: Staff) -> None:
    staff_listen(Event.SUBSCRIPTION_ENDING, Event.SUBSCRIPTION_ENDED)
    with app.app_context(), transaction():
        one = sell(cast, actor_of(cast.user("admin"))).subscription
        uuid, subscription_id, one.ends_at = one.uuid, one.id, now() + timedelta(days=6)
    _keep_house_twice(app)
    with app.app_context(), transaction():
        assert [(kind, data["id"]) for kind, data in told_of()] == [("subscription.ending", subscription_id)]
        session.get_one(Subscription, uuid).ends_at = now() - timedelta(seconds=1)
    _keep_house_twice(app)
    with app.app_context():
        [_, (kind, data)] = told_of()
    assert (kind, data["id"], data["status"]) == ("subscription.ended", subscription_id, "inactive")


def _keep_house_twice(app: Flask) -> None:
    for job in 2 * [endings.warn_of_endings, endings.mark_ended]:
        with app.app_context(), transaction():
            job()


def test_owners_who_change_are_told(app: Flask, cast: Cast, staff_listen: Staff) -> None:
    staff_listen()
    with app.app_context(), transaction():
        customer, alice = cast.room().customer, actor_of(cast.user("alice"))
        transfer_ownership(customer, cast.user("bob"), by=alice)
        bob = cast.user("bob").id
        told = told_of()
    assert [kind for kind, _ in told] == ["customer.updated", "account.updated"]
    assert {data["owner_id"] for _, data in told} == {bob}


def test_what_is_rolled_back_is_not_told(app: Flask, cast: Cast, staff_listen: Staff) -> None:
    staff_listen()
    with app.app_context():
        with suppress(ZeroDivisionError), transaction():
            change_customer(cast.room().customer, by=None, company_name="Never")
            assert len(messages()) == 1
            raise ZeroDivisionError
        assert messages() == []


@BOTH
def test_it_arrives_signed_at_each_endpoint(
    app: Flask, cast: Cast, hook: Receiver, staff_listen: Staff, work: Work
) -> None:
    """There are more of them than slots, which they share as those of one customer do."""
    endpoints = [staff_listen() for _ in range(SLOTS_PER_CUSTOMER + 1)]
    with app.app_context(), transaction():
        change_customer(cast.room().customer, by=None, company_name="Acme & Sons")
    with app.app_context():
        assert len(due()) == SLOW_SLOTS_PER_CUSTOMER
    assert work() == len(endpoints)
    for message in hook.messages:
        assert any(_verified(message, secret_of(app, one)) for one in endpoints)
    assert len({message.headers["webhook-signature"] for message in hook.messages}) == len(endpoints)


def _verified(message: Message, secret: str) -> bool:
    try:
        return bool(message.verified(secret)["data"]["company_name"] == "Acme & Sons")
    except WebhookVerificationError:
        return False


def test_no_endpoint_of_a_customer_or_a_room_is_told(app: Flask, cast: Cast, hook: Receiver) -> None:
    """Not even one that has such an event, as if it had been written by hand."""
    with app.app_context(), transaction():
        room, ada = cast.room(), actor_of(cast.user("admin"))
        for one in (None, room):
            with pytest.raises(Invalid) as refused:
                create_endpoint(customer=room.customer, room=one, url=hook.url, events=[Event.CUSTOMER_UPDATED], by=ada)
            assert "only to webhooks of the portal" in str(refused.value.fields["events"])
            session.rollback()
            made = create_endpoint(customer=room.customer, room=one, url=hook.url, events=[Event.ROOM_CREATED], by=ada)
            made.events = [event.value for event in Event]
            session.commit()
        change_customer(room.customer, by=None, company_name="Other")
        assert messages() == []


def test_an_endpoint_of_the_portal_is_told_of_no_room(app: Flask, cast: Cast, staff_listen: Staff) -> None:
    for event in ROOM_EVENTS:
        with pytest.raises(Invalid) as refused:
            staff_listen(event)
        assert "happens in a room" in str(refused.value.fields["events"])
    staff_listen()
    happen(app, cast)
    with app.app_context():
        assert messages() == []


@pytest.mark.parametrize("lost", [StaffPermission.SUBSCRIPTIONS_READ, StaffPermission.CUSTOMERS_UPDATE])
def test_it_is_paused_once_its_owner_is_staff_for_that_no_more(
    app: Flask, cast: Cast, staff_listen: Staff, lost: StaffPermission
) -> None:
    holds = {f"staff:{noun}:read" for noun in ("customers", "accounts", "subscriptions")}
    holds.add(StaffPermission.CUSTOMERS_UPDATE)
    with app.app_context(), transaction():
        role = PlatformRole(name="sellers", permissions=sorted(holds))
        cast.user("bob").platform_roles = [role]
    endpoint_id = staff_listen(name="bob")
    with app.app_context(), transaction():
        cast.user("bob").platform_roles[0].permissions = sorted(holds - {lost})
    with app.app_context(), transaction():
        change_customer(cast.room().customer, by=None, company_name="Other")
    with app.app_context():
        assert messages() == []
        assert endpoint_of(endpoint_id).paused_why is PauseReason.RIGHTS
        noted = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "webhook.paused")).one()
        assert noted.room_uuid is None
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("admin")), description="Mine now")
        assert endpoint_of(endpoint_id).active


def test_every_line_of_the_audit_about_these_three_is_an_event() -> None:
    """Each is told under its own name or as a change, so that a program that keeps a copy misses nothing."""
    noted = {action for action in noted_actions() if action.partition(".")[0] in OBJECTS}
    assert noted - set(EVENT_OF_ACTION) == set()
    assert {EVENT_OF_ACTION[action] for action in noted} == set(STAFF_EVENTS)
