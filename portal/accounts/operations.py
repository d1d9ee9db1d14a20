"""Creating accounts, and selling the plans of which they are instances."""

from portal.accounts.models import Account
from portal.audit.operations import record_event
from portal.customers.models import Customer
from portal.db import session
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.subscriptions.models import Subscription
from portal.subscriptions.operations import create_subscription, find_or_create_provider
from portal.subscriptions.plans import Plan


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


def sell_plan(*, customer: Customer, plan: Plan, account_name: str = "", by: Actor | None = None) -> Account:
    """A subscription of the plan for the customer, with its first account, which is named after it unless told.

    The service that the plan needs is made if there is none. `by` is None for the portal itself. Raises `Invalid`.
    """
    subscription = create_subscription(
        customer=customer,
        name=plan.name,
        service_type=plan.service_type,
        provider=find_or_create_provider(plan.provider_type, by=by),
        features=plan.features,
        by=by,
    )
    return create_account(subscription=subscription, account_name=account_name or plan.name, by=by)
