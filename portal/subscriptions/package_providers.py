"""Which service providers can serve a package. Exactly one of them is its default, once it has any."""

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa

from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import lock, session
from portal.errors import Conflict, Invalid, InvalidFields, Message, NotFound
from portal.identifiers import matches_identifier
from portal.metadata import checked_metadata
from portal.people.actor import Actor
from portal.subscriptions.feature_catalog import FEATURES
from portal.subscriptions.models import SubscriptionProvider
from portal.subscriptions.package_features import offered_features
from portal.subscriptions.package_models import PackageProvider, ServicePackage
from portal.subscriptions.provider_models import ServiceProvider

KEEP_A_DEFAULT = Message("This is the default. Make another service the default first.")

INACTIVE = Message("This service is inactive. Activate it first.")


class PackageProviderChanges(TypedDict, total=False):
    """What can be changed of a provider of a package."""

    active: bool
    default: bool
    settings: Mapping[str, Any]
    metadata: Mapping[str, Any]


def new_package_provider(package: ServicePackage, provider: ServiceProvider) -> PackageProvider:
    """The row of a provider that is to serve the package. Raises `Invalid` on `service_provider_id`."""
    if provider.service_type is not package.service_type:
        raise Invalid(service_provider_id=Message("This service has no rooms of this type."))
    if any(one.provider_uuid == provider.uuid for one in package.providers):
        raise Invalid(service_provider_id=Message("This package has this service already."))
    is_default = package.default_provider is None
    if is_default and not provider.active:
        raise Invalid(service_provider_id=INACTIVE)
    return PackageProvider(provider=provider, active=True, is_default=is_default)


def addable_providers(package: ServicePackage) -> list[ServiceProvider]:
    """The active providers of its type that the package does not have, by name."""
    query = sa.select(ServiceProvider).where(
        ServiceProvider.active,
        ServiceProvider.service_type == package.service_type,
        ServiceProvider.uuid.not_in([one.provider_uuid for one in package.providers]),
    )
    return list(session.scalars(query.order_by(ServiceProvider.provider_name, ServiceProvider.uuid)))


def find_package_provider(package: ServicePackage, identifier: str) -> PackageProvider:
    """The package's provider with this id, uuid or ulid. Raises `NotFound`."""
    query = sa.select(PackageProvider).where(
        PackageProvider.package_uuid == package.uuid, matches_identifier(PackageProvider, identifier)
    )
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


def add_package_provider(
    package: ServicePackage,
    *,
    provider: ServiceProvider,
    by: Actor | None = None,
    **about: Unpack[PackageProviderChanges],
) -> PackageProvider:
    """Let this provider serve the package; the first one is its default.

    Raises `Invalid` on `service_provider_id` for one that runs rooms of another type, or is the package's already.
    """
    lock(package)
    lock(provider)
    one = new_package_provider(package, provider)
    _set(package, one, {**about, "default": one.is_default or about.get("default", False)})
    package.providers.append(one)
    package.updated_at = now()
    session.flush()
    record_event("package.provider_added", package, by=by, provider=provider.id)
    return one


def change_package_provider(
    package: ServicePackage, one: PackageProvider, *, by: Actor | None, **changes: Unpack[PackageProviderChanges]
) -> None:
    """Change what is named. Making it the default takes that from the one before.

    Raises `Invalid` on `active` or `default` where the package would be left without a default that works.
    """
    lock(package)
    lock(one.provider)
    before = values_of(one, ("active", "is_default", "provider_settings", "provider_metadata"))
    _set(package, one, changes)
    one.updated_at = package.updated_at = now()
    session.flush()
    told = changes_since(before, one)
    record_event("package.provider_changed", package, by=by, provider=one.provider.id, changes=told)


def _set(package: ServicePackage, one: PackageProvider, changes: PackageProviderChanges) -> None:
    wrong = InvalidFields()
    with wrong.gathered():
        settings = checked_metadata(changes.get("settings", one.provider_settings or {}), field="settings")
    with wrong.gathered():
        metadata = checked_metadata(changes.get("metadata", one.provider_metadata or {}), field="metadata")
    default, active = changes.get("default", one.is_default), changes.get("active", one.active)
    if one.is_default and not default:
        wrong.fields["default"] = KEEP_A_DEFAULT
    elif default and not active:
        wrong.fields["active"] = KEEP_A_DEFAULT if one.is_default else Message("The default has to be active.")
    elif default and not one.provider.active:
        wrong.fields["default"] = INACTIVE
    wrong.raise_if_any()
    if default and not one.is_default:
        before = package.default_provider
        if before is not None:
            before.is_default = False
            session.flush()  # first of the one, then of the other: a constraint allows one default
    one.is_default, one.active = default, active
    one.provider_settings, one.provider_metadata = settings, metadata


def remove_package_provider(package: ServicePackage, one: PackageProvider, *, by: Actor | None) -> None:
    """Let the provider serve the package no more. Raises `Conflict`, see `reason_to_keep_provider`."""
    lock(package)
    reason = reason_to_keep_provider(package, one)
    if reason is not None:
        raise Conflict(reason)
    package.providers.remove(one)
    package.updated_at = now()
    session.flush()
    record_event("package.provider_removed", package, by=by, provider=one.provider.id)


def reason_to_keep_provider(package: ServicePackage, one: PackageProvider) -> Message | None:
    """Why it cannot be taken from the package; None if it can.

    It is the default, subscriptions use it, or it alone provides features that the package has.
    """
    if one.is_default:
        return KEEP_A_DEFAULT
    using = sa.select(sa.func.count()).where(SubscriptionProvider.package_provider_uuid == one.uuid)
    if sold := session.scalar(using.select_from(SubscriptionProvider)) or 0:
        return Message.plural(
            "%(n)d subscription has this service. Remove it there first, or make it inactive here.",
            "%(n)d subscriptions have this service. Remove it there first, or make it inactive here.",
            n=sold,
        )
    others = [other for other in package.providers if other is not one]
    left = {feature.code for feature in offered_features(package.service_type, others)}
    alone = [str(FEATURES[row.code].label) for row in package.features if row.code in FEATURES and row.code not in left]
    if alone:
        words = "It alone provides features of this package. Remove these first: %(features)s."
        return Message(words, features=", ".join(alone))
    return None
