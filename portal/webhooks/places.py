"""How many messages are on their way at once: one to each endpoint, and few of one customer.

Workers are few, and a receiver may take its time, so whoever is slow delays himself only: of a customer's
places, slow receivers together get all but one. Who finds no place leaves the message where it is; whoever
gives a place back has the next message called for, to the endpoint that was served longest ago.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.db import session
from portal.webhooks.endings import hold
from portal.webhooks.events import TEST
from portal.webhooks.models import EndpointStatus, WebhookDelivery, WebhookEndpoint

AT_ONCE = 2  # messages of one customer; the queue has more workers than that
SLOW_AT_ONCE = AT_ONCE - 1  # of these, to receivers whose last answer was slow
SLOW = timedelta(seconds=2)
REMEMBERED = 50
"""Messages written before one that tell of its receiver: they are sent in about that order, and an index finds them."""


def has_a_place(endpoint: WebhookEndpoint, at: datetime) -> bool:
    """Whether nobody sends to this endpoint now, and few to the customer's others: counted under his lock."""
    hold(endpoint.customer_uuid)
    taken = _taken(WebhookEndpoint.customer_uuid == endpoint.customer_uuid)
    if len(taken) >= AT_ONCE or any(one.endpoint_uuid == endpoint.uuid for one in taken):
        return False
    return sum(one.slow for one in taken) < SLOW_AT_ONCE or not _is_slow(endpoint, at)


def next_waiting(customer_uuid: UUID, at: datetime) -> list[UUID]:
    """As many of the customer's messages as find a place, counted under his lock; none if he is there no longer."""
    with suppress(sa.exc.NoResultFound):
        hold(customer_uuid)
    return find_places(at, WebhookEndpoint.customer_uuid == customer_uuid)


def find_places(at: datetime, *where: sa.ColumnElement[bool]) -> list[UUID]:
    """Of each customer the due messages that find a place now, one to an endpoint, who was served longest ago first."""
    taken = _taken(*where)
    busy = {one.endpoint_uuid for one in taken}
    used = Counter(one.customer_uuid for one in taken)
    used_by_slow = Counter(one.customer_uuid for one in taken if one.slow)
    found = []
    for one in _first_ones(at, *where):
        customer_uuid = one.customer_uuid
        if one.endpoint_uuid in busy or used[customer_uuid] >= AT_ONCE:
            continue
        if one.slow and used_by_slow[customer_uuid] >= SLOW_AT_ONCE:
            continue
        used[customer_uuid] += 1
        used_by_slow[customer_uuid] += one.slow
        found.append(one.uuid)
    return found


def may_be_sent() -> sa.ColumnElement[bool]:
    """Whether the endpoint, which the statement joins, is told anything; tests are sent in any case."""
    return sa.or_(WebhookEndpoint.status == EndpointStatus.ACTIVE, WebhookDelivery.event == TEST)


def _taken(*where: sa.ColumnElement[bool]) -> Sequence[sa.Row[UUID, UUID, bool]]:
    """What is being sent to these endpoints."""
    query = (
        sa.select(
            WebhookEndpoint.customer_uuid,
            WebhookDelivery.endpoint_uuid,
            _slow(WebhookDelivery.endpoint_uuid, WebhookDelivery.created_at),
        )
        .join(WebhookDelivery.endpoint)
        .where(WebhookDelivery.being_sent, *where)
    )
    return session.execute(query).all()


def _first_ones(at: datetime, *where: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    """To each of these endpoints the message that has been due longest, who was served longest ago first."""
    turn = sa.func.row_number().over(
        partition_by=WebhookDelivery.endpoint_uuid, order_by=(WebhookDelivery.next_attempt_at, WebhookDelivery.uuid)
    )
    waiting = (
        sa.select(
            WebhookDelivery.uuid,
            WebhookDelivery.endpoint_uuid,
            WebhookDelivery.created_at,
            WebhookDelivery.next_attempt_at,
            WebhookEndpoint.customer_uuid,
            turn.label("turn"),
        )
        .join(WebhookDelivery.endpoint)
        .where(WebhookDelivery.next_attempt_at <= at, may_be_sent(), *where)
        .subquery()
    )
    served_at = _last_try("answered_at", waiting.c.endpoint_uuid, waiting.c.created_at)
    query = (
        sa.select(
            waiting.c.uuid,
            waiting.c.endpoint_uuid,
            waiting.c.customer_uuid,
            _slow(waiting.c.endpoint_uuid, waiting.c.created_at),
        )
        .where(waiting.c.turn == 1)
        .order_by(served_at.asc().nulls_first(), waiting.c.next_attempt_at, waiting.c.uuid)
    )
    return session.execute(query).all()


def _is_slow(endpoint: WebhookEndpoint, at: datetime) -> bool:
    """Whether it proved slow, by what tells of the message that has been due longest."""
    query = (
        sa.select(_slow(WebhookDelivery.endpoint_uuid, WebhookDelivery.created_at))
        .where(WebhookDelivery.endpoint_uuid == endpoint.uuid, WebhookDelivery.next_attempt_at <= at)
        .order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.uuid)
    )
    return bool(session.scalar(query.limit(1)))


def _slow(endpoint_uuid: sa.SQLColumnExpression[UUID], until: sa.SQLColumnExpression[datetime]) -> sa.Label[bool]:
    """Whether the last try took long, whatever came of it."""
    milliseconds = sa.func.coalesce(_last_try("answer_milliseconds", endpoint_uuid, until), 0)
    return (milliseconds >= SLOW // timedelta(milliseconds=1)).label("slow")


def _last_try(
    what: str, endpoint_uuid: sa.SQLColumnExpression[UUID], until: sa.SQLColumnExpression[datetime]
) -> sa.ScalarSelect[Any]:
    """What came of the last try of any of the messages that were written for the endpoint until then."""
    message = sa.orm.aliased(WebhookDelivery)
    written = (
        sa.select(message.answered_at, message.answer_milliseconds)
        .where(message.endpoint_uuid == endpoint_uuid, message.created_at <= until)
        .order_by(message.created_at.desc())
        .limit(REMEMBERED)
        .correlate_except(message)
        .subquery()
    )
    query = sa.select(written.c[what]).where(written.c.answered_at.is_not(None))
    return query.order_by(written.c.answered_at.desc()).limit(1).scalar_subquery()
