"""Doors of customers, accounts, and the usage of subscriptions: each replaces an id in the address by the thing.

Whoever holds no right there gets 404; who may see it, but lacks the permission that the door names, 403. Staff act on
the customer's behalf.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from portal.accounts.models import Account
from portal.accounts.permission import AccountPermission
from portal.customers.models import Customer
from portal.customers.permission import CustomerPermission
from portal.edge import actor
from portal.edge.bearer import ScopeMissing
from portal.edge.guard import View, require_actor, stamp
from portal.edge.staff_guard import only_staff, staff
from portal.errors import Message, NotAllowed, NotFound
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.permissions.places import READING, visible_account, visible_customer
from portal.permissions.rules import acting_as_staff, acting_on, can, holds
from portal.permissions.visibility import visible_subscription
from portal.subscriptions.queries import subscription_with_id

Find = Callable[[Actor, str], Account | Customer | None]
Needed = AccountPermission | CustomerPermission | None


def at_customer(permission: CustomerPermission | None = None) -> Callable[[View], View]:
    """Let in whoever may do this at the customer; without a permission, whoever may see it."""
    return _place_door("customer", visible_customer, permission)


def in_account(permission: AccountPermission | None = None) -> Callable[[View], View]:
    """Let in whoever may do this in the account; without a permission, whoever may see it."""
    return _place_door("account", visible_account, permission)


def sees_people_of_customer(view: View) -> View:
    """Let in whoever manages people at the customer, and staff who may read it."""
    return _reading_door("customer", "people", visible_customer, CustomerPermission.MEMBERS_MANAGE)(view)


def sees_profile_of_customer(view: View) -> View:
    """Let in whoever may change the customer, and staff who may read it: other members need no tax numbers."""
    return _reading_door("customer", "profile", visible_customer, CustomerPermission.CUSTOMER_EDIT)(view)


def sees_people_of_account(view: View) -> View:
    """Let in whoever manages people in the account, and staff who may read it."""
    return _reading_door("account", "people", visible_account, AccountPermission.MEMBERS_MANAGE)(view)


def sees_usage_of_subscription(view: View) -> View:
    """Let in the owner of the subscription's customer, its members who may see usage, and staff who read subscriptions.

    It replaces `subscription_id` by the `subscription`.
    """
    by_staff = staff(StaffPermission.SUBSCRIPTIONS_READ, sees=visible_subscription, subscription=subscription_with_id)(
        view
    )

    @wraps(view)
    def guarded(**address: Any) -> Any:
        somebody, subscription = require_actor(), subscription_with_id(address["subscription_id"])
        customer = visible_customer(somebody, subscription.customer.id) if subscription is not None else None
        if customer is not None and can(somebody, CustomerPermission.USAGE_VIEW, customer):
            own = acting_on(somebody, CustomerPermission.USAGE_VIEW, customer)
            if own.on_behalf_of_uuid is None:
                actor.become(own)
                return view(subscription=subscription)
        return by_staff(**address)

    return stamp(guarded, "subscription usage seen")


def manages_people(view: View) -> View:
    """Replace `noun` ("customers" or "accounts") and `place_id` by the `place`, for whoever manages people there."""

    @wraps(view)
    def guarded(noun: str, place_id: str, **address: Any) -> Any:
        return view(place=_let_in(*_MANAGING[noun], place_id), **address)

    return stamp(guarded, "members:manage above the room")


_MANAGING: dict[str, tuple[Find, Needed]] = {
    "customers": (visible_customer, CustomerPermission.MEMBERS_MANAGE),
    "accounts": (visible_account, AccountPermission.MEMBERS_MANAGE),
}


def _place_door(noun: str, find: Find, permission: Needed) -> Callable[[View], View]:
    def door(view: View) -> View:
        @wraps(view)
        def guarded(**address: Any) -> Any:
            return view(**{noun: _let_in(find, permission, address.pop(f"{noun}_id"))}, **address)

        return stamp(guarded, f"{noun} {permission or 'seen'}")

    return door


def _reading_door(
    noun: str, part: str, find: Find, writing: AccountPermission | CustomerPermission
) -> Callable[[View], View]:
    """A door to read a part of the place, for whoever may write it: but the scope of `writing` is not needed."""

    def door(view: View) -> View:
        @wraps(view)
        def guarded(**address: Any) -> Any:
            place = _let_in(find, None, address.pop(f"{noun}_id"))
            somebody = require_actor()
            if holds(somebody, writing, place):
                actor.become(acting_on(somebody, writing, place))
            elif READING[type(place)] in somebody.staff:
                actor.become(acting_as_staff(somebody, place))
            else:
                raise _lacks(place)
            return view(**{noun: place}, **address)

        return stamp(guarded, f"{noun} {part} seen")

    return door


def _let_in(find: Find, permission: Needed, place_id: str) -> Account | Customer:
    somebody = require_actor()
    place = find(somebody, place_id)
    if place is None:
        raise NotFound
    if permission is not None:
        if not can(somebody, permission, place):
            raise ScopeMissing(permission.scope) if holds(somebody, permission, place) else _lacks(place)
        actor.become(acting_on(somebody, permission, place))
    return place


def require_staff(permission: StaffPermission, place: Account | Customer) -> None:
    """Raise `NotAllowed` unless the actor holds this as staff. From then on he acts on the customer's behalf."""
    somebody = require_actor()
    if permission not in somebody.staff:
        raise only_staff()
    actor.become(acting_as_staff(somebody, place))


def _lacks(place: Account | Customer) -> NotAllowed:
    return NotAllowed(Message("You may not do this here. Ask the owner, %(owner)s.", owner=place.owner.name))
