"""Sending deliveries: claiming one for a worker, recording the outcome of an attempt, and scheduling the next.

Several workers may want the same delivery: an UPDATE that only one of them can win claims it, with
a lease that lets another one claim it if the first dies. No transaction is open while a receiver is called.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import SystemRandom
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from portal.audit.operations import record_event
from portal.clock import now
from portal.db import session
from portal.enqueueing import enqueue
from portal.errors import Conflict, Message
from portal.people.actor import Actor
from portal.providers.fetch import Trouble
from portal.webhooks.authorization import NO_OWNER, find_valid_owner, may_receive
from portal.webhooks.events import TEST, Event
from portal.webhooks.models import (
    SHOWN_OF_ANSWER,
    DeliveryState,
    EndpointStatus,
    PauseReason,
    WebhookDelivery,
    WebhookEndpoint,
)
from portal.webhooks.pausing import pause
from portal.webhooks.scheduling import SLOW, deliveries_to_start, has_free_slot, mark_served, next_deliveries
from portal.webhooks.signing import signed

SECONDS, MINUTES, HOURS = 1, 60, 3600
SCHEDULE = (  # seconds after each try that failed; a day in all
    5 * SECONDS, 30 * SECONDS, 2 * MINUTES, 10 * MINUTES, 30 * MINUTES,
    1 * HOURS, 2 * HOURS, 4 * HOURS, 8 * HOURS, 8 * HOURS,
)  # fmt: skip
JITTER = 0.1
LEASE = timedelta(minutes=2)  # how long a claimed delivery belongs to its worker
RETENTION = timedelta(days=30)
MOST_GIVEN_UP = 5
LONGEST_FAILING = timedelta(days=3)
GONE = 410
SEND = "webhooks.send"
"""The name of the job that sends one delivery."""

_random = SystemRandom()


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery that a worker has claimed, ready to be sent. `slow`: it uses a slot for slow receivers."""

    delivery_uuid: UUID
    customer_uuid: UUID | None
    slow: bool
    claimed_at: datetime
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of an attempt: the status of the receiver's answer, or `trouble` if there was none."""

    milliseconds: int
    status: int | None = None
    body: bytes = b""
    trouble: Trouble | None = None

    @property
    def good(self) -> bool:
        """Whether the receiver accepted it, by a status from 200 to 299."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004

    @property
    def slow(self) -> bool:
        """Whether the attempt took two seconds or longer."""
        return timedelta(milliseconds=self.milliseconds) >= SLOW


def send_soon(delivery_uuid: UUID, seconds: float = 0) -> None:
    """Enqueue a delivery in `seconds`, after the transaction is committed. If that gets lost, the sweep finds it."""
    enqueue(SEND, str(delivery_uuid), seconds)


def due() -> list[UUID]:
    """The due deliveries of all customers for which there are free slots now."""
    return deliveries_to_start(now())


def claim(delivery_uuid: UUID) -> ClaimedDelivery | None:
    """Claim a due delivery for this worker.

    None if another worker has it, it is done, there is no free slot, or nothing is sent to its endpoint now.
    """
    at = now()
    delivery = _lock_due(delivery_uuid, at)
    if delivery is None or not has_free_slot(delivery.endpoint):
        return None
    if not _is_still_wanted(delivery, at):
        _start_next(delivery.endpoint.customer_uuid, at, slow=delivery.endpoint.slow)
        return None
    claimed = session.execute(
        sa.update(WebhookDelivery)
        .where(WebhookDelivery.uuid == delivery_uuid, WebhookDelivery.due(at))
        .values(
            state=DeliveryState.SENDING,
            claimed_at=at,
            next_attempt_at=at + LEASE,
            attempts=WebhookDelivery.attempts + 1,
        )
        .execution_options(synchronize_session=False)
    )
    if not claimed.rowcount:  # type: ignore[attr-defined]
        return None
    endpoint, body = delivery.endpoint, delivery.payload.encode()
    headers = signed(body, message_id=delivery.message_id, at=at, with_secrets=endpoint.live_secrets(at))
    return ClaimedDelivery(
        delivery_uuid,
        endpoint.customer_uuid,
        endpoint.slow,
        at,
        endpoint.url,
        {"Content-Type": "application/json", "User-Agent": "Foyer-Webhooks/1", **headers},
        body,
    )


def record(claimed: ClaimedDelivery, outcome: Outcome) -> None:
    """Record the outcome of an attempt, schedule the next one if needed, and give the free slot to another delivery.

    Nothing is recorded if another worker has claimed the delivery since. If the endpoint has another address by now,
    the outcome counts for the delivery but not for the endpoint.
    """
    endpoint = session.scalar(  # its row is locked before the delivery's, in the order in which deleting locks them
        sa.select(WebhookEndpoint)
        .join(WebhookDelivery, WebhookDelivery.endpoint_uuid == WebhookEndpoint.uuid)
        .where(WebhookDelivery.uuid == claimed.delivery_uuid)
        .with_for_update(of=WebhookEndpoint, key_share=True)
        .execution_options(populate_existing=True)
    )
    delivery = session.scalar(
        sa.select(WebhookDelivery)
        .where(WebhookDelivery.uuid == claimed.delivery_uuid, WebhookDelivery.claimed_at == claimed.claimed_at)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    at = now()
    if endpoint is not None and delivery is not None:
        same_address = endpoint.url == claimed.url
        mark_served(endpoint, at, slow=outcome.slow if same_address else endpoint.slow)
        _record_outcome(delivery, endpoint, outcome, at, same_address=same_address)
    _start_next(claimed.customer_uuid, at, slow=claimed.slow)


def send_again(delivery: WebhookDelivery, *, by: Actor) -> None:
    """Send a delivery once more, with the same message id, from the beginning of the schedule. Raises `Conflict`."""
    at = now()
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_uuid)
    if not endpoint.active:
        raise Conflict(Message("This webhook is paused. Resume it first."))
    if delivery.event != TEST and not _may_receive_delivery(owner := find_valid_owner(endpoint), delivery):
        unseen = Message("The owner of this webhook may not see what this message tells.")
        raise Conflict(unseen if owner is not None else NO_OWNER)
    free = session.execute(
        sa.update(WebhookDelivery)
        .where(WebhookDelivery.uuid == delivery.uuid, sa.not_(WebhookDelivery.being_sent))
        .values(state=DeliveryState.WAITING, attempts=0, next_attempt_at=at, claimed_at=None, ended_at=None)
        .execution_options(synchronize_session=False)
    )
    if not free.rowcount:  # type: ignore[attr-defined]
        raise Conflict(Message("This message is being sent right now. Look again in a moment."))
    session.refresh(delivery)
    record_event("webhook.sent_again", delivery, by=by, room=endpoint.room_uuid)
    send_soon(delivery.uuid)


def sweep_deliveries() -> int:
    """Housekeeping: delete deliveries that are older than 30 days. Returns how many those were."""
    swept = session.execute(
        sa.delete(WebhookDelivery)
        .where(WebhookDelivery.created_at < now() - RETENTION)
        .returning(WebhookDelivery.uuid)
        .execution_options(synchronize_session=False)
    )
    return len(swept.all())


def _start_next(customer_uuid: UUID | None, at: datetime, *, slow: bool) -> None:
    """Enqueue the deliveries that can use the slot that has become free. `slow`: it was one for slow receivers."""
    for delivery_uuid in next_deliveries(customer_uuid, at, slow=slow):
        send_soon(delivery_uuid)


def _lock_due(delivery_uuid: UUID, at: datetime) -> WebhookDelivery | None:
    """The delivery, if it is due, with its endpoint, whose row is locked until the end of the transaction."""
    listening = sa.or_(WebhookEndpoint.status == EndpointStatus.ACTIVE, WebhookDelivery.event == TEST)
    return session.scalar(
        sa.select(WebhookDelivery)
        .join(WebhookDelivery.endpoint)
        .where(WebhookDelivery.uuid == delivery_uuid, WebhookDelivery.due(at), listening)
        .options(contains_eager(WebhookDelivery.endpoint))
        .with_for_update(of=WebhookEndpoint, key_share=True)
        .execution_options(populate_existing=True)
    )


def _is_still_wanted(delivery: WebhookDelivery, at: datetime) -> bool:
    """Whether the endpoint has a valid owner who may see this delivery.

    Without an owner the endpoint is paused; if he may not see this delivery, or nobody of the customer may see anything
    at present, it is dropped.
    """
    if delivery.event == TEST:
        return True
    owner = find_valid_owner(delivery.endpoint)
    if owner is None and delivery.endpoint.customer_usable:
        pause(delivery.endpoint, why=PauseReason.RIGHTS, by=None)
        return False
    if not _may_receive_delivery(owner, delivery):  # it was written for another owner, or before he lost the right
        delivery.end(DeliveryState.DROPPED, at)
        return False
    return True


def _may_receive_delivery(owner: Actor | None, delivery: WebhookDelivery) -> bool:
    return owner is not None and may_receive(owner, delivery.endpoint, Event(delivery.event))


def _record_outcome(
    delivery: WebhookDelivery, endpoint: WebhookEndpoint, outcome: Outcome, at: datetime, *, same_address: bool
) -> None:
    """Write the outcome to the delivery; and to the endpoint, if it still has the address that was called."""
    delivery.claimed_at, delivery.answered_at = None, at
    delivery.answer_status, delivery.trouble = outcome.status, outcome.trouble
    delivery.answer_body, delivery.answer_milliseconds = _printable(outcome.body), outcome.milliseconds
    if outcome.good:
        delivery.end(DeliveryState.DELIVERED, at)
    elif delivery.state is DeliveryState.DROPPED:  # while its worker was late: not tried again
        return
    elif delivery.event == TEST or (same_address and outcome.status == GONE) or delivery.attempts > len(SCHEDULE):
        delivery.end(DeliveryState.FAILED, at)
    else:
        seconds = SCHEDULE[delivery.attempts - 1] * _random.uniform(1 - JITTER, 1 + JITTER)
        delivery.state, delivery.next_attempt_at = DeliveryState.WAITING, at + timedelta(seconds=seconds)
        send_soon(delivery.uuid, seconds)
    session.flush()
    if same_address and delivery.event != TEST:
        _count_failures(endpoint, delivery, outcome, at)


def _count_failures(endpoint: WebhookEndpoint, delivery: WebhookDelivery, outcome: Outcome, at: datetime) -> None:
    """Count the endpoint's failures in a row, and pause it when there are too many."""
    if outcome.good:
        if endpoint.failing_since is not None:
            endpoint.failures, endpoint.given_up, endpoint.failing_since = 0, 0, None
        return
    endpoint.failures += 1
    endpoint.given_up += delivery.state is DeliveryState.FAILED
    endpoint.failing_since = endpoint.failing_since or at
    if outcome.status == GONE:
        pause(endpoint, why=PauseReason.GONE, by=None)
    elif endpoint.given_up >= MOST_GIVEN_UP or at - endpoint.failing_since >= LONGEST_FAILING:
        pause(endpoint, why=PauseReason.FAILING, by=None)


def _printable(body: bytes) -> str:
    text = body.decode(errors="replace")
    return "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)[:SHOWN_OF_ANSWER]
