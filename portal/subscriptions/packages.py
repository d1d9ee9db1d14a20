"""Making packages, and deciding what they grant and which providers can serve them."""

from collections.abc import Mapping
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audit.operations import record_event
from portal.db import lock, session
from portal.errors import Conflict, Invalid, Message
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.subscriptions.feature_catalog import FEATURES, Value, stored_value
from portal.subscriptions.package_models import PackageFeature, PackageProvider, PackageStatus, ServicePackage
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.terms import Length


def create_package(
    *,
    name: str,
    service_type: ServiceType,
    currency: str,
    price: Decimal = Decimal(0),
    period: Length | None = None,
    trial: Length | None = None,
    grace: Length | None = None,
    features: Mapping[str, Value] | None = None,
    provider: ServiceProvider | None = None,
    by: Actor | None = None,
) -> ServicePackage:
    """A package with these features and this default provider. `by` is None for the portal itself.

    Raises `Invalid` on the name of what is wrong; for a feature on its code.
    """
    package = ServicePackage(
        name=clean_name(name, field="name", longest=NAME_LENGTH),
        service_type=service_type,
        currency=currency,
        price=price,
        features=[],
        providers=[],
    )
    package.periodicity, package.periodicity_type = period or (None, None)
    package.trial_period, package.trial_interval = trial or (None, None)
    package.grace_period, package.grace_interval = grace or (None, None)
    package.features = [_feature(package, code, value) for code, value in (features or {}).items()]
    session.add(package)
    session.flush()
    record_event("package.created", package, by=by)
    if provider is not None:
        add_package_provider(package, provider=provider, by=by)
    return package


def _feature(package: ServicePackage, code: str, value: Value) -> PackageFeature:
    number, switch = feature_columns(package.service_type, code, value)
    return PackageFeature(code=code, number=number, switch=switch)


def feature_columns(service_type: ServiceType, code: str, value: object) -> tuple[int | None, bool | None]:
    """The columns `number` and `switch` of this value. Raises `Invalid` on `features` or on the feature's code."""
    feature = FEATURES.get(code)
    if feature is None:
        raise Invalid(features=Message("There is no feature %(code)s.", code=code[:32]))
    if service_type not in feature.fits:
        raise Invalid(**{code: Message("Rooms of this type have no such feature.")})
    stored = stored_value(feature, value)
    if feature.numeric:
        return (None if stored is None else int(stored)), None
    return None, bool(stored)


def add_package_provider(
    package: ServicePackage, *, provider: ServiceProvider, by: Actor | None = None
) -> PackageProvider:
    """Let this provider serve the package; the first one is its default.

    Raises `Invalid` on `service_provider_id` for one that runs rooms of another type, or is the package's already.
    """
    lock(package)
    if provider.service_type is not package.service_type:
        raise Invalid(service_provider_id=Message("This service has no rooms of this type."))
    one = PackageProvider(package_uuid=package.uuid, provider=provider, is_default=not package.providers)
    try:
        with session.begin_nested():
            session.add(one)
    except IntegrityError:
        raise Invalid(service_provider_id=Message("This package has this service already.")) from None
    session.refresh(package, ["providers"])
    record_event("package.provider_added", package, by=by, provider=provider.id)
    return one


def usable_default(package: ServicePackage) -> PackageProvider | None:
    """The default provider if a new subscription can use it, else None."""
    one = package.default_provider
    return one if one is not None and one.active and one.provider.active else None


def take_from_stock(package: ServicePackage) -> PackageProvider:
    """Count one sale under the lock of the package's row. Returns what serves it. Raises `Conflict` if nothing can."""
    lock(package)
    if package.status is not PackageStatus.ACTIVE:
        raise Conflict(Message("“%(name)s” is inactive: nothing new of it is sold.", name=package.name))
    default = usable_default(package)
    if default is None:
        raise Conflict(Message("“%(name)s” has no default service that can be used.", name=package.name))
    if package.has_stock:
        if package.stock_qty < 1:
            raise Conflict(Message("“%(name)s” is sold out.", name=package.name))
        package.stock_qty -= 1
    return default


def find_package(named: str) -> ServicePackage | None:
    """The oldest active package with this name or public id, in whatever case the name is written."""
    query = sa.select(ServicePackage).where(
        sa.or_(ServicePackage.id == named, sa.func.lower(ServicePackage.name) == named.lower()),
        ServicePackage.status == PackageStatus.ACTIVE,
    )
    return session.scalars(query.order_by(ServicePackage.uuid).limit(1)).first()
