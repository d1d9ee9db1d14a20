"""Packages with their features and providers, and service providers with their health."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.clock import now
from portal.providers.base import FieldKind
from portal.resources.amounts import AMOUNT, decimal_string
from portal.resources.columns import Column, worded
from portal.resources.declaring import Id, IdentifiedResource, Included, Read, Resource, serializer
from portal.subscriptions.feature_catalog import FEATURES, api_value
from portal.subscriptions.package_models import PackageStatus, ServicePackage
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.services import adapter_of
from portal.subscriptions.terms import PeriodUnit


def provider_properties(provider: ServiceProvider) -> dict[str, Any]:
    """The properties of a provider's row, as its adapter declares them; null where nothing is set.

    A secret always reads null, and beside it `<name>_set` says whether there is one. What is stored and no longer
    declared is left out: it may have been a secret.
    """
    shown: dict[str, Any] = {}
    for declared in adapter_of(provider).properties:
        value = provider.properties.get(declared.name)
        if declared.kind is FieldKind.SECRET:
            shown |= {declared.name: None, f"{declared.name}_set": value is not None}
        else:
            shown[declared.name] = value
    return shown


class PackageFeatureSchema(Resource):
    """A feature that a package grants. An unlimited number is `true`."""

    object: Literal["ServicePackageFeature"]
    id: Annotated[str, Read("code")]
    service_feature_code: Annotated[str, Read("code")]
    value: Annotated[int | bool, Read(lambda row, _: api_value(FEATURES[row.code], row.value))]
    unit: Annotated[str | None, Read(lambda row, _: FEATURES[row.code].unit or None)]


class PackageProviderSchema(IdentifiedResource):
    """A service provider that can serve a package. Exactly one of a package is its default."""

    object: Literal["ServicePackageProvider"]
    service_provider_id: Annotated[Id, Read("provider.id")]
    active: bool
    default: Annotated[bool, Read("is_default")]
    settings: Annotated[dict[str, Any], Read("provider_settings")]
    metadata: Annotated[dict[str, Any], Read("provider_metadata")]


class PackageSchema(IdentifiedResource):
    """What is sold: rooms of one type with these features, on these terms."""

    object: Literal["ServicePackage"]
    name: Annotated[str, worded(ServicePackage.name)]
    short_description: str
    description: str
    service_type: Annotated[ServiceType, Column(ServicePackage.service_type)]
    status: Annotated[PackageStatus, Column(ServicePackage.status)]
    hidden: Annotated[bool, Column(ServicePackage.hidden)]
    tier: Annotated[int, Column(ServicePackage.tier)]
    price: Annotated[str, AMOUNT, Read(lambda row, _: decimal_string(row.price, row.currency))]
    signup_fee: Annotated[str, AMOUNT, Read(lambda row, _: decimal_string(row.signup_fee, row.currency))]
    currency: Annotated[str, Column(ServicePackage.currency)]
    periodicity: int | None
    periodicity_type: PeriodUnit | None
    trial_period: int | None
    trial_interval: PeriodUnit | None
    grace_period: int | None
    grace_interval: PeriodUnit | None
    has_stock: bool
    stock_qty: int
    package_metadata: dict[str, Any]
    features: Included[list[PackageFeatureSchema]] | None = None
    providers: Included[list[PackageProviderSchema]] | None = None


class ProviderSchema(IdentifiedResource):
    """A configured service that runs rooms. Of a secret property only `<name>_set` is told."""

    object: Literal["ServiceProvider"]
    provider_name: Annotated[str, worded(ServiceProvider.provider_name)]
    provider_type: Annotated[str, Column(ServiceProvider.provider_type)]
    service_type: Annotated[ServiceType, Column(ServiceProvider.service_type)]
    active: Annotated[bool, Column(ServiceProvider.active)]
    draining: Annotated[bool, Column(ServiceProvider.draining)]
    properties: Annotated[dict[str, Any], Read(lambda provider, _: provider_properties(provider))]
    metadata: Annotated[dict[str, Any], Read("provider_metadata")]


class ProviderHealthSchema(Resource):
    """Since when a provider answers or is down, what went wrong last, and how busy its service is."""

    object: Literal["ServiceProviderHealth"]
    id: Id
    last_answer_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    down_since: datetime | None
    up_since: datetime | None
    version: Annotated[str | None, Field(description="What the service said of itself when it was tested last.")]
    counts: Annotated[
        dict[str, int | None],
        Field(description="How busy the service is, whoever uses it, such as `meetings` and `people`."),
        Read(lambda provider, _: dict(provider.counts)),
    ]
    counted_at: datetime | None
    stale: Annotated[
        bool,
        Field(description="Whether the counts are older than some minutes, or the service is down."),
        Read(lambda provider, _: provider.counts_are_stale(now())),
    ]


class ConnectionSchema(Resource):
    """What a service answered to a test of its connection."""

    object: Literal["ServiceConnection"]
    id: Annotated[Literal["connection"], Field(description="There is one answer only.")]
    ok: Annotated[bool, Read(lambda _answer, _: True)]
    tested: Annotated[bool, Field(description="False for a service that is built in: there is nothing to test.")]
    version: Annotated[str | None, Read(lambda answer, _: answer.told.get("version"))]
    told: Annotated[dict[str, str], Read(lambda answer, _: dict(answer.told))]


serialize_package_feature = serializer(PackageFeatureSchema)
"""A feature of a package; an unlimited number is written `true`."""
serialize_package_provider = serializer(PackageProviderSchema)
"""A provider of a package."""
serialize_provider = serializer(ProviderSchema)
"""A service provider, without its secrets."""
serialize_provider_health = serializer(ProviderHealthSchema)
"""The health of a service provider."""
serialize_connection = serializer(ConnectionSchema)
"""What a `ServiceAnswer` told."""
_serialize_package = serializer(PackageSchema)


def serialize_package(package: ServicePackage, includes: tuple[str, ...] = ()) -> dict[str, Any]:
    """A package with these relations."""
    data = _serialize_package(package)
    if "features" in includes:
        data["features"] = {"data": [serialize_package_feature(one) for one in package.features]}
    if "providers" in includes:
        data["providers"] = {"data": [serialize_package_provider(one) for one in package.providers]}
    return data
