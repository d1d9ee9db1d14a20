"""The API's route for the audit: all of it for staff who may read it, for others what happened in their own rooms."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response

from portal.accounts.models import Account
from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint
from portal.api.v1.core.query_params import listing_of
from portal.audit.models import AuditEvent
from portal.credentials.models import OAuthClient
from portal.customers.models import Customer, customer_is_usable
from portal.edge import actor
from portal.edge.guard import bearer_only
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.permissions.rules import PLATFORM, can
from portal.resources.audit import AuditEventSchema, AuditLineRead, serialize_audit_event
from portal.rooms.models import Room
from portal.scopes import Scope
from portal.unions import in_one_of

bp = Blueprint("audit_events", __name__, url_prefix="/audit-events")

LISTING = listing_of(AuditEventSchema, AuditEvent, sorted_by="desc")


@bp.get("")
@endpoint(
    "Audit",
    scope=Scope.ROOMS_READ,
    returns=AuditEventSchema,
    many=True,
    listing=LISTING,
    permission=f"{StaffPermission.AUDIT_READ}, or owner of the room",
)
@bearer_only
def index() -> Response:
    """List what was done, newest first: everything for staff, for others what happened in rooms that they own."""
    asked, somebody = query_params.list_query(LISTING), actor.someone()
    everything = can(somebody, StaffPermission.AUDIT_READ, PLATFORM)
    rows, page = pagination.rows_of(asked, _events(somebody, everything=everything))
    lines = [serialize_audit_event(_line(row, with_network=everything)) for row in rows]
    return responses.listing(lines, asked.selection, page)


def _line(row: Any, *, with_network: bool) -> AuditLineRead:
    event, actor_id, client_id, room_id, customer_id = row[:5]
    network = event.network if with_network else None
    return AuditLineRead(event, actor_id, client_id, room_id, customer_id, network)


def _events(somebody: Actor, *, everything: bool) -> sa.Select[Any]:
    columns: tuple[Any, ...] = (AuditEvent, User.id, OAuthClient.id, Room.id, Customer.id)
    query = (
        sa.select(*columns)
        .outerjoin(User, User.uuid == AuditEvent.actor_uuid)
        .outerjoin(OAuthClient, OAuthClient.uuid == AuditEvent.client_uuid)
        .outerjoin(Room, Room.uuid == AuditEvent.room_uuid)
        .outerjoin(Customer, Customer.uuid == AuditEvent.on_behalf_of_uuid)
    )
    if everything:
        return query
    me = somebody.uuid
    accounts = sa.select(Account.uuid).where(Account.owner_uuid == me)
    customers = sa.select(Customer.uuid).where(Customer.owner_uuid == me)
    own = (
        sa.select(Room.uuid).join(Room.customer).where(customer_is_usable(), relation)
        for relation in (Room.owner_uuid == me, Room.account_uuid.in_(accounts), Room.customer_uuid.in_(customers))
    )
    return query.where(in_one_of(AuditEvent.room_uuid, *own))
