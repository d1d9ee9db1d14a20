"""Creating accounts."""

from portal.accounts.models import Account
from portal.audit.operations import record_event
from portal.db import session
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.subscriptions.models import Subscription


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
