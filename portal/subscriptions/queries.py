"""Finding packages and service providers, and what a subscription grants."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from portal.customers.models import Customer
from portal.db import session
from portal.errors import NotFound
from portal.identifiers import matches_identifier
from portal.subscriptions.models import Subscription, SubscriptionFeature
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.provider_models import ServiceProvider


def get_provider(provider_id: str) -> ServiceProvider:
    """The provider with this short public id, whether it is active or not. Raises `NotFound`."""
    provider = session.scalar(sa.select(ServiceProvider).where(ServiceProvider.id == provider_id))
    if provider is None:
        raise NotFound
    return provider


def find_provider(provider_id: str) -> ServiceProvider | None:
    """The provider with this id, uuid or ulid; None if there is none."""
    return session.scalar(sa.select(ServiceProvider).where(matches_identifier(ServiceProvider, provider_id)))


def find_package_by_id(package_id: str) -> ServicePackage | None:
    """The package with this id, uuid or ulid; None if there is none."""
    return session.scalar(sa.select(ServicePackage).where(matches_identifier(ServicePackage, package_id)))


def inactive_default_providers(*, limit: int) -> Sequence[ServiceProvider]:
    """Providers that are switched off although subscriptions run their rooms on them, by name."""
    used = sa.exists().where(Subscription.provider_uuid == ServiceProvider.uuid)
    query = sa.select(ServiceProvider).where(ServiceProvider.active.is_(False), used)
    return session.scalars(query.order_by(ServiceProvider.provider_name, ServiceProvider.uuid).limit(limit)).all()


def plan_of(subscription_uuid: UUID) -> dict[str, int | bool | None]:
    """The features of this subscription as `Subscription.values` tells them, without loading it."""
    columns = SubscriptionFeature.code, SubscriptionFeature.number, SubscriptionFeature.switch
    query = sa.select(*columns).where(SubscriptionFeature.subscription_uuid == subscription_uuid)
    return {code: number if switch is None else switch for code, number, switch in session.execute(query)}


MOST_SUBSCRIPTIONS = 100


def subscriptions_of(customer: Customer) -> Sequence[Subscription]:
    """The customer's subscriptions by name, at most 100."""
    query = sa.select(Subscription).where(Subscription.customer_uuid == customer.uuid)
    in_order = query.order_by(Subscription.name, Subscription.uuid).limit(MOST_SUBSCRIPTIONS)
    return session.scalars(in_order).unique().all()


def subscription_with_id(subscription_id: str) -> Subscription | None:
    """The subscription with this id, uuid or ulid; None if there is none."""
    query = sa.select(Subscription).where(matches_identifier(Subscription, subscription_id))
    return session.scalars(query).unique().one_or_none()
