"""Whether something new may be made for a customer. Every operation that makes something asks here, and every page.

New are rooms (also one out of the trash), links, access codes, members, accounts, subscriptions and webhooks. What
replaces a link that is there, takes a mistake back, or comes into being by using a room is not new.
"""

from portal.customers.models import Customer, CustomerStatus
from portal.db import lock
from portal.errors import Conflict, Message

_WHY = {
    CustomerStatus.SUSPENDED: Message(
        "This customer is suspended: what is there can be used and changed, but nothing new can be made. "
        "Ask whoever runs this portal."
    ),
    CustomerStatus.INACTIVE: Message("This customer is inactive: nothing new can be made for it."),
    CustomerStatus.TERMINATED: Message("This customer is terminated: nothing new can be made for it."),
}


def why_nothing_new(status: CustomerStatus) -> Message | None:
    """Why nothing new may be made for a customer with this status, staff included; None if it may."""
    return _WHY.get(status)


def lock_for_creating(customer: Customer) -> None:
    """Lock the customer, before anything below it: so nobody terminates it while something new is made.

    Raises `Conflict` if nothing new may be made for it, or `NotFound`.
    """
    lock(customer)
    require_creating(customer.status)


def require_creating(status: CustomerStatus) -> None:
    """Raise `Conflict` if nothing new may be made for a customer with this status."""
    if (why := why_nothing_new(status)) is not None:
        raise Conflict(why)


def why_not_usable(customer: Customer) -> Message | None:
    """Why nothing below this customer can become active; None if it can."""
    if customer.usable:
        return None
    words = {"name": customer.display_name}
    if customer.status is CustomerStatus.TERMINATED:
        return Message("“%(name)s” is terminated: make the customer active first.", **words)
    return Message("“%(name)s” is inactive: make the customer active first.", **words)


def require_usable_customer(customer: Customer) -> None:
    """Raise `Conflict` if nothing below this customer can become active."""
    if (why := why_not_usable(customer)) is not None:
        raise Conflict(why)
