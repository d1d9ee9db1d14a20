"""The API's routes for the addresses of a customer."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1 import profile_entries
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.profile_entries import TAG, EntryBody
from portal.customers.models import COUNTRY_LENGTH, Customer
from portal.customers.permission import CustomerPermission
from portal.customers.profile_models import CITY_LENGTH, LINE_LENGTH, SHORT_LENGTH, AddressType, CustomerAddress
from portal.edge.place_guard import at_customer, sees_profile_of_customer
from portal.resources.profile_entries import AddressSchema
from portal.scopes import Scope

bp = Blueprint("customer_addresses", __name__, url_prefix="/customers/<anyid:customer_id>/addresses")

LISTING = listing_of(AddressSchema, CustomerAddress)
City = Annotated[str, Field(max_length=CITY_LENGTH)]
Line = Annotated[str, Field(max_length=LINE_LENGTH)]
Short = Annotated[str, Field(max_length=SHORT_LENGTH)]


class AddressBody(EntryBody):
    """The fields of an address. Without a country it is in the customer's."""

    resource = AddressSchema

    address_type: Annotated[AddressType | None, Field(strict=False)] = None
    default: bool | None = None
    country: Annotated[str, Field(max_length=COUNTRY_LENGTH)] | None = None
    state: City | None = None
    postal_code: Short | None = None
    city: City | None = None
    address_line1: Line | None = None
    address_line2: Line | None = None
    po_box: Short | None = None
    building_number: Short | None = None
    complement: Line | None = None


class NewAddress(AddressBody):
    """A new address. It needs a first line or a post-office box. The first one of its type is the default."""

    address_type: Annotated[AddressType, Field(strict=False)]
    city: City


@bp.get("")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=AddressSchema, many=True, listing=LISTING)
@sees_profile_of_customer
def index(customer: Customer) -> Response:
    """List the addresses of a customer. For whoever changes the customer, and staff."""
    return profile_entries.list_entries(customer, CustomerAddress, LISTING)


@bp.post("")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=AddressSchema, status=201, listing=LISTING, refusals=(403, 409))
@at_customer(CustomerPermission.CUSTOMER_EDIT)
@takes(
    NewAddress,
    example={
        "address_type": "BillingAddress",
        "country": "DE",
        "postal_code": "10117",
        "city": "Berlin",
        "address_line1": "Unter den Linden",
        "building_number": "77",
    },
)
def create(customer: Customer, body: NewAddress) -> Response:
    """Add an address."""
    return profile_entries.add(customer, CustomerAddress, LISTING, body.fields(), at="addresses")


@bp.get("/<anyid:address_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=AddressSchema, listing=LISTING)
@sees_profile_of_customer
def show_one(customer: Customer, address_id: str) -> Response:
    """Read an address."""
    return profile_entries.show(customer, CustomerAddress, LISTING, address_id)


@bp.patch("/<anyid:address_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=AddressSchema, listing=LISTING, refusals=(403,))
@at_customer(CustomerPermission.CUSTOMER_EDIT)
@takes(AddressBody, example={"default": True, "postal_code": "10119"})
def change(customer: Customer, address_id: str, body: AddressBody) -> Response:
    """Change an address. Making it the default takes that from the one before."""
    return profile_entries.change(customer, CustomerAddress, LISTING, address_id, body.fields())


@bp.delete("/<anyid:address_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, status=204, refusals=(403,))
@at_customer(CustomerPermission.CUSTOMER_EDIT)
@takes(None)
def delete(customer: Customer, address_id: str) -> Response:
    """Remove an address. The oldest one left of its type becomes the default in its place."""
    return profile_entries.remove(customer, CustomerAddress, address_id)
