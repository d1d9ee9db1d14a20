"""The keeper of an endpoint, in whose name it runs: nobody goes on being told what he could not look at.

That is who made it, until somebody else turns it to another address or asks for what the keeper may not hear; or
gives it other events, or resumes it, when the keeper no longer could. Rights end without anybody being told (by a
date, by a role), so each message asks anew. Fails closed.
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
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.permissions.rules import acting_on, can, manages_customer
from portal.rooms.models import Room
from portal.webhooks.events import Event
from portal.webhooks.models import WebhookEndpoint

MEMBERSHIP = sa.and_(
    RoomMember.room_uuid == WebhookEndpoint.room_uuid, RoomMember.user_uuid == WebhookEndpoint.created_by_uuid
)
"""What joins an endpoint with the membership, in its room, of its keeper."""

NO_OWNER = Message(
    "It runs in the name of somebody who may no longer keep it here, or no longer see all that it tells."
)
"""What people and programs read about an endpoint for which `find_valid_owner` finds nobody."""


def valid_owner(endpoint: WebhookEndpoint, member: RoomMember | None) -> Actor | None:
    """Its keeper, with this membership; None if he may no longer keep it, or see all that it tells."""
    user = endpoint.created_by
    if user is None or user.deactivated_at is not None:
        return None
    keeper = actor_of(user)
    if endpoint.room is not None:
        keeper.memberships[endpoint.room.uuid] = member
    return keeper if _may_own(keeper, endpoint) and may_receive_all(keeper, endpoint) else None


def find_valid_owner(endpoint: WebhookEndpoint) -> Actor | None:
    """The same, looking for the membership."""
    query = sa.select(RoomMember).join(WebhookEndpoint, MEMBERSHIP).where(WebhookEndpoint.uuid == endpoint.uuid)
    return valid_owner(endpoint, session.scalar(query))


def endpoints_with_owner(endpoints: Iterable[WebhookEndpoint]) -> set[UUID]:
    """Which of these have a keeper, asked at once."""
    query = (
        sa.select(WebhookEndpoint, RoomMember)
        .outerjoin(RoomMember, MEMBERSHIP)
        .where(WebhookEndpoint.uuid.in_([endpoint.uuid for endpoint in endpoints]))
        .options(joinedload(WebhookEndpoint.created_by))
    )
    found = session.execute(query).unique()
    return {endpoint.uuid for endpoint, member in found if valid_owner(endpoint, member) is not None}


def may_receive(by: Actor, endpoint: WebhookEndpoint, event: Event) -> bool:
    """Whether somebody, whose membership a door has loaded, may look at what the event tells."""
    if endpoint.room is not None:
        return can(by, event.needs, endpoint.room)
    return manages_customer(by, endpoint.customer) and by.within(event.needs.scope)


def may_receive_all(by: Actor, endpoint: WebhookEndpoint) -> bool:
    """Whether the same somebody may look at all that the endpoint tells."""
    return all(may_receive(by, endpoint, event) for event in Event if endpoint.wants(event))


def require_receivable(
    by: Actor, endpoint: WebhookEndpoint, events: Iterable[Event], *, taking_over: bool = False
) -> None:
    """Events tell what somebody may not look at himself: those cannot be asked for. Raises `NotAllowed`."""
    for event in events:
        if not may_receive(by, endpoint, event):
            raise NotAllowed(
                Message(
                    "It would run in your name, and tell or have told of “%(event)s”: you may not see that yourself.",
                    event=event.value,
                )
                if taking_over
                else Message(
                    "You cannot ask for “%(event)s”, because you may not see that yourself.", event=event.value
                )
            )


def acting_at(actor: Actor, customer: Customer, room: Room | None) -> Actor:
    """The actor as he manages the webhooks of this room, or of the customer: on his behalf if only as staff."""
    if room is not None:
        return acting_on(actor, Permission.ROOM_EDIT, room)
    return replace(actor, on_behalf_of_uuid=None if customer.owner_uuid == actor.uuid else customer.uuid)


def _may_own(keeper: Actor, endpoint: WebhookEndpoint) -> bool:
    if endpoint.room is not None:
        return can(keeper, Permission.ROOM_EDIT, endpoint.room)
    return manages_customer(keeper, endpoint.customer)
