"""The customers to whom somebody belongs and which nobody may use at present: what he is told when he is shut out."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.clock import now
from portal.customers.models import Customer, customer_is_unusable
from portal.db import session
from portal.people.actor import Actor
from portal.permissions.belonging import customers_of

MOST = 10


def unusable_customers_of(actor: Actor) -> Sequence[Customer]:
    """The customers, with their owners, of which the actor owns something or is a member, by name; at most 10."""
    query = sa.select(Customer).where(Customer.uuid.in_(customers_of(actor.uuid, now())), customer_is_unusable())
    found = session.scalars(query.options(joinedload(Customer.owner)).order_by(Customer.sort_name).limit(MOST))
    return found.unique().all()
