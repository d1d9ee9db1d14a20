"""Creating and finding customers."""

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audit.operations import record_event
from portal.customers.models import Customer, CustomerType
from portal.db import session
from portal.errors import Conflict, Invalid, Message, NotFound
from portal.identifiers import matches_identifier
from portal.people.actor import Actor
from portal.people.emails import canonical_email
from portal.people.models import NAME_LENGTH, User
from portal.people.names import clean_name
from portal.people.operations import create_user, find_by_email

_OWNERS = {"email": "owner_email", "name": "owner_name"}
"""Field of a user → of the customer that he is made for."""


def create_customer(*, company_name: str, owner: User, by: Actor | None = None) -> Customer:
    """A business customer whose e-mail is its owner's. `by` is None for the portal itself.

    Raises `Invalid` on `company_name`, or on `email` if there is a customer with it.
    """
    name = clean_name(company_name, field="company_name", longest=NAME_LENGTH)
    customer = Customer(customer_type=CustomerType.BUSINESS, company_name=name, email=owner.email, owner=owner)
    try:
        with session.begin_nested():
            session.add(customer)
    except IntegrityError:
        there = session.scalars(sa.select(Customer).where(Customer.email == owner.email)).one()
        raise Invalid(
            email=Message("“%(name)s” has this e-mail address and is a customer already.", name=there.display_name)
        ) from None
    record_event("customer.created", customer, by=by)
    return customer


def find_customer(named: str) -> Customer:
    """The customer with this id, or whose owner has this e-mail address.

    Raises `NotFound` if there is none, or `Conflict` if the owner has several.
    """
    owned = User.email == canonical_email(named) if "@" in named else matches_identifier(Customer, named)
    found = (
        session.scalars(sa.select(Customer).join(User, User.uuid == Customer.owner_uuid).where(owned)).unique().all()
    )
    if not found:
        raise NotFound(Message("There is no customer %(named)s.", named=named))
    if len(found) > 1:
        ids = ", ".join(sorted(customer.id for customer in found))
        raise Conflict(Message("%(named)s owns several customers. Name one by its id: %(ids)s.", named=named, ids=ids))
    return found[0]


def create_customer_with_owner(
    *, company_name: str, owner_email: str, owner_name: str, by: Actor | None = None
) -> Customer:
    """A business customer of the user with this e-mail, who is made if there is none. A user keeps the own name.

    `by` is None for the portal itself. Raises `Invalid` on `company_name`, `owner_email` or `owner_name`.
    """
    try:
        owner = find_by_email(owner_email) or create_user(email=owner_email, name=owner_name, by=by)
        return create_customer(company_name=company_name, owner=owner, by=by)
    except Invalid as invalid:
        raise Invalid(**{_OWNERS.get(field, field): message for field, message in invalid.fields.items()}) from None
