"""Doors of platform staff: of the admin's pages, and of the API where somebody may do a thing only as staff.

A stranger, who holds no staff permission, gets 404, or 403 for a thing that he may read. Staff need `dashboard:access`
and the permission that the door names; without it they get 403, which says what is missing.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from portal.edge import actor
from portal.edge.bearer import ScopeMissing
from portal.edge.guard import View, require_actor, stamp
from portal.errors import Message, NotAllowed, NotFound
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.permissions.rules import PLATFORM, acting_as_staff, can, holds

STAFF = "staff "
"""What the stamps of these doors begin with; the permission follows."""
Find = Callable[[str], Any]
"""A function that takes an id of the address and returns the thing, or None if there is none."""
See = Callable[[Actor, str], Any]
"""A function that takes an actor and an id of the address; None if there is no such thing, or none that he may see."""


def staff(permission: StaffPermission, *, sees: See | None = None, **finds: Find) -> Callable[[View], View]:
    """Let in staff who hold the permission.

    `customer=find_customer` replaces `customer_id` by the `customer`, 404 if there is none. The actor then acts on
    behalf of the customer that the thing is or belongs to, if any, which the audit records. Who is no staff gets 403 if
    he `sees` that thing, so that he is not told that something is missing which he has just read.
    """

    def door(view: View) -> View:
        @wraps(view)
        def guarded(**address: Any) -> Any:
            somebody = require_actor()
            if sees is not None and not somebody.staff and any(sees(somebody, address[f"{one}_id"]) for one in finds):
                raise only_staff()
            _require_staff(somebody, permission)
            for name, find in finds.items():
                thing = find(address.pop(f"{name}_id"))
                if thing is None:
                    raise NotFound
                address[name] = thing
                actor.become(acting_as_staff(somebody, thing))
            return view(**address)

        return stamp(guarded, f"{STAFF}{permission}")

    return door


def staff_can(permission: StaffPermission) -> bool:
    """Whether the door `staff(permission)` is open to the actor of this request: what it guards is shown to him."""
    somebody = actor.current()
    return all(can(somebody, needed, PLATFORM) for needed in (StaffPermission.DASHBOARD_ACCESS, permission))


def _require_staff(somebody: Actor, permission: StaffPermission) -> None:
    if not somebody.staff:
        raise NotFound
    for needed in (StaffPermission.DASHBOARD_ACCESS, permission):
        if not can(somebody, needed, PLATFORM):
            raise ScopeMissing(needed.scope) if holds(somebody, needed, PLATFORM) else _lacks(needed)


def only_staff() -> NotAllowed:
    """The refusal of what somebody may see, but only staff may do."""
    return NotAllowed(Message("Only staff of this portal may do this."))


def _lacks(permission: StaffPermission) -> NotAllowed:
    return NotAllowed(
        Message(
            "None of your roles holds the permission “%(permission)s”. Ask whoever gives roles for it.",
            permission=permission.label,
        )
    )
