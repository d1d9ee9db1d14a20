"""Sending: who takes a message, what became of it, and when it is tried again.

Several workers may reach for the same message: an UPDATE that only one of them can win hands it over, with
a lease that lets another one take it if the first dies. Nobody holds a transaction while calling out.
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
from portal.webhooks.models import SHOWN_OF_ANSWER, EndpointStatus, PauseReason, WebhookDelivery, WebhookEndpoint
from portal.webhooks.pausing import pause
from portal.webhooks.scheduling import SLOW, deliveries_to_start, has_free_slot, mark_served, next_deliveries
from portal.webhooks.signing import signed

SECONDS, MINUTES, HOURS = 1, 60, 3600
SCHEDULE = (  # seconds after each try that failed; a day in all
    5 * SECONDS, 30 * SECONDS, 2 * MINUTES, 10 * MINUTES, 30 * MINUTES,
    1 * HOURS, 2 * HOURS, 4 * HOURS, 8 * HOURS, 8 * HOURS,
)  # fmt: skip
JITTER = 0.1
LEASE = timedelta(minutes=2)  # how long whoever takes a message has it for himself
RETENTION = timedelta(days=30)
MOST_GIVEN_UP = 5
LONGEST_FAILING = timedelta(days=3)
GONE = 410
SEND = "webhooks.send"
"""The job that sends one message."""

_random = SystemRandom()


@dataclass(frozen=True)
class ClaimedDelivery:
    """A message that was taken, ready to be sent; in a place for slow receivers or in another one."""

    delivery_uuid: UUID
    customer_uuid: UUID
    slow: bool
    claimed_at: datetime
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a try: an answer with its status, or trouble."""

    milliseconds: int
    status: int | None = None
    body: bytes = b""
    trouble: Trouble | None = None

    @property
    def good(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004

    @property
    def slow(self) -> bool:
        """Whether that took long."""
        return timedelta(milliseconds=self.milliseconds) >= SLOW


def send_soon(delivery_uuid: UUID, seconds: float = 0) -> None:
    """Once the transaction has been committed, tell a worker. If that gets lost, the sweep finds the message."""
    enqueue(SEND, str(delivery_uuid), seconds)


def due() -> list[UUID]:
    """Messages whose time has come, of everybody as many as can be sent now: the others follow those."""
    return deliveries_to_start(now())


def claim(delivery_uuid: UUID) -> ClaimedDelivery | None:
    """Take a message that is due; None if somebody else has it, it is done, or nothing is sent to its endpoint now."""
    at = now()
    delivery = _lock_due(delivery_uuid, at)
    if delivery is None or not has_free_slot(delivery.endpoint):
        return None
    if not _is_still_wanted(delivery, at):
        _start_next(delivery.endpoint.customer_uuid, at, slow=delivery.endpoint.slow)
        return None
    taken = session.execute(
        sa.update(WebhookDelivery)
        .where(WebhookDelivery.uuid == delivery_uuid, WebhookDelivery.next_attempt_at <= at)
        .values(claimed_at=at, next_attempt_at=at + LEASE, attempts=WebhookDelivery.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    if not taken.rowcount:  # type: ignore[attr-defined]
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


def record(letter: ClaimedDelivery, outcome: Outcome) -> None:
    """Write down what became of a try, and what follows. Nothing, if another worker has taken the message since.

    An answer from an address that the endpoint has left since is no word about the one that it has now. The place
    that has become free goes to whoever is next in any case.
    """
    endpoint = session.scalar(  # its row before its messages', as whoever deletes it
        sa.select(WebhookEndpoint)
        .join(WebhookDelivery, WebhookDelivery.endpoint_uuid == WebhookEndpoint.uuid)
        .where(WebhookDelivery.uuid == letter.delivery_uuid)
        .with_for_update(of=WebhookEndpoint, key_share=True)
        .execution_options(populate_existing=True)
    )
    delivery = session.scalar(
        sa.select(WebhookDelivery)
        .where(WebhookDelivery.uuid == letter.delivery_uuid, WebhookDelivery.claimed_at == letter.claimed_at)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    at = now()
    if endpoint is not None and delivery is not None:
        there = endpoint.url == letter.url
        mark_served(endpoint, at, slow=outcome.slow if there else endpoint.slow)
        _record_outcome(delivery, endpoint, outcome, at, there=there)
    _start_next(letter.customer_uuid, at, slow=letter.slow)


def send_again(delivery: WebhookDelivery, *, by: Actor) -> None:
    """Send a message once more, with its old id, from the beginning of the schedule. Raises `Conflict`."""
    at = now()
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_uuid)
    if not endpoint.active:
        raise Conflict(Message("This webhook is paused. Resume it first."))
    if delivery.event != TEST and not _may_receive_delivery(keeper := find_valid_owner(endpoint), delivery):
        unseen = Message("This webhook runs in the name of somebody who may not see what this message tells.")
        raise Conflict(unseen if keeper is not None else NO_OWNER)
    free = session.execute(
        sa.update(WebhookDelivery)
        .where(WebhookDelivery.uuid == delivery.uuid, sa.not_(WebhookDelivery.being_sent))
        .values(attempts=0, next_attempt_at=at, claimed_at=None, delivered_at=None, gave_up_at=None)
        .execution_options(synchronize_session=False)
    )
    if not free.rowcount:  # type: ignore[attr-defined]
        raise Conflict(Message("This message is being sent right now. Look again in a moment."))
    session.refresh(delivery)
    record_event("webhook.sent_again", delivery, by=by, room=endpoint.room_uuid)
    send_soon(delivery.uuid)


def sweep_deliveries() -> int:
    """Housekeeping: what was sent or given up long ago. Returns how many those were."""
    swept = session.execute(
        sa.delete(WebhookDelivery)
        .where(WebhookDelivery.created_at < now() - RETENTION)
        .returning(WebhookDelivery.uuid)
        .execution_options(synchronize_session=False)
    )
    return len(swept.all())


def _start_next(customer_uuid: UUID, at: datetime, *, slow: bool) -> None:
    """Have those called for that find a place, since one has become free, of a slow receiver or of a quick one."""
    for delivery_uuid in next_deliveries(customer_uuid, at, slow=slow):
        send_soon(delivery_uuid)


def _lock_due(delivery_uuid: UUID, at: datetime) -> WebhookDelivery | None:
    """The message, if it is due, with its endpoint, which stays locked until the end of the transaction."""
    told = sa.or_(WebhookEndpoint.status == EndpointStatus.ACTIVE, WebhookDelivery.event == TEST)
    return session.scalar(
        sa.select(WebhookDelivery)
        .join(WebhookDelivery.endpoint)
        .where(WebhookDelivery.uuid == delivery_uuid, WebhookDelivery.next_attempt_at <= at, told)
        .options(contains_eager(WebhookDelivery.endpoint))
        .with_for_update(of=WebhookEndpoint, key_share=True)
        .execution_options(populate_existing=True)
    )


def _is_still_wanted(delivery: WebhookDelivery, at: datetime) -> bool:
    """Whether the endpoint has a keeper who may see this, too. Else it is paused, or this is given up."""
    if delivery.gave_up_at is not None:  # on its way, with a worker that died
        delivery.next_attempt_at = None
        return False
    if delivery.event == TEST:
        return True
    keeper = find_valid_owner(delivery.endpoint)
    if keeper is None:
        pause(delivery.endpoint, why=PauseReason.RIGHTS, by=None)
        return False
    if not _may_receive_delivery(keeper, delivery):  # it was written for somebody else, or when he still could
        delivery.next_attempt_at, delivery.gave_up_at = None, at
        return False
    return True


def _may_receive_delivery(keeper: Actor | None, delivery: WebhookDelivery) -> bool:
    return keeper is not None and may_receive(keeper, delivery.endpoint, Event(delivery.event))


def _record_outcome(
    delivery: WebhookDelivery, endpoint: WebhookEndpoint, outcome: Outcome, at: datetime, *, there: bool
) -> None:
    """What became of the message; and what that says of the endpoint, if it is still `there`, at that address."""
    delivery.claimed_at, delivery.next_attempt_at, delivery.answered_at = None, None, at
    delivery.answer_status, delivery.trouble = outcome.status, outcome.trouble
    delivery.answer_body, delivery.answer_milliseconds = _printable(outcome.body), outcome.milliseconds
    if outcome.good:
        delivery.delivered_at, delivery.gave_up_at = at, None
    elif delivery.gave_up_at is not None:  # on its way: it is not tried again, nor held against who keeps it now
        return
    elif delivery.event == TEST or (there and outcome.status == GONE) or delivery.attempts > len(SCHEDULE):
        delivery.gave_up_at = at
    else:
        seconds = SCHEDULE[delivery.attempts - 1] * _random.uniform(1 - JITTER, 1 + JITTER)
        delivery.next_attempt_at = at + timedelta(seconds=seconds)
        send_soon(delivery.uuid, seconds)
    session.flush()
    if there and delivery.event != TEST:
        _count_failures(endpoint, delivery, outcome, at)


def _count_failures(endpoint: WebhookEndpoint, delivery: WebhookDelivery, outcome: Outcome, at: datetime) -> None:
    """Keep count of the endpoint's failures in a row, and pause it when they do not end."""
    if outcome.good:
        if endpoint.failing_since is not None:
            endpoint.failures, endpoint.given_up, endpoint.failing_since = 0, 0, None
        return
    endpoint.failures += 1
    endpoint.given_up += delivery.gave_up_at is not None
    endpoint.failing_since = endpoint.failing_since or at
    if outcome.status == GONE:
        pause(endpoint, why=PauseReason.GONE, by=None)
    elif endpoint.given_up >= MOST_GIVEN_UP or at - endpoint.failing_since >= LONGEST_FAILING:
        pause(endpoint, why=PauseReason.FAILING, by=None)


def _printable(body: bytes) -> str:
    text = body.decode(errors="replace")
    return "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)[:SHOWN_OF_ANSWER]
