"""The customers to whom somebody belongs and which nobody may use at present: what he is told when he is shut out."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.accounts.models import Account, AccountMember
from portal.clock import now
from portal.customers.models import Customer, CustomerMember, customer_is_unusable
from portal.db import session
from portal.people.actor import Actor
from portal.permissions.members import RoomMember
from portal.rooms.models import Room

MOST = 10


def unusable_customers_of(actor: Actor) -> Sequence[Customer]:
    """The customers, with their owners, of which the actor owns something or is a member, by name; at most 10."""
    me, at = actor.uuid, now()
    belonging = sa.union(
        sa.select(Customer.uuid).where(Customer.owner_uuid == me),
        sa.select(CustomerMember.customer_uuid).where(CustomerMember.user_uuid == me, CustomerMember.lasts(at)),
        sa.select(Account.customer_uuid).where(Account.owner_uuid == me),
        sa.select(Account.customer_uuid)
        .join(AccountMember, AccountMember.account_uuid == Account.uuid)
        .where(AccountMember.user_uuid == me, AccountMember.lasts(at)),
        sa.select(Room.customer_uuid)
        .join(RoomMember, RoomMember.room_uuid == Room.uuid)
        .where(RoomMember.user_uuid == me, RoomMember.lasts(at)),
        sa.select(Room.customer_uuid).where(Room.owner_uuid == me),
    )
    query = sa.select(Customer).where(Customer.uuid.in_(belonging), customer_is_unusable())
    found = session.scalars(query.options(joinedload(Customer.owner)).order_by(Customer.sort_name).limit(MOST))
    return found.unique().all()
