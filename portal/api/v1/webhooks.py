"""The API's routes for webhooks and their deliveries."""

from dataclasses import replace
from typing import Annotated, Any

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import Listing, listing_of
from portal.api.v1.core.request_body import AnId, RequestBody
from portal.customers.models import Customer
from portal.db import session
from portal.edge import actor
from portal.edge.guard import bearer_only
from portal.errors import Invalid, Message, NotAllowed
from portal.identifiers import matches_identifier
from portal.people.actor import Actor
from portal.permissions.permission import Permission
from portal.permissions.rules import holds, manages_customer
from portal.permissions.visibility import find_room
from portal.providers.fetch import LONGEST_ADDRESS
from portal.resources.declaring import fields_of
from portal.rooms.models import Room
from portal.scopes import Scope
from portal.webhooks import operations
from portal.webhooks.authorization import acting_at, manages_all
from portal.webhooks.deliveries import send_again
from portal.webhooks.events import Event
from portal.webhooks.models import DESCRIPTION_LENGTH, WebhookDelivery, WebhookEndpoint
from portal.webhooks.queries import WITH_OWNERS, deliveries_of, find_delivery, find_endpoint, managed_endpoints
from portal.webhooks.resources import WebhookDeliverySchema, WebhookSchema, serialize_delivery, serialize_webhook

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")

TAG = "Webhooks"
PERMISSION = "room:edit, or owner of the customer; without both, staff:customers:update"
WITH_SECRET = Listing(columns={}, tie=WebhookEndpoint.uuid, fields=frozenset(fields_of(WebhookSchema)))
"""For answers that contain the secret. Who selects fields by `filter` has to name `secret` to get it."""
LISTING = replace(listing_of(WebhookSchema, WebhookEndpoint), fields=WITH_SECRET.fields - {"secret"})
DELIVERIES = listing_of(WebhookDeliverySchema, WebhookDelivery, sorted_by="desc")


class WebhookChange(RequestBody):
    """The fields of a webhook that can be changed."""

    resource = WebhookSchema

    url: Annotated[str, Field(max_length=LONGEST_ADDRESS)] = ""
    events: Annotated[list[Event], Field(max_length=50, default_factory=list)]
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH)] = ""
    paused: bool = False


class NewWebhook(RequestBody):
    """A webhook of one room, of all rooms of a customer, or, of staff and with neither named, of the portal itself.

    The last is told of customers, accounts and subscriptions, and of nothing that happens in rooms.
    """

    resource = WebhookSchema

    url: Annotated[str, Field(max_length=LONGEST_ADDRESS)]
    events: Annotated[list[Event], Field(min_length=1, max_length=50)]
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH)] = ""
    room_id: AnId | None = None
    customer_id: AnId | None = None


@bp.get("")
@endpoint(
    TAG,
    scope=Scope.ROOMS_READ,
    returns=WebhookSchema,
    many=True,
    listing=LISTING,
    permission=PERMISSION,
)
@bearer_only
def index() -> Response:
    """List the webhooks that the caller may manage: of rooms that he may edit, and of customers that he owns.

    Staff who may change customers find those of the portal itself, too.
    """
    asked = query_params.list_query(LISTING)
    rows, page = pagination.rows_of(asked, managed_endpoints(actor.someone()), *WITH_OWNERS)
    return responses.listing([serialize_webhook(row[0]) for row in rows], asked.selection, page)


