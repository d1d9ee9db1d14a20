"""Who belongs to which customer: the owners and members of the customer, of its accounts, and of its rooms.

Whether somebody is shut out (`portal.people.shut_out`) is the same question, asked below this package.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account, AccountMember
from portal.customers.models import Customer, CustomerMember
from portal.people.models import User
from portal.permissions.members import RoomMember
from portal.rooms.models import Room


def people_belonging_to(customer: Customer) -> sa.CompoundSelect[UUID]:
    """A SELECT of the uuids of all who belong to the customer, each once, whatever the end of a membership."""
    return sa.union(*(_only(one, 1).where(_customer(one) == customer.uuid) for one in _relations(None)))


def customers_of(user_uuid: UUID, at: datetime) -> sa.CompoundSelect[UUID]:
    """A SELECT of the uuids of the customers to whom the user belongs at this time, each once."""
    return sa.union(*(_only(one, 0).where(_user(one) == user_uuid) for one in _relations(at)))


def belongs_to(customer: Customer, at: datetime) -> sa.ColumnElement[bool]:
    """The condition that a `User` belongs to the customer at this time."""
    found = (one.where(_customer(one) == customer.uuid, _user(one) == User.uuid) for one in _relations(at))
    return sa.or_(*(one.correlate(User).exists() for one in found))


def belongs_elsewhere(user: User, customer: Customer) -> sa.ColumnElement[bool]:
    """The condition that the user belongs to any other customer, whatever the end of a membership."""
    found = (one.where(_customer(one) != customer.uuid, _user(one) == user.uuid) for one in _relations(None))
    return sa.or_(*(one.exists() for one in found))


_Relation = sa.Select[UUID, UUID]
"""A SELECT of a customer's uuid and of the uuid of a user who belongs to it, in one way."""


def _relations(at: datetime | None) -> Sequence[_Relation]:
    """All ways. Memberships that have ended at `at` do not count; None: all do."""
    of_customers = sa.select(CustomerMember.customer_uuid, CustomerMember.user_uuid)
    of_accounts = sa.select(Account.customer_uuid, AccountMember.user_uuid).join(AccountMember.account)
    of_rooms = sa.select(Room.customer_uuid, RoomMember.user_uuid).join(RoomMember.room)
    if at is not None:
        of_customers = of_customers.where(CustomerMember.lasts(at))
        of_accounts = of_accounts.where(AccountMember.lasts(at))
        of_rooms = of_rooms.where(RoomMember.lasts(at))
    return (
        sa.select(Customer.uuid, Customer.owner_uuid),
        of_customers,
        sa.select(Account.customer_uuid, Account.owner_uuid),
        of_accounts,
        sa.select(Room.customer_uuid, Room.owner_uuid),
        of_rooms,
    )


def _customer(relation: _Relation) -> sa.ColumnElement[UUID]:
    return relation.selected_columns[0]


def _user(relation: _Relation) -> sa.ColumnElement[UUID]:
    return relation.selected_columns[1]


def _only(relation: _Relation, column: int) -> sa.Select[UUID]:
    return relation.with_only_columns(relation.selected_columns[column], maintain_column_froms=True)
