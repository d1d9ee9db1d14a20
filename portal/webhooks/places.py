"""How many messages are on their way at once: one to each endpoint, and few of one customer.

Workers are few, and a receiver may take its time, so whoever is slow delays himself only: of a customer's
places, slow receivers together get all but one. Who finds no place leaves the message where it is; whoever
gives a place back has the next message called for, to the endpoint that was served longest ago.

Endpoints are few and their messages are many, so each query walks endpoints, and asks an index for the message.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.db import session, so_many
from portal.webhooks.endings import hold_customer
from portal.webhooks.events import TEST
from portal.webhooks.models import EndpointStatus, WebhookDelivery, WebhookEndpoint

AT_ONCE = 2  # messages of one customer; the queue has more workers than that
SLOW_AT_ONCE = AT_ONCE - 1  # of these, to receivers whose last answer was slow
SLOW = timedelta(seconds=2)


def has_a_place(endpoint: WebhookEndpoint) -> bool:
    """Whether nobody sends to this endpoint now, and few to the customer's others: counted under his lock."""
    hold_customer(endpoint.customer_uuid)
    taken = _taken(WebhookEndpoint.customer_uuid == endpoint.customer_uuid)
    if len(taken) >= AT_ONCE or any(one.endpoint_uuid == endpoint.uuid for one in taken):
        return False
    return not endpoint.slow or sum(one.slow for one in taken) < SLOW_AT_ONCE


def next_waiting(customer_uuid: UUID, at: datetime) -> list[UUID]:
    """As many of the customer's messages as find a place, counted under his lock; none if he is there no longer."""
    with suppress(sa.exc.NoResultFound):
        hold_customer(customer_uuid)
    return find_places(at, WebhookEndpoint.customer_uuid == customer_uuid)


def find_places(at: datetime, *where: sa.ColumnElement[bool]) -> list[UUID]:
    """Of each customer the due messages that find a place now, one to an endpoint, who was served longest ago first."""
    taken = _taken(*where)
    busy = {one.endpoint_uuid for one in taken}
    used = Counter(one.customer_uuid for one in taken)
    used_by_slow = Counter(one.customer_uuid for one in taken if one.slow)
    found = []
    for one in _in_turn(at, *where):
        customer_uuid = one.customer_uuid
        if one.endpoint_uuid in busy or used[customer_uuid] >= AT_ONCE:
            continue
        if one.slow and used_by_slow[customer_uuid] >= SLOW_AT_ONCE:
            continue
        used[customer_uuid] += 1
        used_by_slow[customer_uuid] += one.slow
        found.append(one.message_uuid)
    return found


def mark_served(endpoint: WebhookEndpoint, at: datetime, *, milliseconds: int) -> None:
    """Write down that a try ended after so long. The endpoint remains as it was for whoever changes it meanwhile."""
    slow = timedelta(milliseconds=milliseconds) >= SLOW
    session.execute(
        sa.update(WebhookEndpoint)
        .where(WebhookEndpoint.uuid == endpoint.uuid)
        .values(served_at=at, slow=slow, updated_at=WebhookEndpoint.updated_at)
        .execution_options(synchronize_session=False)
    )


def _taken(*where: sa.ColumnElement[bool]) -> Sequence[sa.Row[UUID, UUID, bool]]:
    """What is being sent to these endpoints."""
    query = (
        sa.select(WebhookEndpoint.customer_uuid, WebhookDelivery.endpoint_uuid, WebhookEndpoint.slow)
        .join(WebhookDelivery, WebhookDelivery.endpoint_uuid == WebhookEndpoint.uuid)
        .where(WebhookDelivery.being_sent, *where)
    )
    return session.execute(query).all()


def _in_turn(at: datetime, *where: sa.ColumnElement[bool]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """To each of these endpoints the message that has been due longest, who was served longest ago first."""
    a_test = WebhookDelivery.event == sa.literal(TEST, literal_execute=True)  # the database knows its index by the word
    active = WebhookEndpoint.status == EndpointStatus.ACTIVE
    message = sa.case((active, _due_longest(at)), else_=_due_longest(at, a_test)).label("message_uuid")
    endpoint_uuid = WebhookEndpoint.uuid.label("endpoint_uuid")
    columns = WebhookEndpoint.customer_uuid, WebhookEndpoint.slow, WebhookEndpoint.served_at
    each = sa.select(endpoint_uuid, *columns, message).where(*where).subquery()
    query = sa.select(each).where(each.c.message_uuid.is_not(None))
    in_turn = query.order_by(each.c.served_at.asc().nulls_first(), each.c.message_uuid)
    return session.execute(in_turn).all()


def _due_longest(at: datetime, *which: sa.ColumnElement[bool]) -> sa.ScalarSelect[UUID]:
    query = sa.select(WebhookDelivery.uuid).where(
        WebhookDelivery.endpoint_uuid == WebhookEndpoint.uuid, WebhookDelivery.next_attempt_at <= at, *which
    )
    by_time = query.order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.uuid)
    return by_time.limit(so_many(1)).correlate(WebhookEndpoint).scalar_subquery()
