"""The providers that a subscription may use, and which of them is its default, on which its rooms run.

Only those of its package can be. A new default takes effect with the next run of each room: one that is running stays
where it is.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audit.operations import record_event
from portal.clock import now
from portal.db import lock, session
from portal.errors import Conflict, Invalid, Message
from portal.identifiers import matches_identifier
from portal.metadata import checked_metadata
from portal.people.actor import Actor
from portal.subscriptions.models import Subscription, SubscriptionProvider
from portal.subscriptions.package_models import PackageProvider

FIELD = "package_provider_id"


def package_provider_of(subscription: Subscription, provider_id: str) -> PackageProvider:
    """The provider of its package with this id, uuid or ulid. Raises `Invalid` on `package_provider_id`."""
    query = sa.select(PackageProvider).where(
        matches_identifier(PackageProvider, provider_id), PackageProvider.package_uuid == subscription.package_uuid
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise Invalid(**{FIELD: Message("The package of this subscription has no such service.")})
    return found


def providers_of(subscription: Subscription) -> list[SubscriptionProvider]:
    """The providers that it may use, oldest first."""
    return providers_of_each([subscription])[subscription.uuid]


def providers_of_each(subscriptions: Collection[Subscription]) -> dict[UUID, list[SubscriptionProvider]]:
    """Subscription uuid → the providers that it may use, oldest first, by one statement for all of these."""
    found: dict[UUID, list[SubscriptionProvider]] = {one.uuid: [] for one in subscriptions}
    query = sa.select(SubscriptionProvider).where(SubscriptionProvider.subscription_uuid.in_(found))
    for provider in session.scalars(query.order_by(SubscriptionProvider.uuid)):
        found[provider.subscription_uuid].append(provider)
    return found


def add_provider(
    subscription: Subscription,
    *,
    package_provider: PackageProvider,
    active: bool = True,
    default: bool = False,
    metadata: object = None,
    by: Actor | None = None,
) -> SubscriptionProvider:
    """Let the subscription use this provider of its package. Raises `Invalid`, for one that it has on its id."""
    lock(subscription, relations=False)
    one = SubscriptionProvider(
        subscription_uuid=subscription.uuid,
        package_provider=package_provider,
        active=active,
        provider_metadata=checked_metadata({} if metadata is None else metadata, field="metadata"),
    )
    try:
        with session.begin_nested():
            session.add(one)
    except IntegrityError:
        raise Invalid(**{FIELD: Message("This subscription has this service already.")}) from None
    _record(subscription, "subscription.provider_added", one, by)
    if default:
        make_default(subscription, one, by=by)
    return one


def change_provider(
    subscription: Subscription,
    one: SubscriptionProvider,
    *,
    active: bool | None = None,
    metadata: Mapping[str, Any] | None = None,
    by: Actor | None = None,
) -> None:
    """Change what is given. Raises `Conflict` for switching the default off, or `Invalid` on `metadata`."""
    lock(subscription, relations=False)
    if active is False:
        _require_other_default(subscription, one)
    if metadata is not None:
        one.provider_metadata = checked_metadata(metadata, field="metadata")
    if active is not None:
        one.active = active
    session.flush()
    _record(subscription, "subscription.provider_changed", one, by)


def make_default(subscription: Subscription, one: SubscriptionProvider, *, by: Actor | None = None) -> None:
    """Let its rooms run on this provider from their next run on. Raises `Conflict` for one that cannot be used."""
    lock(subscription, relations=False)
    provider = one.package_provider.provider
    if not (one.active and one.package_provider.active and provider.active):
        words = Message("“%(name)s” is not active. Activate it, then make it the default.", name=provider.provider_name)
        raise Conflict(words)
    before = subscription.provider
    subscription.provider = provider
    subscription.updated_at = now()
    session.flush()
    changes = {"provider": [before.provider_name, provider.provider_name]} if before is not provider else None
    record_event("subscription.provider_switched", subscription, by=by, provider=provider.id, changes=changes)


def remove_provider(subscription: Subscription, one: SubscriptionProvider, *, by: Actor | None = None) -> None:
    """Take the provider away. Raises `Conflict` for the default."""
    lock(subscription, relations=False)
    _require_other_default(subscription, one)
    session.delete(one)
    session.flush()
    _record(subscription, "subscription.provider_removed", one, by)


def is_default(subscription: Subscription, one: SubscriptionProvider) -> bool:
    """Whether its rooms run on this provider."""
    return one.package_provider.provider_uuid == subscription.provider_uuid


def switch_service(subscription: Subscription, *, package_provider: PackageProvider, by: Actor | None = None) -> None:
    """Let its rooms run on this provider of its package, which it may use from now on. Raises `Conflict`."""
    lock(subscription, relations=False)
    known = next(
        (one for one in providers_of(subscription) if one.package_provider_uuid == package_provider.uuid), None
    )
    if known is None:
        add_provider(subscription, package_provider=package_provider, default=True, by=by)
        return
    known.active = True
    make_default(subscription, known, by=by)


def _require_other_default(subscription: Subscription, one: SubscriptionProvider) -> None:
    if is_default(subscription, one):
        raise Conflict(Message("This is the default service of the subscription. Make another one the default first."))


def _record(subscription: Subscription, action: str, one: SubscriptionProvider, by: Actor | None) -> None:
    record_event(action, subscription, by=by, provider=one.package_provider.provider.id, active=one.active)
