"""A customer's status and its end: what is said before is what happens, and nobody stays where nothing works."""

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account, AccountStatus
from portal.accounts.operations import create_account
from portal.audit.models import AuditEvent
from portal.customers.models import Customer, CustomerMember, CustomerStatus
from portal.db import session
from portal.errors import Conflict, Invalid
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.rooms.models import Room
from portal.status.account_lifecycle import (
    AccountContents,
    change_account_status,
    contents_of,
    delete_account,
    move_account,
    what_if_moved,
)
from portal.status.customer_lifecycle import (
    Below,
    Consequences,
    below,
    change_customer_status,
    consequences,
    delete_customer,
)
from portal.status.models import RoomSession
from portal.status.operations import present_participations
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.subscriptions.selling import create_subscription
from tests.cast import Cast
from tests.conftest import BOTH
from tests.status.test_runs import come

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def acme(cast: Cast, in_app: None) -> Customer:
    return cast.room().customer


@BOTH
def test_terminating_does_what_was_said_before(cast: Cast, acme: Customer) -> None:
    come(cast, "Gus")
    come(cast, "Gil")
    said = consequences(acme, CustomerStatus.TERMINATED)
    assert said == Consequences(rooms=2, live=1, people=2, subscriptions=1, accounts=1)
    assert change_customer_status(acme, CustomerStatus.TERMINATED, by=actor_of(cast.user("admin"))) == said
    session.commit()
    assert present_participations(cast.room()) == []
    assert cast.room().account.status is AccountStatus.INACTIVE
    assert cast.room().subscription.status is SubscriptionStatus.INACTIVE
    line = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "customer.status_changed")).one()
    assert line.details == {"status_before": "active", "status_after": "terminated"}
    assert consequences(acme, CustomerStatus.TERMINATED) == Consequences()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (CustomerStatus.ACTIVE, Consequences()),
        (CustomerStatus.SUSPENDED, Consequences()),
        (CustomerStatus.INACTIVE, Consequences(rooms=2, live=1, people=1)),
    ],
)
def test_only_what_stops_rooms_sends_people_out(
    cast: Cast, acme: Customer, status: CustomerStatus, said: Consequences
) -> None:
    come(cast, "Gus")
    assert change_customer_status(acme, status) == said
    assert len(present_participations(cast.room())) == (0 if said.people else 1)
    assert cast.room().account.status is AccountStatus.ACTIVE


@pytest.mark.parametrize("status", [CustomerStatus.SUSPENDED, CustomerStatus.INACTIVE, CustomerStatus.TERMINATED])
def test_nothing_new_is_made_for_a_customer_that_is_not_active(
    acme: Customer, cast: Cast, status: CustomerStatus
) -> None:
    change_customer_status(acme, status)
    with pytest.raises(Conflict, match=status.value):
        create_account(subscription=cast.room().subscription, account_name="More")


@BOTH
def test_a_terminated_customer_goes_with_everything_below_and_no_other_does(cast: Cast, acme: Customer) -> None:
    come(cast, "Gus")
    with pytest.raises(Conflict, match="not terminated"):
        delete_customer(acme)
    change_customer_status(acme, CustomerStatus.TERMINATED)
    assert below(acme) == Below(accounts=1, subscriptions=1, rooms=2, members=1)
    delete_customer(acme)
    session.commit()
    for kind in (Account, Subscription, Customer):
        assert len(session.scalars(sa.select(kind)).unique().all()) == 1, kind
    assert session.scalars(sa.select(CustomerMember)).all() == []
    assert {room.customer.company_name for room in session.scalars(sa.select(Room))} == set()
    assert cast.user("alice").email


def test_a_run_whose_service_was_not_told_yet_keeps_the_customer(cast: Cast, acme: Customer) -> None:
    come(cast, "Gus")
    change_customer_status(acme, CustomerStatus.TERMINATED)
    run = session.scalars(sa.select(RoomSession).where(RoomSession.room_uuid == cast.room().uuid)).one()
    run.end_wanted = True
    session.flush()
    with pytest.raises(Conflict, match="being ended"):
        delete_customer(acme)


def test_an_account_goes_only_when_it_is_inactive(cast: Cast) -> None:
    account = cast.room().account
    with pytest.raises(Conflict, match="inactive first"):
        delete_account(account)
    change_account_status(account, AccountStatus.INACTIVE)
    delete_account(account)
    session.commit()
    assert {room.customer.company_name for room in session.scalars(sa.select(Room))} == set()


def test_an_account_with_a_live_room_is_kept_until_that_is_empty(cast: Cast, acme: Customer) -> None:
    account = cast.room().account
    come(cast, "Gus")
    change_account_status(account, AccountStatus.INACTIVE)
    assert contents_of(account) == AccountContents(rooms=2, trashed=0, live=1, people=1, members=0)
    with pytest.raises(Conflict, match="1 room is live"):
        delete_account(account)


def test_an_account_of_a_terminated_customer_stays_inactive(cast: Cast, acme: Customer) -> None:
    account = cast.room().account
    change_customer_status(acme, CustomerStatus.TERMINATED)
    with pytest.raises(Conflict, match="terminated"):
        change_account_status(account, AccountStatus.ACTIVE)


@BOTH
def test_an_account_moves_with_its_rooms_and_the_people_in_them(cast: Cast, acme: Customer) -> None:
    account, before = cast.room().account, cast.room().subscription
    inside = come(cast, "Gus")
    to = create_subscription(customer=acme, package=before.package)
    next(one for one in to.features if one.code == "max_participants").number = 7
    session.flush()
    move = what_if_moved(account, to)
    assert [(change.feature.code, change.after) for change in move.changes] == [("max_participants", 7)]
    assert (move.rooms, move.people, move.refusal) == (2, 1, None)
    move_account(account, to)
    session.commit()
    assert cast.room().subscription.uuid == to.uuid == account.subscription_uuid
    session.refresh(inside)
    assert (inside.subscription_uuid, inside.left_at) == (to.uuid, None)


def test_an_account_moves_only_where_its_rooms_fit(cast: Cast, acme: Customer) -> None:
    account, before = cast.room().account, cast.room().subscription
    to = create_subscription(customer=acme, package=before.package)
    next(one for one in to.features if one.code == "max_rooms").number = 1
    session.flush()
    with pytest.raises(Conflict, match="do not fit"):
        move_account(account, to)
    assert account.subscription_uuid == before.uuid
    assert "do not fit" in (what_if_moved(account, to).refusal or "")
    theirs = session.scalars(sa.select(Subscription).where(Subscription.customer_uuid != acme.uuid)).unique().one()
    with pytest.raises(Invalid):
        move_account(account, theirs)


def test_an_account_without_rooms_moves_also_where_there_are_too_many(cast: Cast, acme: Customer) -> None:
    full = cast.room().subscription
    next(one for one in full.features if one.code == "max_rooms").number = 1
    other = create_subscription(customer=acme, package=full.package)
    empty = create_account(subscription=other, account_name="Empty")
    assert what_if_moved(empty, full).refusal is None
    move_account(empty, full)
    assert empty.subscription_uuid == full.uuid


def test_members_of_rooms_go_with_them(cast: Cast, acme: Customer) -> None:
    assert session.scalars(sa.select(RoomMember)).all() != []
    change_customer_status(acme, CustomerStatus.TERMINATED)
    delete_customer(acme)
    assert session.scalars(sa.select(RoomMember)).all() == []
