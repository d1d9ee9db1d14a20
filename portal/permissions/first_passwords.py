"""Who may make the link by which somebody else sets a first password, and when it ends.

Whoever opens it signs in as that person. So it lasts only as long as the person has nothing more than when its issuer
was judged: see `portal.people.password_links`.
"""

from portal.customers.models import Customer
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.password_links import end_password_link
from portal.people.staff import StaffPermission
from portal.permissions.colleagues import belongs_only_to


def may_issue_link(by: Actor, user: User, customer: Customer) -> bool:
    """Whether `by`, staff who may change the customer or make users, may make a link for a user who has no password.

    For one of the staff nobody does it from here. Somebody who has a part in another customer, too, gets it only from
    staff who may change people, because the link opens what he has there.
    """
    if user.password_hash is not None or user.deactivated_at is not None or user.platform_roles:
        return False
    return StaffPermission.USERS_UPDATE in by.staff or belongs_only_to(customer, user)


def end_link_of_member(user: User, customer: Customer, *, by: Actor | None) -> None:
    """End the open link of a user to whom `by` gives rights in a room, in an account or at the customer.

    Not if `by` issued it himself, because nobody gives a right that he lacks; nor if the user owns the customer and so
    has every right below it already.
    """
    if user.uuid != customer.owner_uuid:
        end_password_link(user, unless_issued_by=by)
