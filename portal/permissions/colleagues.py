"""Who may be made a member by naming him: people who belong to the same customer already.

Whether anybody else has an account here is nobody's business, so an unknown address and one of another customer's
people are looked for by the same statement and get the same answer.
"""

import sqlalchemy as sa

from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.errors import Message
from portal.identifiers import matches_identifier
from portal.people.emails import canonical_email
from portal.people.models import User
from portal.permissions.belonging import belongs_elsewhere, belongs_to


def find_colleague(customer: Customer, *, email: str | None = None, user_id: str | None = None) -> User | None:
    """The user with this e-mail, or with this id, uuid or ulid, if he belongs to the customer; else None."""
    named = matches_identifier(User, user_id) if user_id is not None else User.email == canonical_email(email or "")
    belongs = belongs_to(customer, now())
    return session.scalars(sa.select(User).where(named, belongs)).unique().one_or_none()


def belongs_only_to(customer: Customer, user: User) -> bool:
    """Whether the user has no part in any other customer, whatever was granted to him there and until when."""
    return not session.scalar(sa.select(belongs_elsewhere(user, customer)))


def no_colleague(customer: Customer, *, named: str = "email") -> Message:
    """What is said of everybody who does not belong to the customer, whether he has an account here or not.

    `named` is the field by which he was named: `email` or `user_id`.
    """
    name = customer.display_name
    if named == "user_id":
        return Message(
            "Nobody with this id belongs to %(customer)s. Ask whoever runs this portal to add them.", customer=name
        )
    return Message(
        "Nobody with this address belongs to %(customer)s. Ask whoever runs this portal to add them.", customer=name
    )
