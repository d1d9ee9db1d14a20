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

_PORTAL_ADVISORY_LOCK = 0x466F796573  # any number that nobody else takes


def pause(*endpoints: WebhookEndpoint, why: PauseReason, by: Actor | None) -> None:
    """Pause these endpoints, all of one customer or all of the portal itself.

    Deliveries that wait to be sent go on waiting.
    """
    active = [endpoint for endpoint in endpoints if endpoint.active]
    if not active:
        return
    for endpoint in active:
        endpoint.status, endpoint.paused_at, endpoint.paused_why = EndpointStatus.PAUSED, now(), why
    session.flush()
    count_listening(active[0].customer_uuid)
    for endpoint in active:
        record_event("webhook.paused", endpoint, by=by, room=endpoint.room_uuid, why=why.value)


def lock_customer(customer_uuid: UUID | None) -> Customer | None:
    """Lock and return the customer, under whose lock endpoints are counted. To lock an endpoint too, do that first.

    For None, which stands for the portal itself, an advisory lock does the same.
    """
    if customer_uuid is None:
        if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PORTAL_ADVISORY_LOCK)))
        return None
    lock = {"of": Customer, "key_share": True}  # rows that refer to the customer may be written meanwhile
    return session.get_one(Customer, customer_uuid, with_for_update=lock, populate_existing=True)


def count_listening(customer_uuid: UUID | None) -> None:
    """Count the customer's active endpoints and store their number in its row.

    The row is locked, because a number that is too low would lose events. Those of the portal itself (None) are not
    counted: what they are told of happens seldom, so each time they are looked for.
    """
    customer = lock_customer(customer_uuid)
    if customer is None:
        return
    listening = sa.select(sa.func.count()).where(
        WebhookEndpoint.customer_uuid == customer_uuid, WebhookEndpoint.status == EndpointStatus.ACTIVE
    )
    customer.webhooks = session.scalar(listening) or 0
    session.flush()
