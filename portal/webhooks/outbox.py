"""Creating deliveries for events of the audit, in the same transaction, so that none is lost and none is untrue.

Where there are no endpoints this costs no query on hot paths: their number is read with the room, from its customer.
"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload
from ulid import ULID

from portal import vault
from portal.audit.operations import Auditable, AuditLine
from portal.clock import now
from portal.db import session
from portal.identifiers import new_uuid
from portal.permissions.members import RoomMember
from portal.rooms.models import Room
from portal.webhooks.authorization import MEMBERSHIP, valid_owner
from portal.webhooks.deliveries import send_soon
from portal.webhooks.events import EVENT_OF_ACTION, Event
from portal.webhooks.models import PAYLOAD, EndpointStatus, PauseReason, WebhookDelivery, WebhookEndpoint
from portal.webhooks.pausing import pause
from portal.webhooks.payloads import encoded, loaded, payload_data, portal_payload_data, preloaded


def write_deliveries(lines: Sequence[tuple[AuditLine, Auditable]], webhooks: int | None) -> None:
    """Create a delivery for each endpoint that subscribes to the event of these lines of the audit.

    `webhooks` is how many active ones the customer has; None if whoever wrote the lines has not read it. All lines have
    one action and one room. Many lines take no more statements than few. `create_app` subscribes this function to the
    audit.
    """
    event = EVENT_OF_ACTION.get(lines[0][0].action)
    if event is None:
        return
    if event.for_staff:
        _tell_staff(event, [thing for _, thing in lines])
    elif lines[0][0].room_uuid is not None and webhooks != 0:
        _tell_of_room(event, lines, lines[0][0].room_uuid)


def _tell_staff(event: Event, things: Sequence[Auditable]) -> None:
    of_the_portal = WebhookEndpoint.customer_uuid.is_(None)
    listening = [endpoint for endpoint in _listening_endpoints(of_the_portal) if endpoint.wants(event)]
    for thing in things if listening else ():
        add_deliveries(event.value, encoded(event.value, portal_payload_data(loaded(thing)), now()), *listening)


def _tell_of_room(event: Event, lines: Sequence[tuple[AuditLine, Auditable]], room_uuid: UUID) -> None:
    room = session.get(Room, room_uuid)
    if room is None or not room.customer.webhooks:
        return
    there = (
        WebhookEndpoint.customer_uuid == room.customer_uuid,
        sa.or_(WebhookEndpoint.room_uuid.is_(None), WebhookEndpoint.room_uuid == room.uuid),
    )
    listening = [endpoint for endpoint in _listening_endpoints(*there) if endpoint.wants(event)]
    if not listening:
        return
    things = [loaded(thing) for _, thing in lines]
    with preloaded(things):
        for (line, _), thing in zip(lines, things, strict=True):
            add_deliveries(
                event.value,
                encoded(event.value, payload_data(line.action, thing, room, line.details), now()),
                *listening,
            )


def add_deliveries(kind: str, text: str, *endpoints: WebhookEndpoint) -> list[WebhookDelivery]:
    """Create one delivery of this text for each endpoint, all with one message id. They are sent after the commit."""
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


def _listening_endpoints(*where: sa.ColumnElement[bool]) -> list[WebhookEndpoint]:
    """The active ones of these endpoints. Those without a valid owner are paused and left out.

    While its customer is not usable one is left out only: its owner has his rights again when the customer is.
    """
    query = (
        sa.select(WebhookEndpoint, RoomMember)
        .outerjoin(RoomMember, MEMBERSHIP)
        .where(*where, WebhookEndpoint.status == EndpointStatus.ACTIVE)
        .options(joinedload(WebhookEndpoint.owner))
        .order_by(WebhookEndpoint.uuid)  # and locked, so that none is deleted before its delivery is written:
        .with_for_update(of=WebhookEndpoint, read=True, key_share=True)
    )
    found = session.execute(query).unique().all()
    owned = [endpoint for endpoint, member in found if valid_owner(endpoint, member) is not None]
    lost = [endpoint for endpoint, _ in found if endpoint not in owned and endpoint.customer_usable]
    pause(*lost, why=PauseReason.RIGHTS, by=None)
    return owned
