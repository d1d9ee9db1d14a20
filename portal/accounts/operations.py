"""Creating and changing accounts, and selling packages with their first account."""

from datetime import date, datetime

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.creating import lock_for_creating, require_creating
from portal.customers.models import Customer
from portal.db import lock, session
from portal.errors import Conflict, Message
from portal.metadata import checked_metadata
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH, User
from portal.people.names import clean_name
from portal.people.password_links import end_password_link
from portal.subscriptions.checked_terms import TermChanges
from portal.subscriptions.models import Subscription, SubscriptionFeature
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.phases import phase_of
from portal.subscriptions.selling import create_subscription

MAX_ACCOUNTS = "max_accounts"


def create_account(
    *,
    subscription: Subscription,
    account_name: str,
    owner: User | None = None,
    metadata: object = None,
    by: Actor | None = None,
) -> Account:
    """An account of the subscription's customer, owned by the customer's owner unless told. Raises `Invalid`.

    Raises `Conflict` if the customer is not active, the subscription is over, or the plan allows no further account;
    and `NotFound` for a subscription that was deleted meanwhile. `by` is None for the portal itself. Who may make one
    is judged by `portal.permissions.account_rights`.
    """
    lock_for_creating(subscription.customer)  # before its subscription, as all that locks both
    lock(subscription, relations=False)
    if phase_of(subscription, now()).over:
        raise Conflict(Message("This subscription has ended. Choose another, or have this one renewed."))
    return _account_of(subscription, account_name, owner=owner, metadata=metadata, by=by)


def _account_of(
    subscription: Subscription,
    account_name: str,
    *,
    owner: User | None = None,
    metadata: object = None,
    by: Actor | None,
) -> Account:
    """An account of this subscription, which is not over, or was sold just now from whatever day on.

    The customer has been locked.
    """
    customer = subscription.customer
    require_creating(customer.status)
    account = Account(
        account_name=clean_name(account_name, field="account_name", longest=NAME_LENGTH),
        account_metadata=checked_metadata({} if metadata is None else metadata, field="account_metadata"),
        subscription=subscription,
        customer=customer,
        owner=owner or customer.owner,
    )
    require_account_left(subscription)
    if owner is not None and owner.uuid != customer.owner_uuid:
        end_password_link(owner)
    session.add(account)
    session.flush()
    record_event("account.created", account, by=by)
    return account


def require_account_left(subscription: Subscription) -> None:
    """Raise `Conflict` if the plan limits accounts and all of them are made.

    It is judged under a lock of the plan's row, so that of two who make one at once the second counts the first's.
    """
    limit = sa.select(SubscriptionFeature.number).where(
        SubscriptionFeature.subscription_uuid == subscription.uuid, SubscriptionFeature.code == MAX_ACCOUNTS
    )
    most = session.scalar(limit.with_for_update(key_share=True))
    refusal = reason_for_no_account(subscription, most=most)
    if refusal is not None:
        raise Conflict(refusal)


def reason_for_no_account(subscription: Subscription, *, most: int | None) -> Message | None:
    """Why the subscription gets no further account if its plan allows `most`, None: any number; None if it does."""
    if most is None:
        return None
    made = session.scalar(
        sa.select(sa.func.count()).select_from(Account).where(Account.subscription_uuid == subscription.uuid)
    )
    if (made or 0) < most:
        return None
    return Message.plural(
        "The one account of this plan is there already.", "All %(n)d accounts of this plan are there.", n=most
    )


def lock_account(account: Account) -> None:
    """Lock the account's customer, then the account: in this order all do that lock both. Raises `NotFound`."""
    lock(account.customer)
    lock(account)


def change_account(
    account: Account, *, account_name: str | None = None, metadata: object = None, by: Actor | None = None
) -> None:
    """Change the name, and replace the metadata, whichever is not None. Raises `Invalid` or `NotFound`."""
    lock(account)
    before = values_of(account, ("account_name", "account_metadata"))
    if account_name is not None:
        account.account_name = clean_name(account_name, field="account_name", longest=NAME_LENGTH)
    if metadata is not None:
        account.account_metadata = checked_metadata(metadata, field="account_metadata")
    session.flush()
    if changes := changes_since(before, account):
        record_event("account.updated", account, by=by, changes=changes)


def sell_package(
    *,
    customer: Customer,
    package: ServicePackage,
    name: str = "",
    account_name: str = "",
    starts_at: date | datetime | None = None,
    terms: TermChanges | None = None,
    by: Actor | None = None,
) -> Account:
    """A subscription of the package for the customer, with its first account, each named after the package unless told.

    `by` is None for the portal itself. Raises what `create_subscription` does, and `Invalid` on `account_name`.
    """
    subscription = create_subscription(
        customer=customer, package=package, name=name, starts_at=starts_at, terms=terms, by=by
    )
    return _account_of(subscription, account_name or package.name, by=by)
