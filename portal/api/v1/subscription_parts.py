"""The API's routes for what belongs to a subscription: its features, its providers, and what is used of it."""

from functools import partial
from typing import Annotated, Any

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1.core import query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import Listing
from portal.api.v1.core.request_body import AnId, RequestBody
from portal.api.v1.term_bodies import FeatureValue, Metadata
from portal.db import session
from portal.edge import actor
from portal.edge.place_guard import sees_usage_of_subscription
from portal.edge.staff_guard import staff
from portal.errors import Conflict, Invalid, Message, NotFound
from portal.identifiers import matches_identifier
from portal.people.staff import StaffPermission
from portal.permissions.visibility import visible_subscription
from portal.resources.declaring import fields_of
from portal.resources.subscription_parts import (
    SubscriptionFeatureSchema,
    SubscriptionProviderSchema,
    UsageSchema,
    serialize_subscription_feature,
    serialize_subscription_provider,
    serialize_usage,
)
from portal.scopes import Scope
from portal.status.subscription_usage import usage as usage_of
from portal.subscriptions import granting, switching
from portal.subscriptions.models import Subscription, SubscriptionFeature, SubscriptionProvider
from portal.subscriptions.package_features import CODE_SHOWN
from portal.subscriptions.queries import subscription_with_id

bp = Blueprint("subscription_parts", __name__, url_prefix="/subscriptions/<anyid:subscription_id>")

TAG = "Parts of subscriptions"
FEATURES = Listing(columns={}, tie=None, fields=frozenset(fields_of(SubscriptionFeatureSchema)))
PROVIDERS = Listing(columns={}, tie=None, fields=frozenset(fields_of(SubscriptionProviderSchema)))
USAGE = Listing(columns={}, tie=None, fields=frozenset(fields_of(UsageSchema)))
READS = staff(StaffPermission.SUBSCRIPTIONS_READ, sees=visible_subscription, subscription=subscription_with_id)
CHANGES = staff(StaffPermission.SUBSCRIPTIONS_UPDATE, sees=visible_subscription, subscription=subscription_with_id)
READING = partial(
    endpoint, TAG, scope=Scope.CUSTOMERS_READ, permission=StaffPermission.SUBSCRIPTIONS_READ, refusals=(403,)
)
WRITING = partial(
    endpoint, TAG, scope=Scope.CUSTOMERS_WRITE, permission=StaffPermission.SUBSCRIPTIONS_UPDATE, refusals=(403, 409)
)


class NewSubscriptionFeature(RequestBody):
    """A feature to be granted. true is an unlimited number."""

    resource = SubscriptionFeatureSchema

    service_feature_code: Annotated[str, Field(max_length=CODE_SHOWN)]
    value: FeatureValue


class SubscriptionFeatureChange(RequestBody):
    """Another value of a feature. true is an unlimited number."""

    resource = SubscriptionFeatureSchema

    value: FeatureValue


class FeatureSync(RequestBody):
    """Whether the subscription is to grant what its package grants now."""

    sync: bool


class NewSubscriptionProvider(RequestBody):
    """A provider of the package that the subscription may use."""

    resource = SubscriptionProviderSchema

    package_provider_id: AnId
    active: bool = True
    default: bool = False
    metadata: Metadata = Field(default_factory=dict)


class SubscriptionProviderChange(RequestBody):
    """What can be changed of a provider of a subscription. A new default takes that from the one before."""

    resource = SubscriptionProviderSchema

    active: bool = True
    default: bool = True
    metadata: Metadata = Field(default_factory=dict)


@bp.get("/usage")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=UsageSchema, many=True, listing=USAGE, refusals=(403,))
@sees_usage_of_subscription
def usage(subscription: Subscription) -> Response:
    """Tell what is used of each limit that is counted, and by whom: rooms by account, people now by room.

    For the customer's owner, its members with `usage:view`, and staff.
    """
    return _list([serialize_usage(one) for one in usage_of(subscription)], USAGE)


@bp.get("/features")
@READING(returns=SubscriptionFeatureSchema, many=True, listing=FEATURES)
@READS
def features(subscription: Subscription) -> Response:
    """List the features of a subscription."""
    return _list([serialize_subscription_feature(one) for one in subscription.features], FEATURES)


@bp.post("/features")
@WRITING(returns=SubscriptionFeatureSchema, status=201, listing=FEATURES)
@CHANGES
@takes(NewSubscriptionFeature, example={"service_feature_code": "max_participants", "value": 50})
def add_feature(subscription: Subscription, body: NewSubscriptionFeature) -> Response:
    """Grant a feature that is not granted yet. Nobody who is inside is sent out; the next entry is judged by it."""
    selection = query_params.field_selection(FEATURES)
    granting.lock_with_features(subscription)  # of two who add it at once the second is refused
    if body.service_feature_code in subscription.values:
        raise Conflict(Message("This subscription has this feature already. Change its value instead."))
    _set(subscription, body.service_feature_code, body.value, unknown="service_feature_code")
    at = f"/api/v1/subscriptions/{subscription.id}/features/{body.service_feature_code}"
    representation = serialize_subscription_feature(_feature(subscription, body.service_feature_code))
    return responses.created(representation, selection, at=at, tag=responses.etag_of(subscription))


@bp.get("/features/<feature:code>")
@READING(returns=SubscriptionFeatureSchema, listing=FEATURES)
@READS
def feature(subscription: Subscription, code: str) -> Response:
    """Read a feature of a subscription."""
    return _feature_answer(subscription, code)


