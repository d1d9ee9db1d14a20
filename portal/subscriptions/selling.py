"""Selling packages to customers."""

from datetime import date, datetime

from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.creating import lock_for_creating
from portal.customers.models import Customer
from portal.db import session
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.subscriptions.checked_terms import TermChanges, change_terms
from portal.subscriptions.dates import first_dates, starting_day, zone_of
from portal.subscriptions.models import TAG_LENGTH, Subscription, SubscriptionFeature, SubscriptionProvider, new_tag
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.packages import take_from_stock
from portal.subscriptions.terms import TERMS, day_of


def create_subscription(
    *,
    customer: Customer,
    package: ServicePackage,
    name: str = "",
    starts_at: date | datetime | None = None,
    terms: TermChanges | None = None,
    by: Actor | None = None,
) -> Subscription:
    """Sell the package to the customer: a copy of its features, terms and default provider.

    It starts on the given day of the customer's time zone, or else today. Without a `name` it is called after the
    package. `terms` replace those of the package. `by` is None for the portal itself. Raises `Invalid` on `name`,
    `starts_at` or a term, or `Conflict` if the package cannot be sold or nothing is sold to this customer.
    """
    lock_for_creating(customer)
    default = take_from_stock(package)
    tag, zone = new_tag(), zone_of(customer)
    called = name or f"{package.name[: NAME_LENGTH - TAG_LENGTH - 1]} {tag}"
    subscription = Subscription(
        tag=tag,
        customer=customer,
        package=package,
        name=clean_name(called, field="name", longest=NAME_LENGTH),
        service_type=package.service_type,
        provider=default.provider,
        **{column: getattr(package, column) for column in TERMS},
        features=[
            SubscriptionFeature(code=feature.code, number=feature.number, switch=feature.switch)
            for feature in package.features
        ],
    )
    change_terms(subscription, terms or {})
    first_dates(subscription, day_of(now(), zone) if starts_at is None else starting_day(starts_at, zone), zone)
    session.add(subscription)
    session.flush()
    session.add(SubscriptionProvider(subscription_uuid=subscription.uuid, package_provider=default))
    session.flush()
    record_event("subscription.created", subscription, by=by, package=package.id)
    return subscription
