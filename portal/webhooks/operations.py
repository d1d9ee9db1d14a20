"""Creating, changing, pausing, testing and deleting webhook endpoints."""

from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa

from portal import vault
from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.models import Customer
from portal.db import lock, session
from portal.errors import Conflict, Invalid, Message
from portal.people.actor import Actor
from portal.people.names import clean_name
from portal.providers.fetch import problem_with
from portal.rooms.models import Room
from portal.webhooks.authorization import find_valid_owner, may_receive_all, require_receivable
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
from portal.webhooks.pausing import cancel_waiting, count_listening, lock_customer, pause
from portal.webhooks.payloads import encoded
from portal.webhooks.queries import deliveries_of
from portal.webhooks.serializers import endpoint as serialize_endpoint
from portal.webhooks.signing import new_secret

OVERLAP = timedelta(hours=24)
MOST = 50  # endpoints of one customer


def create_endpoint(
    *,
    customer: Customer,
    room: Room | None = None,
    url: str,
    events: Collection[Event],
    by: Actor,
    description: str = "",
) -> WebhookEndpoint:
    """Create an endpoint for one room of the customer, or for all of its rooms. `by` becomes its owner.

    The caller has checked that `by` may manage webhooks there. Raises `Invalid` on `url`, `events` or `description`,
    `NotAllowed` for an event that `by` may not see himself, and `Conflict` when the customer has too many endpoints.
    """
    lock_customer(customer.uuid)
    count = sa.select(sa.func.count()).where(WebhookEndpoint.customer_uuid == customer.uuid)
    if (session.scalar(count) or 0) >= MOST:
        raise Conflict(Message("There are %(most)d webhooks already. Delete one first.", most=MOST))
    endpoint = WebhookEndpoint(
        customer=customer,
        room=room,
        created_by=by.user,
        secret_sealed=vault.seal(new_secret(), purpose=SECRET),
        status=EndpointStatus.ACTIVE,
        served_at=now(),
        events=[],
    )
    _set_target(endpoint, by=by, url=url, events=events)
    _describe(endpoint, description)
    session.add(endpoint)
    session.flush()
    count_listening(customer.uuid)
    record_event("webhook.created", endpoint, by=by, room=endpoint.room_uuid)
    return endpoint


def change_endpoint(
    endpoint: WebhookEndpoint,
    *,
    by: Actor,
    url: str | None = None,
    events: Collection[Event] | None = None,
    description: str | None = None,
) -> None:
    """Change what is given. `by` becomes the owner if that gives him responsibility for what is sent.

    That is so if he changes the address, or adds an event that the present owner may not see; and if there is no
    valid owner any more, with any change of address or events. A new owner must be allowed to see all events of the
    endpoint, and if it had a valid owner until now, also its events before the change and those of its waiting
    deliveries, which then go to the new address. Without a valid owner until now, waiting deliveries are given up.

    Raises `Invalid` on `url`, `events` or `description`, and `NotAllowed` for an event that `by` may not see.
    """
    lock(endpoint)
    if url is not None or events is not None:
        _redirect(endpoint, by=by, url=url, events=events)
    if description is not None:
        _describe(endpoint, description)
    session.flush()
    record_event("webhook.changed", endpoint, by=by, room=endpoint.room_uuid)


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
    """End a pause and forget all failures. Deliveries that waited are sent now.

    If the endpoint has no valid owner any more, `by` becomes its owner, and what waited is given up. Raises
    `NotAllowed` if he may not see all events of the endpoint.
    """
    lock(endpoint)
    if endpoint.active:
        return
    if find_valid_owner(endpoint) is None:
        _change_owner(endpoint, by=by)
        cancel_waiting(endpoint)
    endpoint.status, endpoint.paused_at, endpoint.paused_why = EndpointStatus.ACTIVE, None, None
    _forget_failures(endpoint)
    session.flush()
    count_listening(endpoint.customer_uuid)
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
    session.delete(endpoint)
    session.flush()
    count_listening(customer_uuid)
    record_event("webhook.deleted", endpoint, by=by, room=endpoint.room_uuid)


def test_endpoint(endpoint: WebhookEndpoint, *, by: Actor) -> WebhookDelivery:
    """Send a test delivery: once, also while the endpoint is paused, and without counting a failure."""
    lock(endpoint)
    delivery = add_deliveries(TEST, encoded(TEST, serialize_endpoint(endpoint), now()), endpoint)[0]
    session.flush()
    record_event("webhook.tested", endpoint, by=by, room=endpoint.room_uuid)
    return delivery


def _redirect(endpoint: WebhookEndpoint, *, by: Actor, url: str | None, events: Collection[Event] | None) -> None:
    """Change address and events, and the owner if `change_endpoint` says so. Without an owner, give up what waits."""
    owner, url_before, events_before = find_valid_owner(endpoint), endpoint.url, set(endpoint.events)
    _set_target(endpoint, by=by, url=url, events=events)
    if endpoint.url == url_before and events_before == set(endpoint.events):
        return
    if owner is None:
        _change_owner(endpoint, by=by)
        cancel_waiting(endpoint)
    elif endpoint.url != url_before or not may_receive_all(owner, endpoint):
        _change_owner(endpoint, by=by, also=events_before | _waiting(endpoint))


def _change_owner(endpoint: WebhookEndpoint, *, by: Actor, also: Collection[str] = ()) -> None:
    """Make `by` the owner. Raises `NotAllowed` if he may not see all events of the endpoint, and `also` these."""
    require_receivable(by, endpoint, [event for event in Event if event in {*endpoint.events, *also}], taking_over=True)
    if endpoint.created_by != by.user:
        endpoint.created_by = by.user
        record_event("webhook.taken_over", endpoint, by=by, room=endpoint.room_uuid)


def _set_target(endpoint: WebhookEndpoint, *, by: Actor, url: str | None, events: Collection[Event] | None) -> None:
    if events is not None:
        if not events:
            raise Invalid(events=Message("Choose at least one event."))
        require_receivable(by, endpoint, set(events) - set(endpoint.events))
        endpoint.events = [event.value for event in Event if event in events]
    if url is not None and url.strip() != endpoint.url:
        if (problem := problem_with(url.strip())) is not None:
            raise Invalid(url=problem)
        endpoint.url, endpoint.slow = url.strip(), True  # nothing is known of who answers there
        _forget_failures(endpoint)


def _forget_failures(endpoint: WebhookEndpoint) -> None:
    endpoint.failures, endpoint.given_up, endpoint.failing_since = 0, 0, None


def _describe(endpoint: WebhookEndpoint, description: str) -> None:
    endpoint.description = clean_name(description, field="description", longest=DESCRIPTION_LENGTH, required=False)


def _waiting(endpoint: WebhookEndpoint) -> set[str]:
    """The kinds of events of the deliveries that wait to be sent to it."""
    waiting = deliveries_of(endpoint).where(WebhookDelivery.next_attempt_at.is_not(None))
    return set(session.scalars(waiting.with_only_columns(WebhookDelivery.event).distinct()))
