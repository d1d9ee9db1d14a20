"""How many messages are on their way at once: one to each endpoint, few of one customer, and few to slow receivers.

Workers are few, and a receiver may take its time, so whoever is slow delays himself only. Of a customer's places,
slow receivers together get all but one; of all customers', as many as half of the workers are. A receiver counts as
slow until it has answered quickly: new endpoints and new addresses cost whoever makes them nothing, so they would
else take everybody's places for as long as he makes more. Where no slow receiver waits, a new one is not delayed.

A place is taken for as long as its worker is busy: so an endpoint is not deleted meanwhile. Where it goes with its
room all the same, nothing has been sent to it for weeks: nobody makes messages for a room in the trash.

Who finds no place leaves the message where it is; whoever gives a place back has the next message called for, to
the endpoint that was served longest ago. A place for slow ones goes to the customer whose turn among all was longest
ago, however many endpoints others have.

Endpoints are few and their messages are many, so each query walks endpoints, and asks an index for the message.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.db import literal_limit, session
from portal.webhooks.events import TEST
from portal.webhooks.models import EndpointStatus, WebhookDelivery, WebhookEndpoint
from portal.webhooks.pausing import lock_customer

SLOTS_PER_CUSTOMER = 2  # messages of one customer; the queue has more workers than that
SLOW_SLOTS_PER_CUSTOMER = SLOTS_PER_CUSTOMER - 1  # of these, to slow receivers
SLOW_SLOTS_OF_ALL = 8  # messages to slow receivers of all customers together
SLOW = timedelta(seconds=2)

_SLOW_ADVISORY_LOCK = 0x466F796572  # any number that nobody else takes


def has_free_slot(endpoint: WebhookEndpoint) -> bool:
    """Whether nobody sends to this endpoint now, few to the customer's others, and few to the slow ones if it is one.

    Counted under the customer's lock, and slow ones one after another: whoever takes that takes it last.
    """
    lock_customer(endpoint.customer_uuid)
    if endpoint.slow and session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_SLOW_ADVISORY_LOCK)))
    taken = _used_slots()
    own = [one for one in taken if one.customer_uuid == endpoint.customer_uuid]
    if len(own) >= SLOTS_PER_CUSTOMER or any(one.endpoint_uuid == endpoint.uuid for one in own):
        return False
    return not endpoint.slow or (_slow(own) < SLOW_SLOTS_PER_CUSTOMER and _slow(taken) < SLOW_SLOTS_OF_ALL)


def next_deliveries(customer_uuid: UUID, at: datetime, *, slow: bool) -> list[UUID]:
    """As many of the customer's messages as find a place, counted under his lock; none if he is there no longer.

    If it was a place for slow receivers that has become free, of everybody's slow ones, too.
    """
    with suppress(sa.exc.NoResultFound):
        lock_customer(customer_uuid)
    own = WebhookEndpoint.customer_uuid == customer_uuid
    return deliveries_to_start(at, sa.or_(own, WebhookEndpoint.slow) if slow else own)


def deliveries_to_start(at: datetime, *where: sa.ColumnElement[bool]) -> list[UUID]:
    """Of each customer the due messages that find a place now, one to an endpoint, who was served longest ago first."""
    taken = _used_slots()
    busy = {one.endpoint_uuid for one in taken}
    used = Counter(one.customer_uuid for one in taken)
    used_by_slow = Counter(one.customer_uuid for one in taken if one.slow)
    found = []
    for one in _waiting_in_turn(at, *where):
        customer_uuid = one.customer_uuid
        if one.endpoint_uuid in busy or used[customer_uuid] >= SLOTS_PER_CUSTOMER:
            continue
        if one.slow and (
            used_by_slow[customer_uuid] >= SLOW_SLOTS_PER_CUSTOMER or used_by_slow.total() >= SLOW_SLOTS_OF_ALL
        ):
            continue
        used[customer_uuid] += 1
        used_by_slow[customer_uuid] += one.slow
        found.append(one.message_uuid)
    return found


def mark_served(endpoint: WebhookEndpoint, at: datetime, *, slow: bool) -> None:
    """Write down that a try ended, and how. The endpoint remains as it was for whoever changes it meanwhile."""
    session.execute(
        sa.update(WebhookEndpoint)
        .where(WebhookEndpoint.uuid == endpoint.uuid)
        .values(served_at=at, slow=slow, updated_at=WebhookEndpoint.updated_at)
        .execution_options(synchronize_session=False)
    )


def _used_slots() -> Sequence[sa.Row[UUID, UUID, bool]]:
    """What is being sent to anybody: never more than there are workers."""
    query = (
        sa.select(WebhookEndpoint.customer_uuid, WebhookDelivery.endpoint_uuid, WebhookEndpoint.slow)
        .join(WebhookDelivery, WebhookDelivery.endpoint_uuid == WebhookEndpoint.uuid)
        .where(WebhookDelivery.being_sent)
    )
    return session.execute(query).all()


def _slow(taken: Sequence[sa.Row[UUID, UUID, bool]]) -> int:
    return sum(one.slow for one in taken)


def _waiting_in_turn(at: datetime, *where: sa.ColumnElement[bool]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """To each of these endpoints the message that has been due longest, whose turn was longest ago first."""
    a_test = WebhookDelivery.event == sa.literal(TEST, literal_execute=True)  # the database knows its index by the word
    active = WebhookEndpoint.status == EndpointStatus.ACTIVE
    message = sa.case((active, _due_longest(at)), else_=_due_longest(at, a_test)).label("message_uuid")
    endpoint_uuid = WebhookEndpoint.uuid.label("endpoint_uuid")
    columns = WebhookEndpoint.customer_uuid, WebhookEndpoint.slow, WebhookEndpoint.served_at
    slow_served_at = sa.func.max(sa.case((WebhookEndpoint.slow, WebhookEndpoint.served_at)))
    customers = slow_served_at.over(partition_by=WebhookEndpoint.customer_uuid).label("customers_turn")
    each = sa.select(endpoint_uuid, *columns, customers, message).where(*where).subquery()
    query = sa.select(each).where(each.c.message_uuid.is_not(None))
    turns = each.c.customers_turn.asc().nulls_first(), each.c.served_at.asc().nulls_first()
    in_turn = query.order_by(*turns, each.c.message_uuid)
    return session.execute(in_turn).all()


def _due_longest(at: datetime, *which: sa.ColumnElement[bool]) -> sa.ScalarSelect[UUID]:
    query = sa.select(WebhookDelivery.uuid).where(
        WebhookDelivery.endpoint_uuid == WebhookEndpoint.uuid, WebhookDelivery.next_attempt_at <= at, *which
    )
    by_time = query.order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.uuid)
    return by_time.limit(literal_limit(1)).correlate(WebhookEndpoint).scalar_subquery()
