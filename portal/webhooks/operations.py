"""Making endpoints, changing them, and ending them."""

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
from portal.webhooks.serializers import endpoint as shown
from portal.webhooks.signing import new_secret

OVERLAP = timedelta(hours=24)
MOST = 50  # of one customer


def create_endpoint(
    *,
    customer: Customer,
    room: Room | None = None,
    url: str,
    events: Collection[Event],
    by: Actor,
    description: str = "",
) -> WebhookEndpoint:
    """An endpoint for one room of the customer, or for all of them. Whether `by` may manage it, a door has asked.

    Raises `Invalid` on `url`, `events` or `description`, `NotAllowed` for events that `by` could not see
    himself, or `Conflict` when the customer has too many.
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
    _aim(endpoint, by=by, url=url, events=events)
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
    """Change what is given. What waits goes to the new address, if somebody kept the endpoint until now.

    Whoever turns it to another address, or asks for what its keeper may not hear, is its keeper from then on; or who
    gives other events to what nobody keeps. Raises as `create_endpoint` does, and `NotAllowed` if he may not see all
    that it tells, and where it was kept, told and has yet to tell.
    """
    lock(endpoint)
    if url is not None or events is not None:
        _redirect(endpoint, by=by, url=url, events=events)
    if description is not None:
        _describe(endpoint, description)
    session.flush()
    record_event("webhook.changed", endpoint, by=by, room=endpoint.room_uuid)


def rotate_secret(endpoint: WebhookEndpoint, *, by: Actor) -> None:
    """A new secret; the one so far signs beside it for a day, and one that was older still no longer."""
    lock(endpoint)
    endpoint.old_secret_sealed, endpoint.old_secret_until = endpoint.secret_sealed, now() + OVERLAP
    endpoint.secret_sealed = vault.seal(new_secret(), purpose=SECRET)
    session.flush()
    record_event("webhook.rotated", endpoint, by=by, room=endpoint.room_uuid)


def pause_endpoint(endpoint: WebhookEndpoint, *, by: Actor) -> None:
    """Tell it nothing until it is resumed; what happens meanwhile it will never be told."""
    lock(endpoint)
    pause(endpoint, why=PauseReason.ASKED, by=by)


def resume_endpoint(endpoint: WebhookEndpoint, *, by: Actor) -> None:
    """End a pause, with a clean slate. What waited is sent now, if the endpoint still has a keeper.

    If not, whoever resumes it is its keeper from then on. Raises `NotAllowed` if he may not see all that it tells.
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
    """Delete an endpoint, with what was sent to it and what waits.

    Raises `NotFound`, or `Conflict` while a message is on its way to it: its worker is busy until that has ended, and
    its place with it. Whoever takes a message locks the endpoint as well, so either this or that comes first.
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
    """Send it a message that tells of nothing: once, also while it is paused, and without counting a failure."""
    lock(endpoint)
    delivery = add_deliveries(TEST, encoded(TEST, shown(endpoint), now()), endpoint)[0]
    session.flush()
    record_event("webhook.tested", endpoint, by=by, room=endpoint.room_uuid)
    return delivery


def _redirect(endpoint: WebhookEndpoint, *, by: Actor, url: str | None, events: Collection[Event] | None) -> None:
    """Aim it elsewhere, and make `by` the keeper where that asks for it. What waits goes on if somebody kept it."""
    keeper, url_before, told = find_valid_owner(endpoint), endpoint.url, set(endpoint.events)
    _aim(endpoint, by=by, url=url, events=events)
    if endpoint.url == url_before and told == set(endpoint.events):
        return
    if keeper is None:
        _change_owner(endpoint, by=by)
        cancel_waiting(endpoint)
    elif endpoint.url != url_before or not may_receive_all(keeper, endpoint):
        _change_owner(endpoint, by=by, told=told | _waiting(endpoint))


def _change_owner(endpoint: WebhookEndpoint, *, by: Actor, told: Collection[str] = ()) -> None:
    """Make `by` the keeper, who has to be allowed to see all that it tells, and what it `told` besides."""
    require_receivable(by, endpoint, [event for event in Event if event in {*endpoint.events, *told}], taking_over=True)
    if endpoint.created_by != by.user:
        endpoint.created_by = by.user
        record_event("webhook.taken_over", endpoint, by=by, room=endpoint.room_uuid)


def _aim(endpoint: WebhookEndpoint, *, by: Actor, url: str | None, events: Collection[Event] | None) -> None:
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
    """The kinds of what waits to be sent to it."""
    waiting = deliveries_of(endpoint).where(WebhookDelivery.next_attempt_at.is_not(None))
    return set(session.scalars(waiting.with_only_columns(WebhookDelivery.event).distinct()))