@bp.patch("/features/<feature:code>")
@WRITING(returns=SubscriptionFeatureSchema, listing=FEATURES)
@CHANGES
@takes(SubscriptionFeatureChange, example={"value": 50})
def change_feature(subscription: Subscription, code: str, body: SubscriptionFeatureChange) -> Response:
    """Grant another value of a feature."""
    responses.check_if_match(subscription)
    granting.lock_with_features(subscription)  # what somebody takes away at this moment is not granted again
    _feature(subscription, code)
    _set(subscription, code, body.value, unknown="value")
    return _feature_answer(subscription, code)


@bp.delete("/features/<feature:code>")
@WRITING(status=204)
@CHANGES
@takes(None)
def remove_feature(subscription: Subscription, code: str) -> Response:
    """Grant nothing of a feature any more."""
    responses.check_if_match(subscription)
    granting.remove_feature(subscription, code=code, by=actor.someone())
    return responses.no_content()


@bp.post("/features/sync")
@WRITING(returns=SubscriptionFeatureSchema, many=True, listing=FEATURES)
@CHANGES
@takes(FeatureSync, example={"sync": True})
def sync(subscription: Subscription, body: FeatureSync) -> Response:
    """Grant exactly what the package grants now; what was set for this subscription alone goes."""
    if body.sync:
        granting.sync_features(subscription, by=actor.someone())
    return _list([serialize_subscription_feature(one) for one in subscription.features], FEATURES)


@bp.get("/providers")
@READING(returns=SubscriptionProviderSchema, many=True, listing=PROVIDERS)
@READS
def providers(subscription: Subscription) -> Response:
    """List the providers that a subscription may use."""
    found = switching.providers_of(subscription)
    return _list([serialize_subscription_provider(one, subscription) for one in found], PROVIDERS)


@bp.post("/providers")
@WRITING(returns=SubscriptionProviderSchema, status=201, listing=PROVIDERS)
@CHANGES
@takes(NewSubscriptionProvider, example={"package_provider_id": "p6Yh3DpQ2x", "default": True})
def add_provider(subscription: Subscription, body: NewSubscriptionProvider) -> Response:
    """Let a subscription use a provider of its package. A default takes effect with the next run of each room."""
    selection = query_params.field_selection(PROVIDERS)
    given = body.given()
    chosen = switching.package_provider_of(subscription, given.pop("package_provider_id"))
    one = switching.add_provider(subscription, package_provider=chosen, by=actor.someone(), **given)
    at = f"/api/v1/subscriptions/{subscription.id}/providers/{one.id}"
    representation = serialize_subscription_provider(one, subscription)
    return responses.created(representation, selection, at=at, tag=responses.etag_of(one))


@bp.get("/providers/<anyid:provider_id>")
@READING(returns=SubscriptionProviderSchema, listing=PROVIDERS)
@READS
def provider(subscription: Subscription, provider_id: str) -> Response:
    """Read a provider of a subscription."""
    return _provider_answer(subscription, _provider(subscription, provider_id))


@bp.patch("/providers/<anyid:provider_id>")
@WRITING(returns=SubscriptionProviderSchema, listing=PROVIDERS)
@CHANGES
@takes(SubscriptionProviderChange, default={"default": True}, switched_off={"active": False})
def change_provider(subscription: Subscription, provider_id: str, body: SubscriptionProviderChange) -> Response:
    """Change a provider of a subscription, or make it the default. The default cannot be switched off."""
    one = _provider(subscription, provider_id)
    responses.check_if_match(one)
    given = body.given()
    default = given.pop("default", None)
    if given:
        switching.change_provider(subscription, one, by=actor.someone(), **given)
    if default:
        switching.make_default(subscription, one, by=actor.someone())
    elif default is False and switching.is_default(subscription, one):
        raise Invalid(default=Message("Make another provider the default instead."))
    return _provider_answer(subscription, one)


@bp.delete("/providers/<anyid:provider_id>")
@WRITING(status=204)
@CHANGES
@takes(None)
def remove_provider(subscription: Subscription, provider_id: str) -> Response:
    """Take a provider from a subscription. The default stays."""
    one = _provider(subscription, provider_id)
    responses.check_if_match(one)
    switching.remove_provider(subscription, one, by=actor.someone())
    return responses.no_content()


def _set(subscription: Subscription, code: str, value: object, *, unknown: str) -> None:
    try:
        granting.set_feature(subscription, code=code, value=value, by=actor.someone())
    except Invalid as invalid:
        names = {code: "value", "features": unknown}
        raise Invalid(**{names.get(name, name): message for name, message in invalid.fields.items()}) from None


def _feature(subscription: Subscription, code: str) -> SubscriptionFeature:
    found = next((one for one in subscription.features if one.code == code), None)
    if found is None:
        raise NotFound
    return found


def _feature_answer(subscription: Subscription, code: str) -> Response:
    selection = query_params.field_selection(FEATURES)
    representation = serialize_subscription_feature(_feature(subscription, code))
    return responses.single(representation, selection, tag=responses.etag_of(subscription))


def _provider(subscription: Subscription, provider_id: str) -> SubscriptionProvider:
    query = sa.select(SubscriptionProvider).where(
        SubscriptionProvider.subscription_uuid == subscription.uuid,
        matches_identifier(SubscriptionProvider, provider_id),
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def _provider_answer(subscription: Subscription, one: SubscriptionProvider) -> Response:
    selection = query_params.field_selection(PROVIDERS)
    representation = serialize_subscription_provider(one, subscription)
    return responses.single(representation, selection, tag=responses.etag_of(one))


def _list(data: list[dict[str, Any]], listing: Listing) -> Response:
    selection = query_params.field_selection(listing)
    return responses.listing(data, selection, responses.one_page(len(data)))
