"""Pausing endpoints, and keeping the number of active endpoints in the customer's row.

Endpoints are paused by people, by failures and by the loss of their owner's rights.
"""

from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.people.actor import Actor
from portal.webhooks.models import EndpointStatus, PauseReason, WebhookEndpoint


def pause(*endpoints: WebhookEndpoint, why: PauseReason, by: Actor | None) -> None:
    """Pause these endpoints of one customer. Deliveries that wait to be sent go on waiting."""
    active = [endpoint for endpoint in endpoints if endpoint.active]
    if not active:
        return
    for endpoint in active:
        endpoint.status, endpoint.paused_at, endpoint.paused_why = EndpointStatus.PAUSED, now(), why
    session.flush()
    count_listening(active[0].customer_uuid)
    for endpoint in active:
        record_event("webhook.paused", endpoint, by=by, room=endpoint.room_uuid, why=why.value)


def lock_customer(customer_uuid: UUID) -> Customer:
    """Lock and return the customer, under whose lock endpoints are counted. To lock an endpoint too, do that first."""
    lock = {"of": Customer, "key_share": True}  # rows that refer to the customer may be written meanwhile
    return session.get_one(Customer, customer_uuid, with_for_update=lock, populate_existing=True)


def count_listening(customer_uuid: UUID) -> None:
    """Count the customer's active endpoints and store their number in its row.

    The row is locked, because a number that is too low would lose events.
    """
    customer = lock_customer(customer_uuid)
    listening = sa.select(sa.func.count()).where(
        WebhookEndpoint.customer_uuid == customer_uuid, WebhookEndpoint.status == EndpointStatus.ACTIVE
    )
    customer.webhooks = session.scalar(listening) or 0
    session.flush()
