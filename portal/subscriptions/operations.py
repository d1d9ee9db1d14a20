"""Selling packages: making subscriptions."""

from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.subscriptions.models import TAG_LENGTH, Subscription, SubscriptionFeature, SubscriptionProvider, new_tag
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.packages import take_from_stock
from portal.subscriptions.terms import TERMS, after, day_of, start_of

UTC_ZONE = "UTC"


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
