"""From what the audit notes to messages: written in the same transaction, so none is lost and none is untrue.

Where nobody listens this costs nothing: the customer, who is loaded with the room, knows how many do.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload
from ulid import ULID

from portal import vault
from portal.audit.models import AuditEvent
from portal.audit.operations import Auditable
from portal.clock import now
from portal.db import session
from portal.identifiers import new_uuid
from portal.permissions.members import RoomMember
from portal.rooms.models import Room
from portal.webhooks.authorization import MEMBERSHIP, valid_owner
from portal.webhooks.deliveries import send_soon
from portal.webhooks.events import NOTED_AS
from portal.webhooks.models import PAYLOAD, EndpointStatus, PauseReason, WebhookDelivery, WebhookEndpoint
from portal.webhooks.pausing import pause
from portal.webhooks.payloads import encoded, payload_data, preloaded


def write_deliveries(lines: Sequence[tuple[AuditEvent, Auditable]]) -> None:
    """Write a message for each endpoint that wants to know of what was noted. Subscribed by `create_app`.

    Of many things that happened at once it takes no more statements than of few.
    """
    action, room_uuid = lines[0][0].action, lines[0][0].room_uuid
    event = NOTED_AS.get(action)
    if event is None or room_uuid is None:
        return
    room = session.get(Room, room_uuid)
    if room is None or not room.customer.webhooks:
        return
    listening = [endpoint for endpoint in _listening_endpoints(room) if endpoint.wants(event)]
    if not listening:
        return
    with preloaded([thing for _, thing in lines]):
        for line, thing in lines:
            add_deliveries(
                event.value, encoded(event.value, payload_data(action, thing, room, line.details), now()), *listening
            )


def add_deliveries(kind: str, text: str, *endpoints: WebhookEndpoint) -> list[WebhookDelivery]:
    """One message, with one id, to these endpoints; sent once the transaction has been committed."""
    message_id, sealed, at = f"msg_{ULID()}", vault.seal(text, purpose=PAYLOAD), now()
    deliveries = [
        WebhookDelivery(
            uuid=new_uuid(),
            endpoint=endpoint,
            event=kind,
            message_id=message_id,
            payload_sealed=sealed,
            created_at=at,
            next_attempt_at=at,
            attempts=0,
        )
        for endpoint in endpoints
    ]
    session.add_all(deliveries)
    for delivery in deliveries:
        send_soon(delivery.uuid)
    return deliveries


def _listening_endpoints(room: Room) -> list[WebhookEndpoint]:
    """Those that are told of this room; those that nobody keeps any more are paused instead."""
    query = (
        sa.select(WebhookEndpoint, RoomMember)
        .outerjoin(RoomMember, MEMBERSHIP)
        .where(
            WebhookEndpoint.customer_uuid == room.customer_uuid,
            sa.or_(WebhookEndpoint.room_uuid.is_(None), WebhookEndpoint.room_uuid == room.uuid),
            WebhookEndpoint.status == EndpointStatus.ACTIVE,
        )
        .options(joinedload(WebhookEndpoint.created_by))
        .order_by(WebhookEndpoint.uuid)  # and none of them is deleted before its message is there:
        .with_for_update(of=WebhookEndpoint, read=True, key_share=True)
    )
    found = session.execute(query).unique().all()
    kept = [endpoint for endpoint, member in found if valid_owner(endpoint, member) is not None]
    pause(*(endpoint for endpoint, _ in found if endpoint not in kept), why=PauseReason.RIGHTS, by=None)
    return kept