@bp.post("")
@endpoint(
    TAG,
    scope=Scope.ROOMS_WRITE,
    returns=WebhookSchema,
    status=201,
    listing=WITH_SECRET,
    refusals=(403, 404, 409),
    permission=PERMISSION,
)
@bearer_only
@takes(
    NewWebhook,
    of_a_room={"room_id": "u6Yh3DpQ2x", "url": "https://example.org/hook", "events": ["participant.joined"]},
    of_all_rooms={"customer_id": "c3Yh3DpQ2x", "url": "https://example.org/hook", "events": ["room.created"]},
    of_the_portal={"url": "https://example.org/hook", "events": ["subscription.ending", "subscription.ended"]},
)
def create(body: NewWebhook) -> Response:
    """Create a webhook, for a room, all rooms of a customer, or the portal. Its signing secret is in this answer."""
    selection = query_params.field_selection(WITH_SECRET)
    given = body.given()
    customer, room = _customer_and_room(given.pop("room_id", None), given.pop("customer_id", None))
    by = acting_at(actor.someone(), customer, room)
    made = operations.create_endpoint(customer=customer, room=room, by=by, **given)
    at = f"/api/v1/webhooks/{made.id}"
    return responses.created(serialize_webhook(made, secret=True), selection, at=at, tag=responses.etag_of(made))


@bp.get("/<anyid:webhook_id>")
@endpoint(TAG, scope=Scope.ROOMS_READ, returns=WebhookSchema, listing=LISTING, refusals=(403,), permission=PERMISSION)
@bearer_only
def show_one(webhook_id: str) -> Response:
    """Read a webhook."""
    selection, found = query_params.field_selection(LISTING), find_endpoint(actor.someone(), webhook_id)
    return _one(selection, found)


@bp.patch("/<anyid:webhook_id>")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=WebhookSchema, listing=LISTING, refusals=(403,), permission=PERMISSION)
@bearer_only
@takes(WebhookChange, address={"url": "https://example.org/new-hook"}, pause={"paused": True})
def change(webhook_id: str, body: WebhookChange) -> Response:
    """Change a webhook, pause it or resume it. While it is paused, nothing is written down for it.

    Who changes it is its owner (`owner_id`) from then on, and must be allowed to see every event that it sends. Once an
    owner has lost such a right nothing is sent, until somebody who has it changes the webhook. To pause or to resume it
    is no change.
    """
    selection, (found, by) = query_params.field_selection(LISTING), _managed(webhook_id)
    responses.check_if_match(found)
    given = body.given()
    paused = given.pop("paused", None)
    if given:
        operations.change_endpoint(found, by=by, **given)
    if paused is not None:
        (operations.pause_endpoint if paused else operations.resume_endpoint)(found, by=by)
    return _one(selection, found)


@bp.delete("/<anyid:webhook_id>")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, status=204, refusals=(403, 409), permission=PERMISSION)
@bearer_only
@takes(None)
def delete(webhook_id: str) -> Response:
    """Delete a webhook, with its deliveries. While a message is being sent to it, that is refused: pause it first."""
    found, by = _managed(webhook_id)
    responses.check_if_match(found)
    operations.delete_endpoint(found, by=by)
    return responses.no_content()


@bp.post("/<anyid:webhook_id>/rotate-secret")
@endpoint(
    TAG,
    scope=Scope.ROOMS_WRITE,
    returns=WebhookSchema,
    listing=WITH_SECRET,
    refusals=(403,),
    permission=PERMISSION,
)
@bearer_only
@takes(None)
def rotate_secret(webhook_id: str) -> Response:
    """Make a new signing secret, which is in this answer. For 24 hours messages are signed with the old one too."""
    selection, (found, by) = query_params.field_selection(WITH_SECRET), _managed(webhook_id)
    operations.rotate_secret(found, by=by)
    return responses.single(serialize_webhook(found, secret=True), selection)


@bp.post("/<anyid:webhook_id>/test")
@endpoint(
    TAG,
    scope=Scope.ROOMS_WRITE,
    returns=WebhookDeliverySchema,
    status=201,
    listing=DELIVERIES,
    refusals=(403,),
    permission=PERMISSION,
)
@bearer_only
@takes(None)
def test(webhook_id: str) -> Response:
    """Send a message of type `webhook.test`, once, also while the webhook is paused."""
    selection, (found, by) = query_params.field_selection(DELIVERIES), _managed(webhook_id)
    made = operations.test_endpoint(found, by=by)
    at = f"/api/v1/webhooks/{found.id}/deliveries/{made.id}"
    return responses.created(serialize_delivery(made, found), selection, at=at, tag=made.id)


