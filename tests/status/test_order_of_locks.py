"""Whatever locks a customer and something below it locks the customer first, so that no two wait for each other."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from portal.accounts.models import Account, AccountStatus
from portal.accounts.operations import create_account
from portal.db import session
from portal.people.actor import actor_of
from portal.permissions.ownership import transfer_ownership
from portal.status.account_lifecycle import change_account_status, delete_account, move_account
from portal.status.subscription_lifecycle import delete_subscription
from portal.subscriptions.models import SubscriptionStatus
from portal.subscriptions.selling import create_subscription
from tests.cast import Cast

pytestmark = pytest.mark.usefixtures("in_app")


class Noted(set[tuple[str, UUID]]):
    """The locks of a transaction, which remembers their order."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[UUID] = []

    def add(self, lock: tuple[str, UUID]) -> None:
        if lock[0] == "row":
            self.order.append(lock[1])
        super().add(lock)


def make(account: Account, _cast: Cast) -> None:
    create_account(subscription=account.subscription, account_name="Second")


def switch_off(account: Account, _cast: Cast) -> None:
    change_account_status(account, AccountStatus.INACTIVE)


def delete(account: Account, _cast: Cast) -> None:
    account.status = AccountStatus.INACTIVE
    delete_account(account)


def move(account: Account, _cast: Cast) -> None:
    package = account.subscription.package
    move_account(account, create_subscription(customer=account.customer, package=package))


def hand_over(account: Account, cast: Cast) -> None:
    transfer_ownership(account, cast.user("bob"), by=actor_of(account.owner))


def delete_what_was_sold(account: Account, _cast: Cast) -> None:
    account.subscription.status = SubscriptionStatus.INACTIVE
    delete_subscription(account.subscription)


@pytest.mark.parametrize(
    "operation", [make, switch_off, delete, move, hand_over, delete_what_was_sold], ids=lambda one: one.__name__
)
def test_the_customer_is_locked_before_what_is_below_it(cast: Cast, operation: Callable[[Account, Cast], Any]) -> None:
    account = cast.room().account
    below = {account.uuid, account.subscription.uuid}
    session.commit()
    session.info["locked_rows"] = noted = Noted()
    customer_uuid = account.customer_uuid
    operation(account, cast)
    assert below & set(noted.order), "it locks something below the customer"
    assert noted.order[0] == customer_uuid
    assert len(noted.order) == len(set(noted.order))
