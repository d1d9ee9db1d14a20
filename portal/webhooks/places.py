"""How many messages are on their way at once: one to each endpoint, and few of one customer.

Workers are few, and a receiver may take its time, so whoever is slow delays himself only. Who finds no place
leaves the message where it is; whoever ends a try has the oldest one that waited called for.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.db import session
from portal.webhooks.endings import hold
from portal.webhooks.events import TEST
from portal.webhooks.models import EndpointStatus, WebhookDelivery, WebhookEndpoint

AT_ONCE = 2  # messages of one customer; the queue has more workers than that


def has_a_place(endpoint: WebhookEndpoint) -> bool:
    """Whether nobody sends to this endpoint now, and few to the customer's others: counted under his lock."""
    hold(endpoint.customer_uuid)
    taken = session.scalars(_taken(endpoint.customer_uuid)).all()
    return endpoint.uuid not in taken and len(taken) < AT_ONCE


def first_waiting(customer_uuid: UUID, at: datetime) -> WebhookDelivery | None:
    """The customer's oldest message that is due and whose endpoint has a place."""
    query = (
        sa.select(WebhookDelivery)
        .join(WebhookDelivery.endpoint)
        .where(
            WebhookEndpoint.customer_uuid == customer_uuid,
            WebhookEndpoint.uuid.not_in(_taken(customer_uuid)),
            WebhookDelivery.next_attempt_at <= at,
            may_be_sent(),
        )
        .order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.uuid)
    )
    return session.scalar(query.limit(1))


def may_be_sent() -> sa.ColumnElement[bool]:
    """Whether the endpoint, which the statement joins, is told anything; tests are sent in any case."""
    return sa.or_(WebhookEndpoint.status == EndpointStatus.ACTIVE, WebhookDelivery.event == TEST)


def _taken(customer_uuid: UUID) -> sa.Select[UUID]:
    """The endpoints of the customer to which something is being sent, each as often as that is so."""
    message, endpoint = sa.orm.aliased(WebhookDelivery), sa.orm.aliased(WebhookEndpoint)
    return (
        sa.select(message.endpoint_uuid)
        .join(message.endpoint.of_type(endpoint))
        .where(endpoint.customer_uuid == customer_uuid, message.being_sent)
    )
