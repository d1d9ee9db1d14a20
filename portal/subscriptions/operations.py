"""Making service providers and subscriptions, and changing what a provider's row holds."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.errors import Invalid, Message
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.providers import registry
from portal.subscriptions.feature_catalog import FEATURES, Value, stored_value
from portal.subscriptions.models import ServiceProvider, ServiceType, Subscription, SubscriptionFeature
from portal.subscriptions.properties import merged_properties
from portal.subscriptions.services import adapter_of


def create_provider(
    *,
    provider_name: str,
    provider_type: str,
    properties: Mapping[str, Any] | None = None,
    by: Actor | None = None,
) -> ServiceProvider:
    """A service that subscriptions can use. `by` is None for the portal itself.

    Raises `Invalid`, for a property on `properties.<name>`.
    """
    if provider_type not in registry.known():
        raise Invalid(provider_type=Message("There is no such kind of provider."))
    provider = ServiceProvider(
        provider_name=clean_name(provider_name, field="provider_name", longest=NAME_LENGTH),
        provider_type=provider_type,
        properties=merged_properties({}, properties or {}, adapter=registry.adapter(provider_type)),
    )
    session.add(provider)
    session.flush()
    record_event("provider.created", provider, by=by, kind=provider_type)
    return provider


def change_provider_properties(
    provider: ServiceProvider, *, properties: Mapping[str, Any], by: Actor | None = None
) -> None:
    """Change the properties that are named; None removes one, and a secret that is left out stays.

    Raises `Invalid` on `properties.<name>`. The audit log holds the names of what was changed, and no value.
    """
    session.flush()  # of two who change it at once, the second merges into what the first made of it
    session.refresh(provider, ["properties"], with_for_update={"of": ServiceProvider})
    provider.properties = merged_properties(provider.properties, properties, adapter=adapter_of(provider))
    session.flush()
    record_event("provider.updated", provider, by=by, properties=", ".join(sorted(properties)))


def find_or_create_provider(provider_type: str, *, by: Actor | None = None) -> ServiceProvider:
    """The oldest active provider of this type, or a new one: for types that need no properties. Raises `Invalid`."""
    query = sa.select(ServiceProvider).where(ServiceProvider.provider_type == provider_type, ServiceProvider.active)
    found = session.scalars(query.order_by(ServiceProvider.uuid).limit(1)).first()
    return found or create_provider(provider_name="Built in", provider_type=provider_type, by=by)


def create_subscription(
    *,
    customer: Customer,
    name: str,
    service_type: ServiceType,
    provider: ServiceProvider,
    features: Mapping[str, Value],
    by: Actor | None = None,
) -> Subscription:
    """Create a subscription that starts now and has no end.

    `features` maps codes to values as the API writes them: for a number, true and None both mean unlimited.
    Raises `Invalid` on `name`, `service_type` or `features`.
    `by` is None for the portal itself.
    """
    if service_type not in adapter_of(provider).kinds:
        raise Invalid(service_type=Message("This service has no rooms of this type."))
    if unknown := sorted(set(features) - set(FEATURES)):
        raise Invalid(features=Message("There is no feature %(code)s.", code=unknown[0]))
    subscription = Subscription(
        customer=customer,
        name=clean_name(name, field="name", longest=NAME_LENGTH),
        service_type=service_type,
        provider=provider,
        starts_at=now(),
        features=[
            SubscriptionFeature(code=code, number=stored_value(FEATURES[code], value))
            if FEATURES[code].numeric
            else SubscriptionFeature(code=code, switch=stored_value(FEATURES[code], value))
            for code, value in features.items()
        ],
    )
    session.add(subscription)
    session.flush()
    record_event("subscription.created", subscription, by=by)
    return subscription
