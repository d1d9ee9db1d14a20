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
REMEMBERED = 20
"""Messages written before one that tell of its receiver: they are sent in about that order, and an index finds them."""


def has_a_place(endpoint: WebhookEndpoint, at: datetime) -> bool:
    """Whether nobody sends to this endpoint now, and few to the customer's others: counted under his lock."""
    hold(endpoint.customer_uuid)
    taken = _taken(WebhookEndpoint.customer_uuid == endpoint.customer_uuid)
    if len(taken) >= AT_ONCE or any(one.endpoint_uuid == endpoint.uuid for one in taken):
        return False
    if sum(one.slow for one in taken) < SLOW_AT_ONCE:
        return True
    return not any(one.slow for one in _first_ones(at, WebhookEndpoint.uuid == endpoint.uuid))


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


def may_be_sent(event: sa.SQLColumnExpression[str] = WebhookDelivery.event) -> sa.ColumnElement[bool]:
    """Whether the endpoint, which the statement joins, is told anything; tests are sent in any case."""
    return sa.or_(WebhookEndpoint.status == EndpointStatus.ACTIVE, event == TEST)


def _taken(*where: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    """What is being sent to these endpoints."""
    message = _among(WebhookDelivery.being_sent)
    query = (
        sa.select(WebhookEndpoint.customer_uuid, message.c.endpoint_uuid, _slow(message))
        .join(message, message.c.endpoint_uuid == WebhookEndpoint.uuid)
        .where(*where)
    )
    return session.execute(query).all()


def _first_ones(at: datetime, *where: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    """To each of these endpoints the message that has been due longest, who was served longest ago first."""
    due = _among(WebhookDelivery.next_attempt_at <= at)
    turn = sa.func.row_number().over(partition_by=due.c.endpoint_uuid, order_by=(due.c.next_attempt_at, due.c.uuid))
    waiting = (
        sa.select(due, WebhookEndpoint.customer_uuid, turn.label("turn"))
        .join(due, due.c.endpoint_uuid == WebhookEndpoint.uuid)
        .where(may_be_sent(due.c.event), *where)
        .subquery()
    )
    query = (
        sa.select(waiting.c.customer_uuid, waiting.c.endpoint_uuid, waiting.c.uuid, _slow(waiting))
        .where(waiting.c.turn == 1)
        .order_by(_last_try("answered_at", waiting).asc().nulls_first(), waiting.c.next_attempt_at, waiting.c.uuid)
    )
    return session.execute(query).all()


def _among(when: sa.SQLColumnExpression[bool]) -> sa.CTE:
    """Everybody's messages whose next try is then: they are few, and SQLite would rather read all of an endpoint's."""
    query = sa.select(
        WebhookDelivery.uuid,
        WebhookDelivery.endpoint_uuid,
        WebhookDelivery.event,
        WebhookDelivery.created_at,
        WebhookDelivery.next_attempt_at,
    )
    return query.where(when).cte().prefix_with("MATERIALIZED")


def _slow(message: sa.FromClause) -> sa.Label[bool]:
    """Whether the last try to its endpoint took long, whatever came of it."""
    milliseconds = sa.func.coalesce(_last_try("answer_milliseconds", message), 0)
    return (milliseconds >= SLOW // timedelta(milliseconds=1)).label("slow")


def _last_try(what: str, until: sa.FromClause) -> sa.ScalarSelect[Any]:
    """What came of the last try of any of the messages to the same endpoint that were written until this one."""
    message = sa.orm.aliased(WebhookDelivery)
    written = (
        sa.select(message.answered_at, message.answer_milliseconds)
        .where(message.endpoint_uuid == until.c.endpoint_uuid, message.created_at <= until.c.created_at)
        .order_by(message.created_at.desc())
        .limit(REMEMBERED)
        .correlate_except(message)
        .subquery()
    )
    query = sa.select(written.c[what]).where(written.c.answered_at.is_not(None))
    return query.order_by(written.c.answered_at.desc()).limit(1).scalar_subquery()
