"""Nobody enters or starts a room while something above it does not allow that, whatever way he comes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account, AccountStatus
from portal.admission.case import Check, Enter, Reason
from portal.admission.entering import preview
from portal.admission.visitor import Visitor
from portal.clock import now
from portal.customers.models import CustomerStatus
from portal.db import session, transaction
from portal.errors import Conflict
from portal.people.actor import actor_of
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.status.runs import start_session
from portal.subscriptions.models import SubscriptionFeature, SubscriptionStatus
from tests.cast import CODE, Cast, Client, new_room
from tests.conftest import BOTH

HOUR = timedelta(hours=1)


def customer(status: CustomerStatus) -> Callable[[Room], None]:
    return lambda room: setattr(room.customer, "status", status)


def plan(status: SubscriptionStatus = SubscriptionStatus.ACTIVE, **hours: int) -> Callable[[Room], None]:
    """The subscription in this status, with moments so many hours from now."""

    def change(room: Room) -> None:
        room.subscription.status = status
        for name, distance in hours.items():
            setattr(room.subscription, name, now() + distance * HOUR)

    return change


CANCELED = SubscriptionStatus.CANCELED
ROWS: list[tuple[str, Callable[[Room], None], Check | None]] = [
    ("everything as it should be", lambda room: None, None),
    ("a suspended customer, whose rooms go on", customer(CustomerStatus.SUSPENDED), None),
    ("an inactive customer", customer(CustomerStatus.INACTIVE), Check.CUSTOMER),
    ("a terminated customer", customer(CustomerStatus.TERMINATED), Check.CUSTOMER),
    ("a plan in its period", plan(ends_at=1), None),
    ("a plan that has not started", plan(starts_at=1), Check.SUBSCRIPTION),
    ("a plan whose period is over", plan(ends_at=-1), Check.SUBSCRIPTION),
    ("a plan in its grace", plan(ends_at=-1, grace_until=1), None),
    ("a plan whose grace is over", plan(ends_at=-2, grace_until=-1), Check.SUBSCRIPTION),
    ("a plan canceled for later", plan(CANCELED, cancels_at=1), None),
    ("a plan canceled for later whose period is over", plan(CANCELED, ends_at=-1, cancels_at=1), Check.SUBSCRIPTION),
    ("a plan canceled for earlier", plan(CANCELED, cancels_at=-1), Check.SUBSCRIPTION),
    ("an inactive plan", plan(SubscriptionStatus.INACTIVE), Check.SUBSCRIPTION),
    ("a suspended plan", plan(SubscriptionStatus.SUSPENDED), Check.SUBSCRIPTION),
    ("a terminated plan", plan(SubscriptionStatus.TERMINATED), Check.SUBSCRIPTION),
    ("an inactive account", lambda room: setattr(room.account, "status", AccountStatus.INACTIVE), Check.ACCOUNT),
    ("an inactive room", lambda room: setattr(room, "status", RoomStatusWord.INACTIVE), Check.ROOM),
    ("a provider switched off", lambda room: setattr(room.subscription.provider, "active", False), Check.PROVIDER),
]


@pytest.mark.parametrize(("what", "change", "stopped_by"), ROWS, ids=[row[0] for row in ROWS])
def test_it_is_judged_for_whoever_comes(
    app: Flask, cast: Cast, what: str, change: Callable[[Room], None], stopped_by: Check | None
) -> None:
    guest = cast.follow(Role.GUEST)
    with app.app_context(), transaction():
        change(cast.room())
    with app.app_context(), transaction():
        room = cast.room()
        for visitor in (
            Visitor(token=cast.token(Role.GUEST)),
            Visitor(member=actor_of(cast.user("alice")), member_role=Role.MODERATOR),
        ):
            decision = preview(room, visitor)
            stopped = [line.check for line in decision.checks if line.outcome == "stopped"]
            assert stopped == ([stopped_by] if stopped_by else []), what
            assert decision.reason is (Reason.UNAVAILABLE if stopped_by else None)
            assert isinstance(decision.result, Enter) is (stopped_by is None)
    answer = guest.send(cast.board_path, name="Gus")
    assert (answer.status_code == 303) is (stopped_by is None), answer.text
    with app.app_context(), transaction():
        if stopped_by is None:
            assert start_session(cast.room()).ended_at is None
        else:
            assert "customer" not in answer.text.casefold()
            with pytest.raises(Conflict):
                start_session(cast.room())


def places(app: Flask, cast: Cast, number: int) -> None:
    with app.app_context(), transaction():
        feature = session.get_one(SubscriptionFeature, (cast.room().subscription_uuid, "max_participants"))
        feature.number = number


@BOTH
def test_all_rooms_of_a_plan_share_its_places(app: Flask, cast: Cast) -> None:
    places(app, cast, 2)
    cast.join(Role.ATTENDEE, name="First")
    second = cast.browser()
    assert second.send(cast.open_path, name="Second").status_code == 303
    for third, path, fields in (
        (cast.follow(Role.ATTENDEE), cast.board_path, {"code": CODE}),
        (cast.follow(Role.GUEST), cast.board_path, {}),
        (cast.browser(), cast.open_path, {}),
    ):
        refused = third.send(path, name="Third", **fields)
        assert refused.status_code == 403, refused.text
        assert "full" in refused.text
    leave(cast, second)
    assert cast.follow(Role.GUEST).send(cast.board_path, name="Third").status_code == 303


def leave(cast: Cast, guest: Client) -> None:
    player = f"/rooms/{cast.open_house}/-/conference"
    assert guest.post(f"{player}/departure", data={"csrf_token": guest.token(player)}).status_code < 400


def test_the_places_of_another_customers_plan_are_its_own(app: Flask, cast: Cast) -> None:
    places(app, cast, 1)
    cast.join(name="Only")
    with app.app_context(), transaction():
        query = sa.select(Account).where(Account.owner_uuid == cast.user("charlie").uuid)
        account = session.scalars(query).unique().one()
        room = new_room(account=account, room_name="Theirs", by=actor_of(cast.user("charlie")), is_public=True)
        path = room.path
    assert cast.browser().send(path, name="Theirs").status_code == 303
    assert cast.follow(Role.GUEST).send(cast.board_path, name="Late").status_code == 403
