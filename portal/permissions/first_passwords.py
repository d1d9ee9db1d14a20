"""Who may make the link by which somebody else sets a first password: whoever opens it signs in as that person."""

from portal.customers.models import Customer
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.permissions.colleagues import belongs_only_to


def may_issue_link(by: Actor, user: User, customer: Customer) -> bool:
    """Whether `by`, who may change the customer as staff, may make a link for a user of it who has no password.

    For one of the staff nobody does it from here. Somebody who has a part in another customer, too, gets it only from
    staff who may change people, because the link opens what he has there.
    """
    if user.password_hash is not None or user.deactivated_at is not None or user.platform_roles:
        return False
    return StaffPermission.USERS_UPDATE in by.staff or belongs_only_to(customer, user)
