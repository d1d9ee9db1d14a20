"""The accounts of a customer, each with the number of its rooms, as plain values for a page."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account, AccountStatus
from portal.db import literal_limit, read
from portal.people.models import User
from portal.plain_values import columns_for
from portal.rooms.models import Room
from portal.subscriptions.models import Subscription

MOST = 100


@dataclass(frozen=True)
class AccountRooms:
    """An account with its subscription, its owner and the number of its rooms, without those in the trash."""

    id: str
    account_name: str
    status: AccountStatus
    subscription_name: str
    owner_name: str
    rooms: int


_ROOMS = (
    sa.select(sa.func.count())
    .select_from(Room)
    .where(Room.account_uuid == Account.uuid, Room.trashed_at.is_(None))
    .scalar_subquery()
)
_OF_CUSTOMER = (
    sa.select(
        *columns_for(AccountRooms, Account, subscription_name=Subscription.name, owner_name=User.name, rooms=_ROOMS)
    )
    .join(Subscription, Subscription.uuid == Account.subscription_uuid)
    .join(User, User.uuid == Account.owner_uuid)
    .where(Account.customer_uuid == sa.bindparam("customer", type_=sa.Uuid()))
    .order_by(Account.account_name, Account.uuid)
    .limit(literal_limit(MOST))
)


def accounts_of_customer(customer_uuid: UUID) -> list[AccountRooms]:
    """The customer's accounts by name, at most 100, by one statement."""
    return [AccountRooms(*row) for row in read(_OF_CUSTOMER, {"customer": customer_uuid})]
