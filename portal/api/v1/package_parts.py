"""The API's routes for the features and the providers of a package."""

from typing import Annotated, Any

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import Listing, listing_of
from portal.api.v1.core.request_body import AnId, RequestBody
from portal.api.v1.packages import provider_named
from portal.api.v1.term_bodies import FeatureValue, Metadata
from portal.db import lock
from portal.edge import actor
from portal.edge.staff_guard import staff
from portal.errors import Conflict, Invalid, Message, NotFound
from portal.people.staff import StaffPermission
from portal.resources.declaring import fields_of
from portal.resources.packages import (
    PackageFeatureSchema,
    PackageProviderSchema,
    serialize_package_feature,
    serialize_package_provider,
)
from portal.scopes import Scope
from portal.subscriptions.package_features import (
    CODE_SHOWN,
    find_package_feature,
    remove_package_feature,
    set_package_feature,
)
from portal.subscriptions.package_models import PackageFeature, PackageProvider, ServicePackage
from portal.subscriptions.package_providers import (
    add_package_provider,
    change_package_provider,
    find_package_provider,
    remove_package_provider,
)
from portal.subscriptions.queries import find_package_by_id

bp = Blueprint("package_parts", __name__, url_prefix="/service-packages/<anyid:package_id>")

TAG = "Packages"
FEATURES = Listing(columns={}, tie=None, fields=frozenset(fields_of(PackageFeatureSchema)))
PROVIDERS = listing_of(PackageProviderSchema, PackageProvider)


class PackageFeatureChange(RequestBody):
    """The value of a feature: a number, `true` for an unlimited one, or a boolean."""

    resource = PackageFeatureSchema

    value: FeatureValue


class NewPackageFeature(PackageFeatureChange):
    """A feature that the package grants."""

    service_feature_code: Annotated[str, Field(max_length=CODE_SHOWN)]


class PackageProviderChange(RequestBody):
    """What is changed of a provider of a package. Making it the default takes that from the one before."""

    resource = PackageProviderSchema

    active: bool = True
    default: bool = False
    settings: Metadata = Field(default_factory=dict)
    metadata: Metadata = Field(default_factory=dict)


class NewPackageProvider(PackageProviderChange):
    """A provider that can serve the package. The first one is the default."""

    service_provider_id: AnId


@bp.get("/features")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=PackageFeatureSchema, many=True, listing=FEATURES)
@staff(StaffPermission.PACKAGES_READ, package=find_package_by_id)
def features(package: ServicePackage) -> Response:
    """List the features of a package."""
    selection = query_params.field_selection(FEATURES)
    data = [serialize_package_feature(one) for one in package.features]
    page = {
        "total": len(data), "count": len(data), "per_page": len(data), "current_page": 1, "total_pages": 1,
        "links": {"previous": None, "next": None},
    }  # fmt: skip
    return responses.listing(data, selection, page)


@bp.post("/features")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=PackageFeatureSchema, status=201, listing=FEATURES, refusals=(409,))
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
@takes(NewPackageFeature, number={"service_feature_code": "max_rooms", "value": 10})
def add_feature(package: ServicePackage, body: NewPackageFeature) -> Response:
    """Let a package grant a feature that it does not grant yet."""
    selection, code = query_params.field_selection(FEATURES), body.service_feature_code
    lock(package)  # of two who add it at once the second is refused
    if code in package.values:
        raise Conflict(Message("This package has this feature already. Change its value instead."))
    row = _set_feature(package, code, body.value)
    at = f"/api/v1/service-packages/{package.id}/features/{code}"
    return responses.created(serialize_package_feature(row), selection, at=at, tag=responses.etag_of(package))