@bp.get("/<anyid:webhook_id>/deliveries")
@endpoint(
    TAG,
    scope=Scope.ROOMS_READ,
    returns=WebhookDeliverySchema,
    many=True,
    listing=DELIVERIES,
    refusals=(403,),
    permission=PERMISSION,
)
@bearer_only
def deliveries(webhook_id: str) -> Response:
    """List what was sent to a webhook in the last thirty days, newest first, with the last answer to each."""
    asked = query_params.list_query(DELIVERIES)
    found = find_endpoint(actor.someone(), webhook_id)
    rows, page = pagination.rows_of(asked, deliveries_of(found))
    return responses.listing([serialize_delivery(row[0], found) for row in rows], asked.selection, page)


@bp.get("/<anyid:webhook_id>/deliveries/<anyid:delivery_id>")
@endpoint(
    TAG,
    scope=Scope.ROOMS_READ,
    returns=WebhookDeliverySchema,
    listing=DELIVERIES,
    refusals=(403,),
    permission=PERMISSION,
)
@bearer_only
def show_delivery(webhook_id: str, delivery_id: str) -> Response:
    """Read a delivery."""
    selection, found = query_params.field_selection(DELIVERIES), find_endpoint(actor.someone(), webhook_id)
    sent = find_delivery(found, delivery_id)
    return responses.single(serialize_delivery(sent, found), selection, tag=sent.id)


@bp.post("/<anyid:webhook_id>/deliveries/<anyid:delivery_id>/retry")
@endpoint(
    TAG,
    scope=Scope.ROOMS_WRITE,
    returns=WebhookDeliverySchema,
    listing=DELIVERIES,
    refusals=(403, 409),
    permission=PERMISSION,
)
@bearer_only
@takes(None)
def retry(webhook_id: str, delivery_id: str) -> Response:
    """Send a message once more, with the same id, from the beginning of the schedule."""
    selection, (found, by) = query_params.field_selection(DELIVERIES), _managed(webhook_id)
    sent = find_delivery(found, delivery_id)
    send_again(sent, by=by)
    return responses.single(serialize_delivery(sent, found), selection)


def _one(selection: query_params.FieldSelection, found: WebhookEndpoint) -> Response:
    return responses.single(serialize_webhook(found), selection, tag=responses.etag_of(found))


def _managed(webhook_id: str) -> tuple[WebhookEndpoint, Actor]:
    """The webhook that the caller may manage, and the caller as he does so."""
    found = find_endpoint(actor.someone(), webhook_id)
    return found, acting_at(actor.someone(), found.customer, found.room)


def _customer_and_room(room_id: Any, customer_id: Any) -> tuple[Customer | None, Room | None]:
    """The customer and the room named in the body; neither means the portal itself.

    Raises `Invalid`, or `NotAllowed` if the caller may not edit the room.
    """
    by = actor.someone()
    if room_id is None and customer_id is None:
        if manages_all(by, None):
            return None, None
        raise Invalid(room_id=Message("Name the room, or the customer all of whose rooms are meant."))
    if room_id is not None:
        room = find_room(by, room_id)
        if room is None:
            raise Invalid(room_id=Message("There is no such room."))
        if customer_id is not None and not room.customer.has_identifier(customer_id):
            raise Invalid(customer_id=Message("The room belongs to another customer."))
        if not holds(by, Permission.ROOM_EDIT, room):
            raise NotAllowed
        return room.customer, room
    customer = session.scalars(sa.select(Customer).where(matches_identifier(Customer, customer_id))).one_or_none()
    if customer is None or not manages_customer(by, customer):
        raise Invalid(customer_id=Message("There is no such customer."))
    return customer, None
