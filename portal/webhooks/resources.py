"""Webhook endpoints and their deliveries, as programs are shown them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.errors import Message
from portal.moments import iso_datetime
from portal.providers.fetch import Trouble
from portal.resources.columns import Column, worded
from portal.resources.declaring import OMITTED, Id, IdentifiedResource, Read, serializer
from portal.rooms.models import Room
from portal.webhooks.events import Event
from portal.webhooks.models import DeliveryState, EndpointStatus, PauseReason, WebhookDelivery, WebhookEndpoint

WITHHELD = Message("It is not sent: the owner of the webhook may not see what this message tells.")


class WebhookSchema(IdentifiedResource):
    """Who is told of what happens in a room, or in all rooms of the customer (`room_id` is null).

    One of the portal itself, which staff keep, has neither: it is told of customers, accounts and subscriptions.
    """

    object: Literal["Webhook"]
    customer_id: Annotated[Id | None, Read(lambda endpoint, _: endpoint.customer.id if endpoint.customer else None)]
    room_id: Annotated[
        Id | None, Column(Room.id), Read(lambda endpoint, _: endpoint.room.id if endpoint.room else None)
    ]
    url: Annotated[str, Column(WebhookEndpoint.url)]
    events: list[Event]
    description: Annotated[str, worded(WebhookEndpoint.description)]
    secret: Annotated[
        Annotated[str, Field(description="Only where it was just made or rotated.")] | None,
        Read(lambda endpoint, secret_shown: endpoint.secret if secret_shown else OMITTED),
    ] = None
    old_secret_until: Annotated[datetime | None, Field(description="Until then the secret before signs as well.")]
    status: Annotated[EndpointStatus, Column(WebhookEndpoint.status)]
    paused_at: datetime | None
    paused_why: PauseReason | None
    failures: Annotated[int, Field(description="Tries in a row that failed."), Column(WebhookEndpoint.failures)]
    failing_since: Annotated[datetime | None, Column(WebhookEndpoint.failing_since)]
    owner_id: Annotated[
        Id | None,
        Field(description="Who saved it last: nothing is sent that this person may no longer see."),
        Read(lambda endpoint, _: endpoint.owner.id if endpoint.owner else None),
    ]


class WebhookDeliverySchema(IdentifiedResource):
    """A message to a webhook, and what became of its last try."""

    object: Literal["WebhookDelivery"]
    updated_at: Annotated[datetime, Read(lambda delivery, _: _updated_at(delivery))]
    webhook_id: Annotated[Id, Read(lambda _, endpoint: endpoint.id)]
    event: Annotated[
        str,
        Field(description="One of `Event`, or `webhook.test`.", examples=["participant.joined"]),
        Column(WebhookDelivery.event),
    ]
    message_id: Annotated[
        str,
        Field(description="What the receiver sees as `webhook-id`; the same at every try."),
        Column(WebhookDelivery.message_id),
    ]
    state: Annotated[DeliveryState, Column(WebhookDelivery.state)]
    attempts: Annotated[int, Column(WebhookDelivery.attempts)]
    next_attempt_at: Annotated[datetime | None, Column(WebhookDelivery.next_attempt_at)]
    ended_at: Annotated[datetime | None, Column(WebhookDelivery.ended_at)]
    answered_at: datetime | None
    answer_status: Annotated[int | None, Column(WebhookDelivery.answer_status)]
    answer_body: Annotated[str, Field(description="Its first 500 characters.")]
    answer_milliseconds: int | None
    trouble: Annotated[
        str | None,
        Field(
            description="Why it is not sent any more, or why its last try had no answer.",
            examples=[str(WITHHELD), *(str(trouble.words) for trouble in Trouble)],
        ),
        Read(lambda delivery, _: str(trouble) if (trouble := trouble_of(delivery)) is not None else None),
    ]


_serialize_webhook, _serialize_delivery = serializer(WebhookSchema), serializer(WebhookDeliverySchema)


def serialize_webhook(endpoint: WebhookEndpoint, *, secret: bool = False) -> dict[str, Any]:
    """An endpoint. `secret` includes the signing secret, for the answer that has just created or rotated it."""
    return _serialize_webhook(endpoint, secret)


def serialize_delivery(delivery: WebhookDelivery, endpoint: WebhookEndpoint) -> dict[str, Any]:
    """A delivery to an endpoint, with the outcome of its last attempt."""
    return _serialize_delivery(delivery, endpoint)


def trouble_of(delivery: WebhookDelivery) -> Message | None:
    """Why a delivery is not sent any more, or else why its last attempt had no answer; None if neither is so."""
    if delivery.state is DeliveryState.DROPPED:
        return WITHHELD
    return delivery.trouble.words if delivery.trouble else None


def _updated_at(delivery: WebhookDelivery) -> str | None:
    return iso_datetime(max(filter(None, (delivery.created_at, delivery.answered_at, delivery.ended_at))))
