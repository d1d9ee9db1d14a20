"""Finding customers."""

import sqlalchemy as sa

from portal.customers.models import Customer
from portal.db import session
from portal.identifiers import matches_identifier


def customer_with_id(customer_id: str) -> Customer | None:
    """The customer with this id, uuid or ulid; None if there is none."""
    return session.scalars(sa.select(Customer).where(matches_identifier(Customer, customer_id))).unique().one_or_none()
