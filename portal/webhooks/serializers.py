"""Webhook endpoints and deliveries as JSON for programs."""

from typing import Any

from portal.errors import Message
from portal.identifiers import IdentifierMixin
from portal.moments import iso_datetime
from portal.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint

WITHHELD = Message("It is not sent: the owner of the webhook may not see what this message tells.")


def endpoint(endpoint: WebhookEndpoint, *, secret: bool = False) -> dict[str, Any]:
    """An endpoint. `secret` includes the signing secret, for the answer that has just created or rotated it."""
    return {
        **_identifiers("Webhook", endpoint),
        "customer_id": endpoint.customer.id,
        "room_id": endpoint.room.id if endpoint.room else None,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "description": endpoint.description,
        **({"secret": endpoint.secret} if secret else {}),
        "old_secret_until": iso_datetime(endpoint.old_secret_until),
        "status": endpoint.status.value,
        "paused_at": iso_datetime(endpoint.paused_at),
        "paused_why": endpoint.paused_why.value if endpoint.paused_why else None,
        "failures": endpoint.failures,
        "failing_since": iso_datetime(endpoint.failing_since),
        "owner_id": endpoint.owner.id if endpoint.owner else None,
        "created_at": iso_datetime(endpoint.created_at),
        "updated_at": iso_datetime(endpoint.updated_at),
    }


def delivery(delivery: WebhookDelivery, endpoint: WebhookEndpoint) -> dict[str, Any]:
    """A delivery to an endpoint, with the outcome of its last attempt."""
    return {
        **_identifiers("WebhookDelivery", delivery),
        "webhook_id": endpoint.id,
        "event": delivery.event,
        "message_id": delivery.message_id,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "next_attempt_at": iso_datetime(delivery.next_attempt_at),
        "ended_at": iso_datetime(delivery.ended_at),
        "answered_at": iso_datetime(delivery.answered_at),
        "answer_status": delivery.answer_status,
        "answer_body": delivery.answer_body,
        "answer_milliseconds": delivery.answer_milliseconds,
        "trouble": str(trouble) if (trouble := trouble_of(delivery)) is not None else None,
        "created_at": iso_datetime(delivery.created_at),
        "updated_at": iso_datetime(max(filter(None, (delivery.created_at, delivery.answered_at, delivery.ended_at)))),
    }


def trouble_of(delivery: WebhookDelivery) -> Message | None:
    """Why a delivery is not sent any more, or else why its last attempt had no answer; None if neither is so."""
    if delivery.state is DeliveryState.DROPPED:
        return WITHHELD
    return delivery.trouble.words if delivery.trouble else None


def _identifiers(kind: str, thing: IdentifierMixin) -> dict[str, Any]:
    return {"object": kind, "id": thing.id, "uuid": str(thing.uuid), "ulid": thing.ulid}
