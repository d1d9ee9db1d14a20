"""Making, changing, copying and deleting packages, and counting what is sold of them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Unpack, cast

import sqlalchemy as sa

from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.db import lock, session
from portal.errors import Conflict, InvalidFields, Message
from portal.metadata import checked_metadata
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name, clean_text
from portal.subscriptions.checked_terms import TermChanges, change_terms, checked_amount, checked_number
from portal.subscriptions.feature_catalog import Value
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_features import checked_features
from portal.subscriptions.package_models import (
    DESCRIPTION_LENGTH,
    SHORT_DESCRIPTION_LENGTH,
    PackageFeature,
    PackageProvider,
    PackageStatus,
    ServicePackage,
)
from portal.subscriptions.package_providers import new_package_provider
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.terms import TERMS

LARGEST_STOCK = 1_000_000
AUDITED = (
    "name", "short_description", "description", "status", "hidden", "signup_fee", "has_stock", "stock_qty", *TERMS,
    "package_metadata",
)  # fmt: skip
"""The columns of which lines of the audit tell what they were before and after."""
_COPIED = ("short_description", "description", "signup_fee", "has_stock", "stock_qty", "package_metadata")


class PackageChanges(TermChanges, total=False):
    """What can be changed of a package. Its service type stays, because its features and providers fit to that."""

    name: str
    short_description: str
    description: str
    status: PackageStatus
    hidden: bool
    signup_fee: Decimal
    has_stock: bool
    stock_qty: int
    package_metadata: Mapping[str, Any]


def create_package(
    *,
    service_type: ServiceType,
    features: Mapping[str, Value] | None = None,
    provider: ServiceProvider | None = None,
    by: Actor | None = None,
    **about: Unpack[PackageChanges],
) -> ServicePackage:
    """A package with these features and this default provider. `name` and `currency` are required.

    Raises `Invalid` on the name of what is wrong; for a feature on its code. `by` is None for the portal itself.
    """
    package = ServicePackage(service_type=service_type, features=[], providers=[])
    wrong = InvalidFields()
    with wrong.gathered():
        _set(package, {"name": "", "currency": "", "price": Decimal(0), "signup_fee": Decimal(0), **about})
    with wrong.gathered():
        if provider is not None:
            package.providers = [new_package_provider(package, provider)]
    with wrong.gathered():
        package.features = checked_features(package, features or {})
    wrong.raise_if_any()
    session.add(package)
    session.flush()
    record_event("package.created", package, by=by)
    return package


def change_package(package: ServicePackage, *, by: Actor | None, **changes: Unpack[PackageChanges]) -> None:
    """Change what is named. What was sold of it stays as it was. Raises `Invalid` on the name of what is wrong."""
    lock(package)
    before = values_of(package, AUDITED)
    _set(package, changes)
    session.flush()
    if told := changes_since(before, package):
        record_event("package.updated", package, by=by, changes=told)


def _set(package: ServicePackage, changes: PackageChanges) -> None:
    wrong = InvalidFields()
    values: dict[str, Any] = {name: changes[name] for name in ("status", "hidden", "has_stock") if name in changes}
    with wrong.gathered():
        terms = {name: value for name, value in changes.items() if name in TermChanges.__annotations__}
        change_terms(package, cast(TermChanges, terms))
    with wrong.gathered():
        if "short_description" in changes:
            short, longest = changes["short_description"], SHORT_DESCRIPTION_LENGTH
            values["short_description"] = clean_name(short, field="short_description", longest=longest, required=False)
    with wrong.gathered():
        if "description" in changes:
            text = changes["description"]
            values["description"] = clean_text(text, field="description", longest=DESCRIPTION_LENGTH)
    with wrong.gathered():
        if "name" in changes:
            values["name"] = clean_name(changes["name"], field="name", longest=NAME_LENGTH)
    with wrong.gathered():
        if "signup_fee" in changes or "currency" in changes:
            fee = changes.get("signup_fee", package.signup_fee)
            values["signup_fee"] = checked_amount(fee, currency=package.currency or "", field="signup_fee")
    with wrong.gathered():
        if "stock_qty" in changes:
            values["stock_qty"] = checked_number(changes["stock_qty"], field="stock_qty", most=LARGEST_STOCK)
    with wrong.gathered():
        if "package_metadata" in changes:
            values["package_metadata"] = checked_metadata(changes["package_metadata"], field="package_metadata")
    wrong.raise_if_any()
    for column, value in values.items():
        setattr(package, column, value)


def copy_package(package: ServicePackage, *, name: str, by: Actor | None) -> ServicePackage:
    """A package of another name that is the same otherwise, also in its features and providers.

    It is inactive, so that nothing is sold of it before somebody has looked at it. Raises `Invalid` on `name`.
    """
    copied = ServicePackage(
        name=clean_name(name, field="name", longest=NAME_LENGTH),
        service_type=package.service_type,
        status=PackageStatus.INACTIVE,
        hidden=package.hidden,
        **{column: getattr(package, column) for column in (*TERMS, *_COPIED)},
        features=[PackageFeature(code=one.code, number=one.number, switch=one.switch) for one in package.features],
        providers=[
            PackageProvider(
                provider=one.provider,
                active=one.active,
                is_default=one.is_default,
                provider_settings=one.provider_settings,
                provider_metadata=one.provider_metadata,
            )
            for one in package.providers
        ],
    )
    session.add(copied)
    session.flush()
    record_event("package.created", copied, by=by, copied_from=package.id)
    return copied


def delete_package(package: ServicePackage, *, by: Actor | None) -> None:
    """Delete a package with its features. Raises `Conflict` if something was sold of it: that refers to it."""
    lock(package)
    reason = reason_to_keep(package)
    if reason is not None:
        raise Conflict(reason)
    record_event("package.deleted", package, by=by, name=package.name)
    session.delete(package)
    session.flush()


def reason_to_keep(package: ServicePackage) -> Message | None:
    """Why it cannot be deleted; None if it can."""
    sold = times_sold(package)
    if not sold:
        return None
    return Message.plural(
        "%(n)d subscription was sold of this package, and refers to it. Set the package to inactive instead.",
        "%(n)d subscriptions were sold of this package, and refer to it. Set the package to inactive instead.",
        n=sold,
    )


def times_sold(package: ServicePackage) -> int:
    """How many subscriptions there are of it, whatever their status."""
    query = sa.select(sa.func.count()).select_from(Subscription).where(Subscription.package_uuid == package.uuid)
    return session.scalar(query) or 0


def usable_default(package: ServicePackage) -> PackageProvider | None:
    """The default provider if a new subscription can use it, else None."""
    one = package.default_provider
    return one if one is not None and one.active and one.provider.active else None


def take_from_stock(package: ServicePackage) -> PackageProvider:
    """Count one sale under the lock of the package's row. Returns what serves it. Raises `Conflict` if nothing can."""
    lock(package)
    reason = reason_not_to_sell(package)
    default = usable_default(package)
    if reason is not None or default is None:
        raise Conflict(reason)
    if package.has_stock:
        package.stock_qty -= 1
    return default


def reason_not_to_sell(package: ServicePackage) -> Message | None:
    """Why nothing of it can be sold now; None if it can."""
    if package.status is not PackageStatus.ACTIVE:
        return Message("“%(name)s” is inactive: nothing new of it is sold.", name=package.name)
    if usable_default(package) is None:
        return Message("“%(name)s” has no default service that can be used.", name=package.name)
    if package.has_stock and package.stock_qty < 1:
        return Message("“%(name)s” is sold out.", name=package.name)
    return None


def find_package(named: str) -> ServicePackage | None:
    """The oldest active package with this name or public id, in whatever case the name is written."""
    query = sa.select(ServicePackage).where(
        sa.or_(ServicePackage.id == named, sa.func.lower(ServicePackage.name) == named.lower()),
        ServicePackage.status == PackageStatus.ACTIVE,
    )
    return session.scalars(query.order_by(ServicePackage.uuid).limit(1)).first()
