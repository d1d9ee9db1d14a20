"""The steps by which an empty portal gets its first customer who can make rooms: a package, a customer, a sale."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.customers.models import Customer
from portal.db import read
from portal.edge.staff_guard import staff_can
from portal.errors import Message
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_models import ServicePackage


@dataclass(frozen=True)
class FirstStep:
    """One step: what it is, whether it is done, and the page on which it is done, for whoever may do it."""

    label: Message
    about: Message
    done: bool
    endpoint: str
    permission: StaffPermission

    @property
    def allowed(self) -> bool:
        """Whether the reader may do it."""
        return staff_can(self.permission)


_MADE = sa.select(*(sa.exists().where(one.uuid.is_not(None)) for one in (ServicePackage, Customer, Subscription)))


def first_steps(_somebody: Actor) -> Sequence[FirstStep]:
    """The steps, in order; none once a package was sold."""
    package, customer, sold = read(_MADE).one()
    if sold:
        return ()
    return (
        FirstStep(
            Message("New package"),
            Message("What you sell: rooms of one type, with their limits and a price."),
            package,
            "admin_packages.create",
            StaffPermission.PACKAGES_CREATE,
        ),
        FirstStep(
            Message("New customer"),
            Message("Who buys it. The owner gets a link to set a password."),
            customer,
            "admin_customers.create",
            StaffPermission.CUSTOMERS_CREATE,
        ),
        FirstStep(
            Message("Sell package"),
            Message("Then the owner signs in and makes the first room."),
            False,
            "admin_sales.sell",
            StaffPermission.SUBSCRIPTIONS_CREATE,
        ),
    )
