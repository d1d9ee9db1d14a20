"""Scheduling: when a delivery gets one of the few workers. Each delivery being sent uses a slot.

There is one slot for each endpoint, few for each customer, and few for slow receivers of all customers together. So a
slow receiver delays its own deliveries only. Of a customer's slots, slow receivers may use all but one. A receiver
counts as slow until it has answered quickly: otherwise somebody could use all workers by creating new endpoints again
and again. Where no other slow receiver waits, a new one is not delayed. The endpoints of the portal itself, whose
`customer_uuid` is None, share slots as those of one customer do.

A slot is in use while its worker is busy, so an endpoint cannot be deleted meanwhile. (It is deleted with its room
all the same, but to a room in the trash nothing has been sent for weeks.)

A delivery that finds no free slot waits. When a slot becomes free, the next delivery is enqueued: to the endpoint
that was served longest ago. A slot for slow receivers goes first to the customer whose slow receivers were served
longest ago, however many endpoints other customers have.

Endpoints are few and deliveries are many, so each query walks the endpoints, and finds their deliveries by an index.
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

SLOTS_PER_CUSTOMER = 2  # deliveries of one customer at once; the queue has more workers than that
SLOW_SLOTS_PER_CUSTOMER = SLOTS_PER_CUSTOMER - 1  # of these, to slow receivers
SLOW_SLOTS_OF_ALL = 8  # deliveries to slow receivers of all customers at once
SLOW = timedelta(seconds=2)

_SLOW_ADVISORY_LOCK = 0x466F796572  # any number that nobody else takes


def has_free_slot(endpoint: WebhookEndpoint) -> bool:
    """Whether a delivery to this endpoint can be sent now: it, its customer, and slow receivers have a free slot.

    Slots are counted under the customer's lock; those of slow receivers under an advisory lock, which is taken last.
    """
    lock_customer(endpoint.customer_uuid)
    if endpoint.slow and session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_SLOW_ADVISORY_LOCK)))
    taken = _used_slots()
    own = [one for one in taken if one.customer_uuid == endpoint.customer_uuid]
    if len(own) >= SLOTS_PER_CUSTOMER or any(one.endpoint_uuid == endpoint.uuid for one in own):
        return False
    return not endpoint.slow or (_slow(own) < SLOW_SLOTS_PER_CUSTOMER and _slow(taken) < SLOW_SLOTS_OF_ALL)


def next_deliveries(customer_uuid: UUID | None, at: datetime, *, slow: bool) -> list[UUID]:
    """The uuids of the deliveries to start after a slot of this customer has become free; None: of the portal itself.

    With `slow`, which means that it was a slot for slow receivers, also deliveries of other customers to slow ones.
    Counted under the customer's lock, if the customer still exists.
    """
    with suppress(sa.exc.NoResultFound):
        lock_customer(customer_uuid)
    own = WebhookEndpoint.customer_uuid == customer_uuid
    return deliveries_to_start(at, sa.or_(own, WebhookEndpoint.slow) if slow else own)


def deliveries_to_start(at: datetime, *where: sa.ColumnElement[bool]) -> list[UUID]:
    """The uuids of the due deliveries that have a free slot now, one for each endpoint, in the order of their turns.

    `where` narrows the endpoints.
    """
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
    """Write to the endpoint that an attempt ended and whether it was slow, without changing its `updated_at`."""
    session.execute(
        sa.update(WebhookEndpoint)
        .where(WebhookEndpoint.uuid == endpoint.uuid)
        .values(served_at=at, slow=slow, updated_at=WebhookEndpoint.updated_at)
        .execution_options(synchronize_session=False)
    )


def _used_slots() -> Sequence[sa.Row[UUID | None, UUID, bool]]:
    """The slots in use, as (customer, endpoint, slow): never more than there are workers."""
    query = (
        sa.select(WebhookEndpoint.customer_uuid, WebhookDelivery.endpoint_uuid, WebhookEndpoint.slow)
        .join(WebhookDelivery, WebhookDelivery.endpoint_uuid == WebhookEndpoint.uuid)
        .where(WebhookDelivery.being_sent)
    )
    return session.execute(query).all()


def _slow(taken: Sequence[sa.Row[UUID | None, UUID, bool]]) -> int:
    return sum(one.slow for one in taken)


def _waiting_in_turn(at: datetime, *where: sa.ColumnElement[bool]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """For each endpoint with a due delivery the one that has been due longest; endpoints served longest ago first."""
    a_test = WebhookDelivery.event == sa.literal(TEST, literal_execute=True)  # the partial index needs it as a literal
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
        WebhookDelivery.endpoint_uuid == WebhookEndpoint.uuid, WebhookDelivery.due(at), *which
    )
    by_time = query.order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.uuid)
    return by_time.limit(literal_limit(1)).correlate(WebhookEndpoint).scalar_subquery()
