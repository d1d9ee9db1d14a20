"""Finding packages, service providers and subscriptions, and what a subscription grants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, lazyload, load_only

from portal.customers.models import Customer
from portal.db import literal_limit, session
from portal.errors import NotFound
from portal.identifiers import matches_identifier
from portal.subscriptions.endings import end_or_never, ended_within, ends_within
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


def subscription_with_id(subscription_id: str) -> Subscription | None:
    """The subscription with this id, uuid or ulid, with its customer and package; None if there is none."""
    query = (
        sa.select(Subscription)
        .where(matches_identifier(Subscription, subscription_id))
        .options(joinedload(Subscription.customer), joinedload(Subscription.package))
    )
    return session.scalars(query).unique().one_or_none()


def ending_subscriptions(at: datetime, *, days: int, limit: int) -> list[Subscription]:
    """Those that can be used now and end within so many days, soonest first, with their customers."""
    return _by_end(ends_within(days, at), limit)


def ended_subscriptions(at: datetime, *, days: int, limit: int) -> list[Subscription]:
    """Those that ran out within so many days, longest ago first, with their customers."""
    return _by_end(ended_within(days, at), limit)


def _by_end(condition: sa.ColumnElement[bool], limit: int) -> list[Subscription]:
    query = (
        sa.select(Subscription)
        .where(condition)
        .order_by(end_or_never(), Subscription.uuid)
        .limit(literal_limit(limit))
        .options(
            joinedload(Subscription.customer).lazyload(Customer.owner),
            lazyload(Subscription.features),
            lazyload(Subscription.provider),
        )
    )
    return list(session.scalars(query))


def inactive_default_providers(*, limit: int) -> Sequence[ServiceProvider]:
    """Providers that are switched off although subscriptions run their rooms on them, by name."""
    used = sa.exists().where(Subscription.provider_uuid == ServiceProvider.uuid)
    query = sa.select(ServiceProvider).where(ServiceProvider.active.is_(False), used)
    return session.scalars(query.order_by(ServiceProvider.provider_name, ServiceProvider.uuid).limit(limit)).all()


def failing_providers(*, limit: int) -> Sequence[ServiceProvider]:
    """Active providers whose service does not answer, the one that is down longest first."""
    query = sa.select(ServiceProvider).where(ServiceProvider.active, ServiceProvider.down_since.is_not(None))
    return session.scalars(query.order_by(ServiceProvider.down_since, ServiceProvider.uuid).limit(limit)).all()


@dataclass(frozen=True)
class PlanRead:
    """What a subscription grants, as `Subscription.values` tells it, and the type of the service behind its rooms."""

    values: dict[str, int | bool | None]
    provider_type: str


def plan_of(subscription_uuid: UUID) -> PlanRead:
    """The plan of this subscription, by one statement, without loading it. Raises `NotFound`."""
    feature = SubscriptionFeature
    query = (
        sa.select(ServiceProvider.provider_type, feature.code, feature.number, feature.switch)
        .select_from(Subscription)
        .join(Subscription.provider)
        .outerjoin(feature, feature.subscription_uuid == Subscription.uuid)
        .where(Subscription.uuid == subscription_uuid)
    )
    rows = session.execute(query).all()
    if not rows:  # it was deleted a moment ago, with its rooms
        raise NotFound
    values = {code: number if switch is None else switch for _type, code, number, switch in rows if code is not None}
    return PlanRead(values, rows[0].provider_type)


MOST_SUBSCRIPTIONS = 100


def subscriptions_of(customer: Customer) -> Sequence[Subscription]:
    """The customer's subscriptions by name, at most 100, with the names of their packages."""
    package = joinedload(Subscription.package).options(load_only(ServicePackage.name), lazyload("*"))
    query = sa.select(Subscription).where(Subscription.customer_uuid == customer.uuid).options(package)
    in_order = query.order_by(Subscription.name, Subscription.uuid).limit(MOST_SUBSCRIPTIONS)
    return session.scalars(in_order).unique().all()
