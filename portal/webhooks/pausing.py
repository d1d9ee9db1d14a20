"""Pausing an endpoint, which people do and failures do; giving up what waits; and the count of those that listen."""

from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.people.actor import Actor
from portal.webhooks.events import TEST
from portal.webhooks.models import EndpointStatus, PauseReason, WebhookDelivery, WebhookEndpoint


def pause(*endpoints: WebhookEndpoint, why: PauseReason, by: Actor | None) -> None:
    """Tell these, of one customer, nothing until they are resumed. What waits to be sent goes on waiting."""
    active = [endpoint for endpoint in endpoints if endpoint.active]
    if not active:
        return
    for endpoint in active:
        endpoint.status, endpoint.paused_at, endpoint.paused_why = EndpointStatus.PAUSED, now(), why
    session.flush()
    count_listening(active[0].customer_uuid)
    for endpoint in active:
        record_event("webhook.paused", endpoint, by=by, room=endpoint.room_uuid, why=why.value)


def cancel_waiting(endpoint: WebhookEndpoint) -> None:
    """Send nothing of what waits for this one, which the caller has locked, except tests, which tell nothing.

    What is on its way right now may still arrive, and is written down then; it is not tried again. Until then it
    keeps its place, as its worker is busy.
    """
    on_its_way = sa.case((WebhookDelivery.being_sent, WebhookDelivery.next_attempt_at))
    session.execute(
        sa.update(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_uuid == endpoint.uuid,
            WebhookDelivery.next_attempt_at.is_not(None),
            WebhookDelivery.event != TEST,
        )
        .values(next_attempt_at=on_its_way, gave_up_at=now())
        .execution_options(synchronize_session=False)
    )


def lock_customer(customer_uuid: UUID) -> Customer:
    """Lock the customer, whose endpoints are counted. Whoever locks an endpoint as well locks it before."""
    lock = {"of": Customer, "key_share": True}  # rows that refer to the customer may be written meanwhile
    return session.get_one(Customer, customer_uuid, with_for_update=lock, populate_existing=True)


def count_listening(customer_uuid: UUID) -> None:
    """Write into the customer's row how many endpoints listen, under its lock: a count too low would lose events."""
    customer = lock_customer(customer_uuid)
    listening = sa.select(sa.func.count()).where(
        WebhookEndpoint.customer_uuid == customer_uuid, WebhookEndpoint.status == EndpointStatus.ACTIVE
    )
    customer.webhooks = session.scalar(listening) or 0
    session.flush()
