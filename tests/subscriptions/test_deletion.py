"""Deleting a subscription: only when it is inactive, and with everything below it."""

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account
from portal.accounts.operations import create_account
from portal.clock import now
from portal.db import lock, session
from portal.errors import Conflict, NotFound
from portal.identifiers import new_uuid
from portal.people.actor import actor_of
from portal.rooms.models import Room
from portal.status.models import RoomSession
from portal.status.subscription_lifecycle import delete_subscription, reason_to_keep
from portal.subscriptions.models import Subscription, SubscriptionFeature, SubscriptionProvider, SubscriptionStatus
from portal.subscriptions.queries import plan_of
from tests.admission.test_races import race
from tests.cast import Cast, new_room
from tests.conftest import BOTH

pytestmark = pytest.mark.usefixtures("in_app")

BELOW = (Account, Room, SubscriptionFeature, SubscriptionProvider)


def left(subscription: Subscription) -> list[int]:
    """How many rows of each kind refer to it."""
    return [
        session.scalar(sa.select(sa.func.count()).select_from(kind).where(kind.subscription_uuid == subscription.uuid))
        or 0
        for kind in BELOW
    ]


@BOTH
def test_an_inactive_one_goes_with_accounts_rooms_features_and_services(cast: Cast) -> None:
    sold = cast.room().subscription
    foreign = session.scalars(sa.select(Account).where(Account.subscription_uuid != sold.uuid)).first()
    assert foreign is not None
    other = new_room(account=foreign, room_name="Other", by=actor_of(foreign.owner)).uuid
    assert all(left(sold))
    sold.status = SubscriptionStatus.INACTIVE
    delete_subscription(sold, by=actor_of(cast.user("admin")))
    assert not any(left(sold))
    assert session.get(Subscription, sold.uuid) is None
    assert session.scalars(sa.select(Room.uuid)).all() == [other]


@pytest.mark.parametrize("status", [one for one in SubscriptionStatus if one is not SubscriptionStatus.INACTIVE])
def test_every_other_one_stays_and_says_why(cast: Cast, status: SubscriptionStatus) -> None:
    sold = cast.room().subscription
    sold.status = status
    session.flush()
    before = left(sold)
    with pytest.raises(Conflict, match="inactive"):
        delete_subscription(sold)
    assert left(sold) == before
    assert reason_to_keep(sold) is not None


def test_a_room_that_is_live_keeps_it(cast: Cast) -> None:
    cast.join()
    sold = cast.room().subscription
    sold.status = SubscriptionStatus.INACTIVE
    before = left(sold)
    assert "1 room is live" in str(reason_to_keep(sold)), "what the page says before anybody presses"
    with pytest.raises(Conflict, match="1 room is live"):
        delete_subscription(sold)
    assert left(sold) == before


def test_a_run_that_its_service_has_not_ended_yet_keeps_it(cast: Cast) -> None:
    cast.join()
    sold = cast.room().subscription
    sold.status = SubscriptionStatus.INACTIVE
    run = session.scalars(sa.select(RoomSession)).one()
    run.ended_at, run.end_wanted = now(), True
    session.flush()
    before = left(sold)
    with pytest.raises(Conflict, match="still being ended"):
        delete_subscription(sold)
    assert left(sold) == before


@BOTH
def test_no_account_is_left_behind_by_who_makes_one_meanwhile(app: Flask, cast: Cast) -> None:
    def act(number: int) -> object:
        sold = session.get(Subscription, uuid)
        if sold is None:
            return "gone"
        try:
            if number:
                return create_account(subscription=sold, account_name=f"Account {number}")
            lock(sold.customer)  # before its subscription, as all that locks both
            sold.status = SubscriptionStatus.INACTIVE
            session.flush()
            delete_subscription(sold)
        except NotFound as gone:
            return gone
        return "deleted"

    uuid = cast.room().subscription_uuid
    session.commit()
    assert race(app, act)[0] == "deleted"
    assert not session.scalar(sa.select(sa.func.count()).where(Account.subscription_uuid == uuid))


@pytest.mark.parametrize("status", [SubscriptionStatus.INACTIVE, SubscriptionStatus.TERMINATED])
def test_one_that_is_over_gets_no_account(cast: Cast, status: SubscriptionStatus) -> None:
    sold = cast.room().subscription
    sold.status = status
    session.flush()
    with pytest.raises(Conflict, match="has ended"):
        create_account(subscription=sold, account_name="More")


def test_the_plan_of_one_that_was_deleted_meanwhile_is_not_found(cast: Cast) -> None:
    assert plan_of(cast.room().subscription_uuid).values["max_participants"] == 25
    with pytest.raises(NotFound):
        plan_of(new_uuid())
