"""Nothing is made for a customer that was terminated after it was read: its status is judged under its lock."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import AccountStatus
from portal.accounts.operations import create_account
from portal.accounts.room_account import room_account
from portal.customers.models import CustomerStatus
from portal.db import session, transaction
from portal.errors import Conflict
from portal.people.actor import actor_of
from portal.people.operations import create_user
from portal.permissions.memberships import add_membership
from portal.permissions.operations import add_member
from portal.rooms.models import Room
from portal.rooms.operations import create_room
from portal.status.account_lifecycle import change_account_status
from portal.status.customer_lifecycle import change_customer_status
from portal.subscriptions.selling import create_subscription
from tests.cast import Cast
from tests.conftest import BOTH

EMAIL = "eva@demo.example"


def sell(room: Room) -> None:
    create_subscription(customer=room.customer, package=room.subscription.package)


def make_an_account(room: Room) -> None:
    create_account(subscription=room.subscription, account_name="Second")


def add_to_the_customer(room: Room) -> None:
    add_membership(place=room.customer, email=EMAIL, permissions=[], by=None)


def add_to_the_account(room: Room) -> None:
    add_membership(place=room.account, email=EMAIL, permissions=[], by=None)


def add_to_the_room(room: Room) -> None:
    add_member(room=room, email=EMAIL, permissions=[], by=None)


def make_the_account_active(room: Room) -> None:
    change_account_status(room.account, AccountStatus.ACTIVE)


def terminate(room: Room) -> None:
    change_customer_status(room.customer, CustomerStatus.TERMINATED)


def make_the_account_inactive(room: Room) -> None:
    change_account_status(room.account, AccountStatus.INACTIVE)


ACTS: list[Callable[[Room], None]] = [
    sell, make_an_account, add_to_the_customer, add_to_the_account, add_to_the_room, make_the_account_active
]  # fmt: skip


def meanwhile(cast: Cast, act: Callable[[Room], object]) -> None:
    """Let this be done by another transaction, which commits."""

    def run() -> None:
        with cast.app.app_context(), transaction():
            act(cast.room())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_nothing_is_made_for_a_customer_that_was_terminated_meanwhile(
    cast: Cast, app: Flask, act: Callable[[Room], None]
) -> None:
    with app.app_context(), transaction():
        create_user(email=EMAIL, name="Eva")
        if act is make_the_account_active:
            make_the_account_inactive(cast.room())
    with app.app_context(), transaction():
        room = cast.room()
        assert room.customer.usable
        assert room.account.customer is room.customer
        meanwhile(cast, terminate)
        with pytest.raises(Conflict, match="terminated"):
            act(room)


@BOTH
def test_no_room_is_made_in_an_account_that_became_inactive_meanwhile(cast: Cast, app: Flask) -> None:
    with app.app_context():
        account = room_account(cast.room().account_uuid)
        session.commit()
        meanwhile(cast, make_the_account_inactive)
        with pytest.raises(Conflict, match="Try again"), transaction():
            create_room(account=account, room_name="Late", by=actor_of(cast.user("admin")))
        assert "Late" not in session.scalars(sa.select(Room.room_name)).all()
