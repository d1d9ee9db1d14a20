"""Creating customers."""

from portal.audit.operations import record_event
from portal.customers.models import Customer, CustomerType
from portal.db import session
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH, User
from portal.people.names import clean_name


def create_customer(*, company_name: str, owner: User, by: Actor | None = None) -> Customer:
    """A business customer whose e-mail is its owner's. `by` is None for the portal itself. Raises `Invalid`."""
    name = clean_name(company_name, field="company_name", longest=NAME_LENGTH)
    customer = Customer(customer_type=CustomerType.BUSINESS, company_name=name, email=owner.email, owner=owner)
    session.add(customer)
    session.flush()
    record_event("customer.created", customer, by=by)
    return customer