@bp.get("/features/<feature:code>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=PackageFeatureSchema, listing=FEATURES)
@staff(StaffPermission.PACKAGES_READ, package=find_package_by_id)
def feature(package: ServicePackage, code: str) -> Response:
    """Read a feature of a package."""
    return _feature_answer(package, find_package_feature(package, code))


@bp.patch("/features/<feature:code>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=PackageFeatureSchema, listing=FEATURES)
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
@takes(PackageFeatureChange, unlimited={"value": True})
def change_feature(package: ServicePackage, code: str, body: PackageFeatureChange) -> Response:
    """Change the value of a feature. What was sold already stays as it was."""
    responses.check_if_match(package)
    lock(package)  # what somebody takes away at this moment is not granted again
    find_package_feature(package, code)
    return _feature_answer(package, _set_feature(package, code, body.value))


@bp.delete("/features/<feature:code>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, status=204)
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
@takes(None)
def remove_feature(package: ServicePackage, code: str) -> Response:
    """Let a package grant a feature no more."""
    responses.check_if_match(package)
    remove_package_feature(package, code=code, by=actor.someone())
    return responses.no_content()


def _set_feature(package: ServicePackage, code: str, value: Any) -> PackageFeature:
    """Set a feature, and name what is refused by the fields of the body."""
    try:
        return set_package_feature(package, code=code, value=value, by=actor.someone())
    except Invalid as invalid:
        fields = {"features": "service_feature_code"}
        raise Invalid(**{fields.get(name, "value"): message for name, message in invalid.fields.items()}) from None


def _feature_answer(package: ServicePackage, row: PackageFeature) -> Response:
    selection = query_params.field_selection(FEATURES)
    return responses.single(serialize_package_feature(row), selection, tag=responses.etag_of(package))


@bp.get("/providers")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=PackageProviderSchema, many=True, listing=PROVIDERS)
@staff(StaffPermission.PACKAGES_READ, package=find_package_by_id)
def providers(package: ServicePackage) -> Response:
    """List the providers that can serve a package."""
    asked = query_params.list_query(PROVIDERS)
    query = sa.select(PackageProvider).where(PackageProvider.package_uuid == package.uuid)
    rows, page = pagination.rows_of(asked, query)
    return responses.listing([serialize_package_provider(row[0]) for row in rows], asked.selection, page)


@bp.post("/providers")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=PackageProviderSchema, status=201, listing=PROVIDERS)
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
@takes(NewPackageProvider, another={"service_provider_id": "p3Yh3DpQ2x"})
def add_provider(package: ServicePackage, body: NewPackageProvider) -> Response:
    """Let a provider of the same service type serve a package."""
    selection, given = query_params.field_selection(PROVIDERS), body.given()
    provider = provider_named(given.pop("service_provider_id"))
    if provider is None:
        raise NotFound
    one = add_package_provider(package, provider=provider, by=actor.someone(), **given)
    at = f"/api/v1/service-packages/{package.id}/providers/{one.id}"
    return responses.created(serialize_package_provider(one), selection, at=at, tag=responses.etag_of(one))


@bp.get("/providers/<anyid:one_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=PackageProviderSchema, listing=PROVIDERS)
@staff(StaffPermission.PACKAGES_READ, package=find_package_by_id)
def provider(package: ServicePackage, one_id: str) -> Response:
    """Read a provider of a package."""
    return _provider_answer(find_package_provider(package, one_id))


@bp.patch("/providers/<anyid:one_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=PackageProviderSchema, listing=PROVIDERS)
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
@takes(PackageProviderChange, default={"default": True})
def change_provider(package: ServicePackage, one_id: str, body: PackageProviderChange) -> Response:
    """Change a provider of a package. A default can be neither inactive nor no default: make another one that."""
    one = find_package_provider(package, one_id)
    responses.check_if_match(one)
    change_package_provider(package, one, by=actor.someone(), **body.given())
    return _provider_answer(one)


@bp.delete("/providers/<anyid:one_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, status=204, refusals=(409,))
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
@takes(None)
def remove_provider(package: ServicePackage, one_id: str) -> Response:
    """Remove a provider from a package, unless it is the default or subscriptions have it."""
    one = find_package_provider(package, one_id)
    responses.check_if_match(one)
    remove_package_provider(package, one, by=actor.someone())
    return responses.no_content()


def _provider_answer(one: PackageProvider) -> Response:
    selection = query_params.field_selection(PROVIDERS)
    return responses.single(serialize_package_provider(one), selection, tag=responses.etag_of(one))
