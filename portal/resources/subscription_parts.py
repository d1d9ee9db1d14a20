"""What belongs to a subscription, as programs read it: the rows of its features, its providers, and its usage."""

from typing import Annotated, Any, Literal

from pydantic import Field

from portal.resources.declaring import Id, IdentifiedResource, Read, Resource, serializer
from portal.status.subscription_usage import Usage
from portal.subscriptions.feature_catalog import FEATURES, api_value
from portal.subscriptions.models import Subscription, SubscriptionFeature, SubscriptionProvider
from portal.subscriptions.switching import is_default


class SubscriptionFeatureSchema(Resource):
    """One feature of a subscription. An unlimited number is `true`."""

    object: Literal["SubscriptionFeature"]
    id: Annotated[str, Read("code")]
    service_feature_code: Annotated[str, Read("code")]
    value: Annotated[int | bool, Read(lambda row, _: api_value(FEATURES[row.code], row.value))]


class SubscriptionProviderSchema(IdentifiedResource):
    """A provider of its package that a subscription may use. Its rooms run on the default one."""

    object: Literal["SubscriptionProvider"]
    package_provider_id: Annotated[Id, Read("package_provider.id")]
    service_provider_id: Annotated[Id, Read("package_provider.provider.id")]
    active: bool
    default: Annotated[bool, Read(lambda row, subscription: is_default(subscription, row))]
    metadata: Annotated[dict[str, Any], Read("provider_metadata")]


class UsageSchema(Resource):
    """What is used of one limit. `hits`: whether it is reached, so that one more is refused."""

    object: Literal["Usage"]
    id: Annotated[str, Read("feature.code")]
    code: Annotated[str, Read("feature.code")]
    value: Annotated[int | bool, Read(lambda row, _: api_value(row.feature, row.value))]
    used: Annotated[float, Field(description="Of storage in gigabytes, to one digit.")]
    unit: Annotated[str | None, Read(lambda row, _: row.feature.unit or None)]
    hits: bool
    by: Annotated[
        list[dict[str, Any]],
        Read(lambda row, _: [{"object": b.object, "id": b.id, "name": b.name, "used": b.used} for b in row.by]),
    ]


_serialize_feature, _serialize_provider = serializer(SubscriptionFeatureSchema), serializer(SubscriptionProviderSchema)
_serialize_usage = serializer(UsageSchema)


def serialize_subscription_feature(feature: SubscriptionFeature) -> dict[str, Any]:
    """One feature of a subscription."""
    return _serialize_feature(feature)


def serialize_subscription_provider(one: SubscriptionProvider, subscription: Subscription) -> dict[str, Any]:
    """A provider that this subscription may use."""
    return _serialize_provider(one, subscription)


def serialize_usage(one: Usage) -> dict[str, Any]:
    """What is used of one limit."""
    return _serialize_usage(one)
