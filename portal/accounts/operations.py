"""Creating accounts, and selling packages with their first account."""

from portal.accounts.models import Account
from portal.audit.operations import record_event
from portal.customers.models import Customer
from portal.db import session
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.subscriptions.models import Subscription
from portal.subscriptions.operations import create_subscription
from portal.subscriptions.package_models import ServicePackage


def create_account(*, subscription: Subscription, account_name: str, by: Actor | None = None) -> Account:
    """An account of the subscription's customer, owned by the customer's owner. Raises `Invalid`.

    `by` is None for the portal itself.
    """
    account = Account(
        account_name=clean_name(account_name, field="account_name", longest=NAME_LENGTH),
        subscription=subscription,
        customer=subscription.customer,
        owner=subscription.customer.owner,
    )
    session.add(account)
    session.flush()
    record_event("account.created", account, by=by)
    return account


def sell_package(
    *, customer: Customer, package: ServicePackage, name: str = "", account_name: str = "", by: Actor | None = None
) -> Account:
    """A subscription of the package for the customer, with its first account, each named after the package unless told.

    `by` is None for the portal itself. Raises `Invalid`, or `Conflict` if the package cannot be sold.
    """
    subscription = create_subscription(customer=customer, package=package, name=name, by=by)
    return create_account(subscription=subscription, account_name=account_name or package.name, by=by)
