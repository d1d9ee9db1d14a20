"""Finding endpoints that an actor may manage, and their deliveries."""

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.accounts.models import Account
from portal.clock import now
from portal.customers.models import Customer, customer_is_usable
from portal.db import session
from portal.errors import NotAllowed, NotFound
from portal.identifiers import matches_identifier
from portal.keyset import Key, Position, keyset
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.permissions.rules import holds, manages_customer
from portal.permissions.visibility import find_room
from portal.rooms.models import Room
from portal.webhooks.authorization import manages_all
from portal.webhooks.models import WebhookDelivery, WebhookEndpoint

NEWEST_FIRST = Key(WebhookDelivery.created_at, descending=True), Key(WebhookDelivery.uuid, descending=True)
"""The order of `newest_deliveries`."""

WITH_OWNERS = (
    joinedload(WebhookEndpoint.customer).lazyload(Customer.owner),
    joinedload(WebhookEndpoint.room),
    joinedload(WebhookEndpoint.owner).lazyload(User.platform_roles),
)


def managed_endpoints(actor: Actor) -> sa.Select[WebhookEndpoint]:
    """A SELECT of the endpoints that the actor may manage: of rooms that he may edit, and of customers he owns.

    For staff it is those of all customers, of the portal itself, or both.
    """
    query = (
        sa.select(WebhookEndpoint)
        .outerjoin(WebhookEndpoint.customer)
        .outerjoin(WebhookEndpoint.room)
        .outerjoin(Account, Account.uuid == Room.account_uuid)
        .where(Room.trashed_at.is_(None))
    )
    of_the_portal = WebhookEndpoint.customer_uuid.is_(None)
    if not manages_all(actor, None):
        query = query.where(sa.not_(of_the_portal))
    if StaffPermission.ROOMS_UPDATE in actor.staff:
        return query
    edits = sa.select(RoomMember.room_uuid).where(
        RoomMember.user_uuid == actor.uuid,
        sa.or_(RoomMember.until.is_(None), RoomMember.until > now()),
        RoomMember.grants(Permission.ROOM_VIEW),
        RoomMember.grants(Permission.ROOM_EDIT),
    )
    own = sa.or_(
        Customer.owner_uuid == actor.uuid,
        Account.owner_uuid == actor.uuid,
        Room.owner_uuid == actor.uuid,
        Room.uuid.in_(edits),
    )
    return query.where(sa.or_(of_the_portal, sa.and_(customer_is_usable(), own)))


def find_endpoint(actor: Actor, endpoint_id: str) -> WebhookEndpoint:
    """An endpoint that the actor may manage, by its id, uuid or ulid.

    Raises `NotFound` if he may not see its room, and `NotAllowed` if he may see but not edit it. One of the portal
    itself is not there for whoever may not manage those.
    """
    endpoint = session.scalars(
        sa.select(WebhookEndpoint).where(matches_identifier(WebhookEndpoint, endpoint_id))
    ).one_or_none()
    if endpoint is None:
        raise NotFound
    if endpoint.room is None:
        if not manages_all(actor, endpoint.customer):
            may_know = endpoint.customer is not None and StaffPermission.ROOMS_READ in actor.staff
            raise NotAllowed if may_know else NotFound
        return endpoint
    room = find_room(actor, endpoint.room.id)
    if room is None:
        raise NotFound
    if not holds(actor, Permission.ROOM_EDIT, room):
        raise NotAllowed
    return endpoint


def endpoints_for(actor: Actor, room: Room) -> list[WebhookEndpoint]:
    """The endpoints of the room, and those for all rooms if the actor manages the customer; the oldest first."""
    about = [WebhookEndpoint.room_uuid == room.uuid]
    if manages_customer(actor, room.customer):
        about.append(WebhookEndpoint.room_uuid.is_(None))
    query = sa.select(WebhookEndpoint).where(WebhookEndpoint.customer_uuid == room.customer_uuid, sa.or_(*about))
    return list(session.scalars(query.options(*WITH_OWNERS).order_by(WebhookEndpoint.uuid)).unique())


def portal_endpoints() -> list[WebhookEndpoint]:
    """The endpoints of the portal itself, the oldest first."""
    query = sa.select(WebhookEndpoint).where(WebhookEndpoint.customer_uuid.is_(None))
    return list(session.scalars(query.options(*WITH_OWNERS).order_by(WebhookEndpoint.uuid)).unique())


def portal_endpoint_with_id(endpoint_id: str) -> WebhookEndpoint | None:
    """The endpoint of the portal itself with this id; None if there is none."""
    return next((one for one in portal_endpoints() if one.id == endpoint_id), None)


def find_endpoint_at(actor: Actor, room: Room, endpoint_id: str) -> WebhookEndpoint:
    """The endpoint with this id, if `endpoints_for` returns it for the actor and room. Raises `NotFound`."""
    found = next((one for one in endpoints_for(actor, room) if one.id == endpoint_id), None)
    if found is None:
        raise NotFound
    return found


def deliveries_of(endpoint: WebhookEndpoint) -> sa.Select[WebhookDelivery]:
    """A SELECT of all deliveries to the endpoint, without order or limit."""
    return sa.select(WebhookDelivery).where(WebhookDelivery.endpoint_uuid == endpoint.uuid)


def find_delivery(endpoint: WebhookEndpoint, delivery_id: str) -> WebhookDelivery:
    """A delivery of this endpoint. Raises `NotFound`."""
    found = session.scalar(deliveries_of(endpoint).where(matches_identifier(WebhookDelivery, delivery_id)))
    if found is None:
        raise NotFound
    return found


def newest_deliveries(endpoint: WebhookEndpoint, *, after: Position | None, limit: int) -> list[WebhookDelivery]:
    """The endpoint's deliveries, newest first: at most `limit` of those that follow the position `after`."""
    return list(session.scalars(keyset(deliveries_of(endpoint), NEWEST_FIRST, after).limit(limit)))


def position_of(delivery: WebhookDelivery) -> Position:
    """The position of this delivery, for `newest_deliveries`."""
    return delivery.created_at, delivery.uuid
