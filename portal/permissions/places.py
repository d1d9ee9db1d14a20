"""Customers and accounts as somebody may see them: finding one with his memberships, and selecting all for lists.

Somebody sees a customer or an account who has any right there of his own, as its owner or as a member who was granted
something; and staff who may read it. While the customer is not usable, only staff do. A member at a customer has the
rights that accounts know in each of its accounts.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from portal.accounts.models import Account, AccountMember
from portal.accounts.permission import AccountPermission
from portal.customers.models import Customer, CustomerMember, customer_is_usable
from portal.customers.permission import CustomerPermission
from portal.db import session
from portal.identifiers import matches_identifier
from portal.people.actor import Actor
from portal.people.memberships import MembershipMixin
from portal.people.staff import StaffPermission
from portal.permissions.rules import has_own_part, holds
from portal.unions import in_one_of

READING: dict[type[Account | Customer], StaffPermission] = {
    Account: StaffPermission.ACCOUNTS_READ,
    Customer: StaffPermission.CUSTOMERS_READ,
}
"""The permission by which staff see all things of a kind; what else they may do with them shows them nothing."""


def visible_customer(actor: Actor, customer_id: str, *, using: CustomerPermission | None = None) -> Customer | None:
    """The customer with this id, uuid or ulid, if the actor may see it; else None. Loads his membership there.

    Whoever may do what `using` says gets it, too, for doing only that.
    """
    mine = sa.and_(CustomerMember.customer_uuid == Customer.uuid, CustomerMember.user_uuid == actor.uuid)
    query = (
        sa.select(Customer, CustomerMember)
        .outerjoin(CustomerMember, mine)
        .where(matches_identifier(Customer, customer_id))
    )
    row = session.execute(query).unique().one_or_none()
    if row is None:
        return None
    customer, actor.memberships[row[0].uuid] = row
    if using is not None and holds(actor, using, customer):
        return customer
    return customer if _may_see(actor, customer) else None


def visible_account(actor: Actor, account_id: str) -> Account | None:
    """The account with this id, uuid or ulid, if the actor may see it; else None. Loads his memberships above it."""
    query = (
        sa.select(Account, AccountMember, CustomerMember)
        .join(Account.customer)
        .join(Account.subscription)
        .outerjoin(
            AccountMember, sa.and_(AccountMember.account_uuid == Account.uuid, AccountMember.user_uuid == actor.uuid)
        )
        .outerjoin(
            CustomerMember,
            sa.and_(CustomerMember.customer_uuid == Account.customer_uuid, CustomerMember.user_uuid == actor.uuid),
        )
        .options(contains_eager(Account.customer), contains_eager(Account.subscription))
        .where(matches_identifier(Account, account_id))
    )
    row = session.execute(query).unique().one_or_none()
    if row is None:
        return None
    account, actor.memberships[row[0].uuid], actor.memberships[row[0].customer_uuid] = row
    return account if _may_see(actor, account) else None


def _may_see(actor: Actor, place: Account | Customer) -> bool:
    return READING[type(place)] in actor.staff or has_own_part(actor, place)


def load_memberships(actor: Actor) -> None:
    """Load all of the actor's memberships above rooms, for deciding about each place of a list."""
    for at_customer in session.scalars(sa.select(CustomerMember).where(CustomerMember.user_uuid == actor.uuid)):
        actor.memberships[at_customer.customer_uuid] = at_customer
    for inside in session.scalars(sa.select(AccountMember).where(AccountMember.user_uuid == actor.uuid)):
        actor.memberships[inside.account_uuid] = inside


def visible_customers(actor: Actor, at: datetime) -> sa.Select[Customer]:
    """A SELECT of the customers that the actor may see."""
    query = sa.select(Customer)
    if StaffPermission.CUSTOMERS_READ in actor.staff:
        return query
    members = sa.select(CustomerMember.customer_uuid).where(
        CustomerMember.user_uuid == actor.uuid, *_grants_something(CustomerMember, at)
    )
    own = sa.select(Customer.uuid).where(Customer.owner_uuid == actor.uuid)
    return query.where(customer_is_usable(), in_one_of(Customer.uuid, own, members))


def visible_accounts(actor: Actor, at: datetime) -> sa.Select[Account]:
    """A SELECT of the accounts that the actor may see, each with its customer."""
    query = sa.select(Account).join(Account.customer).options(contains_eager(Account.customer))
    if StaffPermission.ACCOUNTS_READ in actor.staff:
        return query
    below = sa.select(CustomerMember.customer_uuid).where(
        CustomerMember.user_uuid == actor.uuid,
        CustomerMember.lasts(at),
        sa.or_(*(CustomerMember.grants(one) for one in AccountPermission)),
    )
    inside = sa.select(AccountMember.account_uuid).where(
        AccountMember.user_uuid == actor.uuid, *_grants_something(AccountMember, at)
    )
    return query.where(
        customer_is_usable(),
        in_one_of(
            Account.uuid,
            sa.select(Account.uuid).where(Account.owner_uuid == actor.uuid),
            sa.select(Account.uuid).join(Account.customer).where(Customer.owner_uuid == actor.uuid),
            inside,
            sa.select(Account.uuid).where(Account.customer_uuid.in_(below)),
        ),
    )


def _grants_something(kind: type[MembershipMixin], at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return kind.lasts(at), sa.cast(kind.permissions, sa.String) != "[]"
