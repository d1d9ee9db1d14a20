"""The API's routes for packages."""

from typing import Annotated

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import WHOLE, AnId
from portal.api.v1.term_bodies import Amount, Currency, Metadata, TermsBody, with_lengths
from portal.edge import actor
from portal.edge.staff_guard import staff
from portal.errors import Invalid, Message
from portal.people.models import NAME_LENGTH
from portal.people.staff import StaffPermission
from portal.resources.declaring import fields_of
from portal.resources.packages import PackageFeatureSchema, PackageProviderSchema, PackageSchema, serialize_package
from portal.scopes import Scope
from portal.subscriptions.package_models import (
    DESCRIPTION_LENGTH,
    SHORT_DESCRIPTION_LENGTH,
    PackageStatus,
    ServicePackage,
)
from portal.subscriptions.packages import LARGEST_STOCK, change_package, create_package, delete_package
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.queries import find_package_by_id, find_provider

bp = Blueprint("service_packages", __name__, url_prefix="/service-packages")

TAG = "Packages"
LISTING = listing_of(
    PackageSchema,
    ServicePackage,
    includes=("features", "providers"),
    inner={
        "features": frozenset(fields_of(PackageFeatureSchema)),
        "providers": frozenset(fields_of(PackageProviderSchema)),
    },
)


class PackageChange(TermsBody):
    """What is changed of a package."""

    resource = PackageSchema

    name: Annotated[str, Field(max_length=NAME_LENGTH)] = ""
    short_description: Annotated[str, Field(max_length=SHORT_DESCRIPTION_LENGTH)] = ""
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH)] = ""
    status: PackageStatus = PackageStatus.ACTIVE
    hidden: bool = False
    signup_fee: Amount = None
    has_stock: bool = False
    stock_qty: Annotated[int, Field(ge=0, le=LARGEST_STOCK), WHOLE] = 0
    package_metadata: Metadata = Field(default_factory=dict)


class NewPackage(PackageChange):
    """A new package. `service_provider_id` is its default provider, which can be added later as well."""

    name: Annotated[str, Field(max_length=NAME_LENGTH)]
    service_type: ServiceType
    currency: Currency
    service_provider_id: AnId | None = None


def package_answer(package: ServicePackage) -> Response:
    """The package, with the fields and relations that are asked for."""
    selection = query_params.field_selection(LISTING)
    data = serialize_package(package, selection.includes)
    return responses.single(data, selection, tag=responses.etag_of(package))


@bp.get("")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=PackageSchema, many=True, listing=LISTING)
@staff(StaffPermission.PACKAGES_READ)
def index() -> Response:
    """List all packages."""
    asked = query_params.list_query(LISTING)
    rows, page = pagination.rows_of(asked, sa.select(ServicePackage))
    data = [serialize_package(row[0], asked.selection.includes) for row in rows]
    return responses.listing(data, asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=PackageSchema, status=201, listing=LISTING)
@staff(StaffPermission.PACKAGES_CREATE)
@takes(
    NewPackage,
    monthly={
        "name": "Meet Plus", "service_type": "meet", "price": "19.90", "currency": "EUR", "periodicity": 1,
        "periodicity_type": "month",
    },
)  # fmt: skip
def create(body: NewPackage) -> Response:
    """Make a package. It can be sold once it has a default provider that is active."""
    selection = query_params.field_selection(LISTING)
    given = with_lengths(body.given())
    given.pop("service_provider_id", None)
    package = create_package(provider=provider_named(body.service_provider_id), by=actor.someone(), **given)
    at = f"/api/v1/service-packages/{package.id}"
    data = serialize_package(package, selection.includes)
    return responses.created(data, selection, at=at, tag=responses.etag_of(package))


def provider_named(identifier: str | None) -> ServiceProvider | None:
    """The provider with this id, uuid or ulid; None for None. Raises `Invalid` on `service_provider_id`."""
    found = find_provider(identifier) if identifier is not None else None
    if identifier is not None and found is None:
        raise Invalid(service_provider_id=Message("There is no such service provider."))
    return found


@bp.get("/<anyid:package_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=PackageSchema, listing=LISTING)
@staff(StaffPermission.PACKAGES_READ, package=find_package_by_id)
def show_one(package: ServicePackage) -> Response:
    """Read a package."""
    return package_answer(package)


@bp.patch("/<anyid:package_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=PackageSchema, listing=LISTING)
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
@takes(PackageChange, price={"price": "24.90"}, not_sold={"status": "inactive"})
def change(package: ServicePackage, body: PackageChange) -> Response:
    """Change a package, except for its service type. What was sold of it stays as it was."""
    responses.check_if_match(package)
    change_package(package, by=actor.someone(), **with_lengths(body.given(), package))
    return package_answer(package)


@bp.delete("/<anyid:package_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, status=204, refusals=(409,))
@staff(StaffPermission.PACKAGES_DELETE, package=find_package_by_id)
@takes(None)
def delete(package: ServicePackage) -> Response:
    """Delete a package of which nothing was sold."""
    responses.check_if_match(package)
    delete_package(package, by=actor.someone())
    return responses.no_content()
