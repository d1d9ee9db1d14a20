"""Making service providers and subscriptions, and changing what a provider's row holds."""

from collections.abc import Mapping
from typing import Any

from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.errors import Invalid, Message
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.providers import registry
from portal.subscriptions.models import TAG_LENGTH, Subscription, SubscriptionFeature, SubscriptionProvider, new_tag
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.packages import take_from_stock
from portal.subscriptions.properties import merged_properties
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.services import adapter_of
from portal.subscriptions.terms import TERMS, after, day_of, start_of

UTC_ZONE = "UTC"


def create_provider(
    *,
    provider_name: str,
    provider_type: str,
    service_type: ServiceType = ServiceType.MEET,
    properties: Mapping[str, Any] | None = None,
    by: Actor | None = None,
) -> ServiceProvider:
    """A service that subscriptions can use. `by` is None for the portal itself.

    Raises `Invalid`, for a property on `properties.<name>`.
    """
    if provider_type not in registry.known():
        raise Invalid(provider_type=Message("There is no such kind of provider."))
    if service_type not in registry.adapter(provider_type).kinds:
        raise Invalid(service_type=Message("This service has no rooms of this type."))
    provider = ServiceProvider(
        provider_name=clean_name(provider_name, field="provider_name", longest=NAME_LENGTH),
        provider_type=provider_type,
        service_type=service_type,
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


def create_subscription(
    *, customer: Customer, package: ServicePackage, name: str = "", by: Actor | None = None
) -> Subscription:
    """Sell the package to the customer: a copy of its features, terms and default provider, from today on.

    Without a `name` it is called after the package.
    Raises `Invalid` on `name`, or `Conflict` if the package cannot be sold. `by` is None for the portal itself.
    """
    default = take_from_stock(package)
    tag, zone = new_tag(), customer.timezone or UTC_ZONE
    called = name or f"{package.name[: NAME_LENGTH - TAG_LENGTH - 1]} {tag}"
    subscription = Subscription(
        tag=tag,
        customer=customer,
        package=package,
        name=clean_name(called, field="name", longest=NAME_LENGTH),
        service_type=package.service_type,
        provider=default.provider,
        starts_at=start_of(day_of(now(), zone), zone),
        **{column: getattr(package, column) for column in TERMS},
        features=[
            SubscriptionFeature(code=feature.code, number=feature.number, switch=feature.switch)
            for feature in package.features
        ],
    )
    set_dates(subscription, zone)
    session.add(subscription)
    session.flush()
    session.add(SubscriptionProvider(subscription_uuid=subscription.uuid, package_provider=default))
    session.flush()
    record_event("subscription.created", subscription, by=by, package=package.id)
    return subscription


def set_dates(subscription: Subscription, zone: str) -> None:
    """Set the ends of trial, first period and grace from the beginning, by the terms. Days are those of the zone."""
    begins = day_of(subscription.starts_at, zone)
    if subscription.trial is not None:
        begins = after(begins, subscription.trial)
        subscription.trial_ends_at = start_of(begins, zone)
    if subscription.period is not None:
        ends = after(begins, subscription.period)
        subscription.ends_at = start_of(ends, zone)
        subscription.grace_until = start_of(after(ends, subscription.grace), zone) if subscription.grace else None
