"""Creating, changing, pausing, testing and deleting webhook endpoints."""

from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa

from portal import vault
from portal.audit.changes import differences
from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.creating import require_creating
from portal.customers.models import Customer
from portal.db import lock, session
from portal.errors import Conflict, Invalid, Message
from portal.people.actor import Actor
from portal.people.names import clean_name
from portal.people.operations import user_of
from portal.providers.fetch import problem_with
from portal.rooms.models import Room
from portal.webhooks.auditing import audited, record_changed, record_deleted
from portal.webhooks.authorization import NO_OWNER, find_valid_owner, require_receivable
from portal.webhooks.events import TEST, Event
from portal.webhooks.models import (
    DESCRIPTION_LENGTH,
    SECRET,
    EndpointStatus,
    PauseReason,
    WebhookDelivery,
    WebhookEndpoint,
)
from portal.webhooks.outbox import add_deliveries
from portal.webhooks.pausing import count_listening, lock_customer, pause
from portal.webhooks.payloads import encoded
from portal.webhooks.queries import deliveries_of
from portal.webhooks.resources import serialize_webhook
from portal.webhooks.signing import new_secret

OVERLAP = timedelta(hours=24)
MOST = 50  # endpoints of one customer


def create_endpoint(
    *,
    customer: Customer | None,
    room: Room | None = None,
    url: str,
    events: Collection[Event],
    by: Actor,
    description: str = "",
) -> WebhookEndpoint:
    """Create an endpoint for one room of the customer, or for all of its rooms. `by` becomes its owner.

    Without a customer it belongs to the portal itself. The caller has checked that `by` may manage webhooks there.
    Raises `Invalid` on `url`, `events` or `description`, `NotAllowed` for an event that `by` may not see himself, and
    `Conflict` when the customer or the portal has too many endpoints, or nothing new may be made for the customer.
    """
    customer_uuid = customer.uuid if customer is not None else None
    locked = lock_customer(customer_uuid)
    if locked is not None:
        require_creating(locked.status)
    count = sa.select(sa.func.count()).where(WebhookEndpoint.customer_uuid == customer_uuid)
    if (session.scalar(count) or 0) >= MOST:
        raise Conflict(Message("There are %(most)d webhooks already. Delete one first.", most=MOST))
    endpoint = WebhookEndpoint(
        customer=customer,
        room=room,
        secret_sealed=vault.seal(new_secret(), purpose=SECRET),
        status=EndpointStatus.ACTIVE,
        served_at=now(),
        events=[],
    )
    _save(endpoint, by=by, url=url, events=events)
    _describe(endpoint, description)
    session.add(endpoint)
    session.flush()
    count_listening(customer_uuid)
    created = differences({}, audited(endpoint))
    record_event("webhook.created", endpoint, by=by, room=endpoint.room_uuid, changes=created)
    return endpoint


def change_endpoint(
    endpoint: WebhookEndpoint,
    *,
    by: Actor,
    url: str | None = None,
    events: Collection[Event] | None = None,
    description: str | None = None,
) -> None:
    """Save the endpoint with what is given changed. `by` is its owner from now on, whoever was before.

    That ends a pause for want of an owner. Deliveries that wait go to the address that the endpoint has by then, except
    those that its owner may not see. Raises `Invalid` on `url`, `events` or `description`, and `NotAllowed` if `by` may
    not see one of the events that the endpoint has now.
    """
    lock(endpoint)
    before, url_before = audited(endpoint), endpoint.url
    _save(endpoint, by=by, url=url, events=events)
    if description is not None:
        _describe(endpoint, description)
    resumed = endpoint.paused_why is PauseReason.RIGHTS
    if resumed:
        _activate(endpoint)
    session.flush()
    record_changed(endpoint, before=before, url_before=url_before, by=by)
    if resumed:
        record_event("webhook.resumed", endpoint, by=by, room=endpoint.room_uuid)


def rotate_secret(endpoint: WebhookEndpoint, *, by: Actor) -> None:
    """Give the endpoint a new secret. Deliveries are signed with the previous one as well for a day."""
    lock(endpoint)
    endpoint.old_secret_sealed, endpoint.old_secret_until = endpoint.secret_sealed, now() + OVERLAP
    endpoint.secret_sealed = vault.seal(new_secret(), purpose=SECRET)
    session.flush()
    record_event("webhook.rotated", endpoint, by=by, room=endpoint.room_uuid)


