"""Where a service provider is used: what keeps it from being deactivated or deleted."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.db import session
from portal.errors import Message
from portal.subscriptions.models import Subscription, SubscriptionProvider
from portal.subscriptions.package_models import PackageProvider, ServicePackage
from portal.subscriptions.provider_models import ServiceProvider

MOST_NAMED = 5


@dataclass(frozen=True)
class PackageUse:
    """A package that a provider serves."""

    id: str
    name: str
    is_default: bool


def packages_with(provider: ServiceProvider) -> list[PackageUse]:
    """The packages that it serves, those first of which it is the default."""
    query = (
        sa.select(ServicePackage.id, ServicePackage.name, PackageProvider.is_default)
        .join(PackageProvider, PackageProvider.package_uuid == ServicePackage.uuid)
        .where(PackageProvider.provider_uuid == provider.uuid)
        .order_by(PackageProvider.is_default.desc(), ServicePackage.name, ServicePackage.uuid)
    )
    return [PackageUse(*row) for row in session.execute(query)]


def default_of_subscriptions(provider: ServiceProvider) -> int:
    """How many subscriptions have their rooms run on it."""
    query = sa.select(sa.func.count()).select_from(Subscription).where(Subscription.provider_uuid == provider.uuid)
    return session.scalar(query) or 0


def _subscriptions_with(provider: ServiceProvider) -> int:
    """How many subscriptions have it, as their default or as another choice."""
    attached = (
        sa.select(SubscriptionProvider.subscription_uuid)
        .join(PackageProvider, PackageProvider.uuid == SubscriptionProvider.package_provider_uuid)
        .where(PackageProvider.provider_uuid == provider.uuid)
    )
    default = sa.select(Subscription.uuid).where(Subscription.provider_uuid == provider.uuid)
    return session.scalar(sa.select(sa.func.count()).select_from(sa.union(attached, default).subquery())) or 0


def reason_to_keep_active(provider: ServiceProvider) -> Message | None:
    """Why it cannot become inactive: it is a default somewhere. None if it can."""
    packages = [one for one in packages_with(provider) if one.is_default]
    where = _named(packages, default_of_subscriptions(provider))
    if where is None:
        return None
    return Message("This service is the default of %(where)s. Choose another default there first.", where=where)


def reason_to_keep(provider: ServiceProvider) -> Message | None:
    """Why it cannot be deleted: something has it. None if it can."""
    where = _named(packages_with(provider), _subscriptions_with(provider))
    if where is None:
        return None
    return Message("This service is attached to %(where)s. Remove it there first.", where=where)


def _named(packages: Sequence[PackageUse], subscriptions: int) -> str | None:
    """The packages by name, and how many subscriptions; None if there are neither."""
    names = ", ".join(f"“{one.name}”" for one in packages[:MOST_NAMED])
    if len(packages) > MOST_NAMED:
        names += ", …"
    parts = [Message.plural("the package %(names)s", "the packages %(names)s", n=len(packages), names=names)]
    parts = parts if packages else []
    if subscriptions:
        parts.append(Message.plural("%(n)d subscription", "%(n)d subscriptions", n=subscriptions))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Message("%(one)s and %(other)s", one=parts[0], other=parts[1])
