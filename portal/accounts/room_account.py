"""An account as making a room in it asks, as plain values: what stands above it, and how many rooms its plan grants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account, AccountStatus
from portal.customers.models import Customer, CustomerStatus, display_name
from portal.db import read
from portal.people.models import User
from portal.plain_values import columns_for
from portal.subscriptions.models import Subscription, SubscriptionFeature
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.term_read import TERM, TermRead

MAX_ROOMS = "max_rooms"


@dataclass(frozen=True, slots=True)
class RoomAccount:
    """An account with the customer, the subscription and the owner that a room in it would have."""

    uuid: UUID
    id: str
    account_name: str
    account_status: AccountStatus
    owner_uuid: UUID
    owner_id: str
    owner_name: str
    customer_uuid: UUID
    customer_id: str
    customer_status: CustomerStatus
    customer_owner_uuid: UUID
    company_name: str | None
    first_name: str | None
    last_name: str | None
    email: str
    webhooks: int
    subscription_uuid: UUID
    subscription_id: str
    service_type: ServiceType
    provider_type: str
    limited: bool
    """Whether the plan has a limit of rooms, which is counted under a lock.

    A plan without the feature grants no room, which is a limit, too.
    """
    term: TermRead
    """That of the subscription."""

    @property
    def customer_name(self) -> str:
        """The name to show for its customer."""
        return display_name(self.company_name, self.first_name, self.last_name, self.email)


_UNLIMITED = (
    sa.select(SubscriptionFeature.code)
    .where(
        SubscriptionFeature.subscription_uuid == Subscription.uuid,
        SubscriptionFeature.code == MAX_ROOMS,
        SubscriptionFeature.number.is_(None),
    )
    .exists()
)

_OWN = columns_for(
    RoomAccount,
    Account,
    without=("term",),
    account_status=Account.status,
    owner_id=User.id,
    owner_name=User.name,
    customer_id=Customer.id,
    customer_status=Customer.status,
    customer_owner_uuid=Customer.owner_uuid,
    company_name=Customer.company_name,
    first_name=Customer.first_name,
    last_name=Customer.last_name,
    email=Customer.email,
    webhooks=Customer.webhooks,
    subscription_id=Subscription.id,
    service_type=Subscription.service_type,
    provider_type=ServiceProvider.provider_type,
    limited=sa.not_(_UNLIMITED),
)
COLUMNS = (*_OWN, *TERM)
"""The columns of a `RoomAccount`, for `account_of`, of the SELECT that `with_what_stands_above` makes."""


def account_of(values: Sequence[Any]) -> RoomAccount:
    """The account in these values of `COLUMNS`."""
    return RoomAccount(*[*values[: len(_OWN)], TermRead(*values[len(_OWN) :])])


def with_what_stands_above(query: sa.Select[Any]) -> sa.Select[Any]:
    """`query` over accounts, joined with the customer, the owner, the subscription and the provider of each."""
    return (
        query.join(Customer, Customer.uuid == Account.customer_uuid)
        .join(User, User.uuid == Account.owner_uuid)
        .join(Subscription, Subscription.uuid == Account.subscription_uuid)
        .join(ServiceProvider, ServiceProvider.uuid == Subscription.provider_uuid)
    )


_ONE = (
    with_what_stands_above(sa.select(*COLUMNS))
    .where(Account.uuid == sa.bindparam("account", type_=sa.Uuid()))
    .with_for_update(of=Account, key_share=True)
)


def room_account(account_uuid: UUID) -> RoomAccount:
    """The account with this uuid, locked until the transaction ends, so that it stays with its plan; by one statement.

    Rows that refer to it can be written meanwhile, as with `db.lock`.
    """
    return account_of(read(_ONE, {"account": account_uuid}).one())


_PLAN = (
    sa.select(SubscriptionFeature.number, *TERM)
    .select_from(Account)
    .join(SubscriptionFeature, SubscriptionFeature.subscription_uuid == Account.subscription_uuid)
    .join(Subscription, Subscription.uuid == Account.subscription_uuid)
    .where(
        Account.uuid == sa.bindparam("account", type_=sa.Uuid()),
        Account.subscription_uuid == sa.bindparam("subscription", type_=sa.Uuid()),
        SubscriptionFeature.code == MAX_ROOMS,
    )
    .with_for_update(of=(Account, SubscriptionFeature), key_share=True)
)
_STILL_HAS_IT = sa.select(sa.true()).where(
    Account.uuid == sa.bindparam("account", type_=sa.Uuid()),
    Account.subscription_uuid == sa.bindparam("subscription", type_=sa.Uuid()),
)


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """What a plan grants whoever makes a room: so many rooms, None for any number, for as long as its term lasts."""

    most_rooms: int | None
    term: TermRead


def lock_plan(account: RoomAccount) -> RoomPlan | None:
    """What the plan of the account grants; None if the account has moved to another one since it was read.

    A limit of rooms is locked until the transaction ends, its term read anew. Locked is the account, as by whoever
    moves it, and then the feature, not the subscription, on which everybody who enters one of its rooms has a lock:
    whoever makes a room waits for others who make one, and for nobody else. A plan without a limit is as it was read.
    """
    if not account.limited:
        return RoomPlan(None, account.term)
    named = {"account": account.uuid, "subscription": account.subscription_uuid}
    row = read(_PLAN, named).one_or_none()
    if row is not None:
        return RoomPlan(row[0], TermRead(*row[1:]))
    return RoomPlan(0, account.term) if read(_STILL_HAS_IT, named).scalar() else None
