"""The owner of an endpoint, and what the endpoint may be told: never more than its owner may see himself.

The owner is the user who saved it last. Rights end without any event (by a date, by a role), so they are checked for
each delivery. Once the owner has lost one nothing is sent, until somebody who has them all saves the endpoint again.
"""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.customers.models import Customer
from portal.db import session
from portal.errors import Message, NotAllowed
from portal.people.actor import Actor, actor_of
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.permissions.rules import PLATFORM, acting_on, can, manages_customer
from portal.rooms.models import Room
from portal.webhooks.events import Event
from portal.webhooks.models import WebhookEndpoint

MEMBERSHIP = sa.and_(
    RoomMember.room_uuid == WebhookEndpoint.room_uuid, RoomMember.user_uuid == WebhookEndpoint.owner_uuid
)
"""The condition that joins an endpoint with its owner's membership in its room."""

NO_OWNER = Message(
    "Nothing is sent: its owner has lost the right to see one of these events. Somebody who has it must save this "
    "webhook again."
)
"""The message about an endpoint for which `find_valid_owner` returns None."""


def valid_owner(endpoint: WebhookEndpoint, member: RoomMember | None) -> Actor | None:
    """The owner of the endpoint, if he still may manage it and see every event that it is told; else None.

    `member` is his membership in the endpoint's room, if he has one.
    """
    user = endpoint.owner
    if user is None or user.deactivated_at is not None:
        return None
    owner = actor_of(user)
    if endpoint.room is not None:
        owner.memberships[endpoint.room.uuid] = member
    receives_all = all(may_receive(owner, endpoint, event) for event in Event if endpoint.wants(event))
    return owner if receives_all and _may_own(owner, endpoint) else None


def find_valid_owner(endpoint: WebhookEndpoint) -> Actor | None:
    """The owner of the endpoint, if he still may manage it and see every event that it is told; else None.

    Loads the owner's membership in the endpoint's room.
    """
    query = sa.select(RoomMember).join(WebhookEndpoint, MEMBERSHIP).where(WebhookEndpoint.uuid == endpoint.uuid)
    return valid_owner(endpoint, session.scalar(query))


def endpoints_with_owner(endpoints: Iterable[WebhookEndpoint]) -> set[UUID]:
    """The uuids of those endpoints that have a valid owner, found by one statement."""
    query = (
        sa.select(WebhookEndpoint, RoomMember)
        .outerjoin(RoomMember, MEMBERSHIP)
        .where(WebhookEndpoint.uuid.in_([endpoint.uuid for endpoint in endpoints]))
        .options(joinedload(WebhookEndpoint.owner))
    )
    found = session.execute(query).unique()
    return {endpoint.uuid for endpoint, member in found if valid_owner(endpoint, member) is not None}


def may_receive(by: Actor, endpoint: WebhookEndpoint, event: Event) -> bool:
    """Whether `by` may see what this event tells. His membership in the endpoint's room must be loaded."""
    if endpoint.room is not None:
        return can(by, event.needs, endpoint.room)
    if endpoint.customer is None:
        return can(by, event.needs, PLATFORM)
    return not event.for_staff and manages_customer(by, endpoint.customer) and by.within(event.needs.scope)


def manages_all(actor: Actor, customer: Customer | None) -> bool:
    """Whether the actor's person may manage endpoints for all rooms of the customer; or for None those of the portal.

    Those need the permission to change customers: besides accounts and subscriptions, they tell of all customers.
    """
    if customer is None:
        return StaffPermission.CUSTOMERS_UPDATE in actor.staff
    return manages_customer(actor, customer)


def require_receivable(by: Actor, endpoint: WebhookEndpoint) -> None:
    """Raise `NotAllowed` if `by` may not see one of the endpoint's events, so that he cannot answer for it."""
    for event in Event:
        if endpoint.wants(event) and not may_receive(by, endpoint, event):
            raise NotAllowed(
                Message("You cannot save “%(event)s”, because you may not see that yourself.", event=event.value)
            )


def acting_at(actor: Actor, customer: Customer | None, room: Room | None) -> Actor:
    """The actor as he manages the webhooks of this room, or of the customer: on his behalf if only as staff.

    Those of the portal itself, which have neither, he manages on nobody's behalf.
    """
    if room is not None:
        return acting_on(actor, Permission.ROOM_EDIT, room)
    if customer is None:
        return replace(actor, on_behalf_of_uuid=None)
    return replace(actor, on_behalf_of_uuid=None if customer.owner_uuid == actor.uuid else customer.uuid)


def _may_own(owner: Actor, endpoint: WebhookEndpoint) -> bool:
    if endpoint.room is not None:
        return can(owner, Permission.ROOM_EDIT, endpoint.room)
    return manages_all(owner, endpoint.customer)
