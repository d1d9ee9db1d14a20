"""Whether somebody may make or delete accounts: staff, or a customer's people where their plan lets them."""

from collections.abc import Collection, Iterable
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.customers.permission import CustomerPermission
from portal.db import session
from portal.errors import Conflict, Message, NotAllowed
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.permissions.rules import can
from portal.subscriptions.models import Subscription, SubscriptionFeature

CREATE, DELETE = "allow_create_account", "allow_delete_account"


def customers_whose_plan_grants(code: str, customers: Collection[UUID]) -> set[UUID]:
    """Those of the customers that have a subscription with this switch on, by one statement."""
    if not customers:
        return set()
    query = (
        sa.select(Subscription.customer_uuid)
        .join(SubscriptionFeature, SubscriptionFeature.subscription_uuid == Subscription.uuid)
        .where(
            Subscription.customer_uuid.in_(customers),
            SubscriptionFeature.code == code,
            SubscriptionFeature.switch.is_(True),
        )
    )
    return set(session.scalars(query))


def deletable_accounts(by: Actor, accounts: Iterable[Account]) -> set[UUID]:
    """Those of the accounts that he may delete as one of the customer's people, because their plan lets him.

    By one statement. The memberships of `by` at their customers must have been loaded.
    """
    allowed = [one for one in accounts if can(by, CustomerPermission.ACCOUNTS_DELETE, one.customer)]
    if not allowed:
        return set()
    query = sa.select(SubscriptionFeature.subscription_uuid).where(
        SubscriptionFeature.subscription_uuid.in_({one.subscription_uuid for one in allowed}),
        SubscriptionFeature.code == DELETE,
        SubscriptionFeature.switch.is_(True),
    )
    granting = set(session.scalars(query))
    return {one.uuid for one in allowed if one.subscription_uuid in granting}


def require_account_creation(by: Actor, subscription: Subscription) -> None:
    """Raise `NotAllowed` without the right at the customer, or `Conflict` if the plan lets only staff make accounts.

    The memberships of `by` at the customer must have been loaded.
    """
    if not can(by, CustomerPermission.ACCOUNTS_CREATE, subscription.customer):
        raise NotAllowed
    if StaffPermission.ACCOUNTS_CREATE not in by.staff and subscription.values.get(CREATE) is not True:
        raise Conflict(
            Message("This plan does not let you make accounts yourself. Ask whoever runs this portal for one.")
        )


def require_account_deletion(by: Actor, account: Account) -> None:
    """Raise `NotAllowed` without the right at the customer, or `Conflict` if the plan lets only staff delete them.

    The memberships of `by` at the customer must have been loaded.
    """
    if not can(by, CustomerPermission.ACCOUNTS_DELETE, account.customer):
        raise NotAllowed
    if StaffPermission.ACCOUNTS_DELETE not in by.staff and account.subscription.values.get(DELETE) is not True:
        raise Conflict(
            Message("This plan does not let you delete accounts yourself. Ask whoever runs this portal for it.")
        )