def pause_endpoint(endpoint: WebhookEndpoint, *, by: Actor) -> None:
    """Send nothing to the endpoint until it is resumed. It will never be told of events that happen meanwhile."""
    lock(endpoint)
    pause(endpoint, why=PauseReason.ASKED, by=by)


def resume_endpoint(endpoint: WebhookEndpoint, *, by: Actor) -> None:
    """End a pause and forget all failures. Deliveries that waited are sent now. The owner stays.

    Raises `Conflict` if the owner has lost his rights: then it has to be saved again.
    """
    lock(endpoint)
    if endpoint.active:
        return
    if find_valid_owner(endpoint) is None:
        raise Conflict(NO_OWNER)
    _activate(endpoint)
    record_event("webhook.resumed", endpoint, by=by, room=endpoint.room_uuid)


def delete_endpoint(endpoint: WebhookEndpoint, *, by: Actor) -> None:
    """Delete an endpoint with all its deliveries.

    Raises `NotFound` if it is gone, and `Conflict` while a delivery is being sent to it, whose slot stays in use until
    that ends. Claiming a delivery locks the endpoint as well, so the two cannot happen at once.
    """
    lock(endpoint)
    if session.scalar(sa.select(deliveries_of(endpoint).where(WebhookDelivery.being_sent).exists())):
        raise Conflict(
            Message("A message is being sent to this webhook right now. Pause it, and delete it in a moment.")
            if endpoint.active
            else Message("A message is being sent to this webhook right now. Delete it in a moment.")
        )
    customer_uuid = endpoint.customer_uuid
    record_deleted(endpoint, by=by)
    session.delete(endpoint)
    session.flush()
    count_listening(customer_uuid)


def test_endpoint(endpoint: WebhookEndpoint, *, by: Actor) -> WebhookDelivery:
    """Send a test delivery: once, also while the endpoint is paused, and without counting a failure."""
    lock(endpoint)
    delivery = add_deliveries(TEST, encoded(TEST, serialize_webhook(endpoint), now()), endpoint)[0]
    session.flush()
    record_event("webhook.tested", endpoint, by=by, room=endpoint.room_uuid)
    return delivery


def _save(endpoint: WebhookEndpoint, *, by: Actor, url: str | None, events: Collection[Event] | None) -> None:
    if events is not None:
        if not events:
            raise Invalid(events=Message("Choose at least one event."))
        _require_fitting(events, endpoint)
        endpoint.events = [event.value for event in Event if event in events]
    if url is not None and url.strip() != endpoint.url:
        if (problem := problem_with(url.strip())) is not None:
            raise Invalid(url=problem)
        endpoint.url, endpoint.slow = url.strip(), True  # nothing is known of who answers there
        _forget_failures(endpoint)
    require_receivable(by, endpoint)
    endpoint.owner = user_of(by)


def _require_fitting(events: Collection[Event], endpoint: WebhookEndpoint) -> None:
    """Raise `Invalid` for an event that no such endpoint is told of, whoever keeps it."""
    of_the_portal = endpoint.customer is None
    misfit = next((event for event in Event if event in events and event.for_staff is not of_the_portal), None)
    if misfit is None:
        return
    if of_the_portal:
        raise Invalid(
            events=Message("“%(event)s” happens in a room: name the room, or its customer.", event=misfit.value)
        )
    raise Invalid(
        events=Message("“%(event)s” is told only to webhooks of the portal, which staff make.", event=misfit.value)
    )


def _activate(endpoint: WebhookEndpoint) -> None:
    endpoint.status, endpoint.paused_at, endpoint.paused_why = EndpointStatus.ACTIVE, None, None
    _forget_failures(endpoint)
    session.flush()
    count_listening(endpoint.customer_uuid)


def _forget_failures(endpoint: WebhookEndpoint) -> None:
    endpoint.failures, endpoint.given_up, endpoint.failing_since = 0, 0, None


def _describe(endpoint: WebhookEndpoint, description: str) -> None:
    endpoint.description = clean_name(description, field="description", longest=DESCRIPTION_LENGTH, required=False)
