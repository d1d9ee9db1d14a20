"""The API's routes for the telephones of a customer."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1 import profile_entries
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.profile_entries import TAG, EntryBody
from portal.customers.models import Customer
from portal.customers.permission import CustomerPermission
from portal.customers.profile_models import EXTENSION_LENGTH, NUMBER_LENGTH, CustomerTelephone, TelephoneType
from portal.edge.place_guard import at_customer, sees_profile_of_customer
from portal.resources.profile_entries import TelephoneSchema
from portal.scopes import Scope

bp = Blueprint("customer_telephones", __name__, url_prefix="/customers/<anyid:customer_id>/telephones")

LISTING = listing_of(TelephoneSchema, CustomerTelephone)
Number = Annotated[
    str,
    Field(max_length=NUMBER_LENGTH, description="With the code of its country, or as it is dialled in the customer's."),
]


class TelephoneBody(EntryBody):
    """The fields of a telephone."""

    resource = TelephoneSchema

    telephone_type: Annotated[TelephoneType | None, Field(strict=False)] = None
    default: bool | None = None
    number: Number | None = None
    telephone_extension: Annotated[str, Field(max_length=EXTENSION_LENGTH)] | None = None


class NewTelephone(TelephoneBody):
    """A new telephone. The first one of its type is the default."""

    telephone_type: Annotated[TelephoneType, Field(strict=False)]
    number: Number


@bp.get("")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=TelephoneSchema, many=True, listing=LISTING)
@sees_profile_of_customer
def index(customer: Customer) -> Response:
    """List the telephones of a customer. For whoever changes the customer, and staff."""
    return profile_entries.list_entries(customer, CustomerTelephone, LISTING)


@bp.post("")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=TelephoneSchema, status=201, listing=LISTING, refusals=(403, 409))
@at_customer(CustomerPermission.CUSTOMER_EDIT)
@takes(NewTelephone, example={"telephone_type": "landline", "number": "+49 30 901820", "telephone_extension": "12"})
def create(customer: Customer, body: NewTelephone) -> Response:
    """Add a telephone. The form of its number is checked, not whose it is."""
    return profile_entries.add(customer, CustomerTelephone, LISTING, body.fields(), at="telephones")


@bp.get("/<anyid:telephone_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=TelephoneSchema, listing=LISTING)
@sees_profile_of_customer
def show_one(customer: Customer, telephone_id: str) -> Response:
    """Read a telephone."""
    return profile_entries.show(customer, CustomerTelephone, LISTING, telephone_id)


@bp.patch("/<anyid:telephone_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=TelephoneSchema, listing=LISTING, refusals=(403,))
@at_customer(CustomerPermission.CUSTOMER_EDIT)
@takes(TelephoneBody, example={"default": True, "telephone_extension": None})
def change(customer: Customer, telephone_id: str, body: TelephoneBody) -> Response:
    """Change a telephone. Making it the default takes that from the one before."""
    return profile_entries.change(customer, CustomerTelephone, LISTING, telephone_id, body.fields())


@bp.delete("/<anyid:telephone_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, status=204, refusals=(403,))
@at_customer(CustomerPermission.CUSTOMER_EDIT)
@takes(None)
def delete(customer: Customer, telephone_id: str) -> Response:
    """Remove a telephone. The oldest one left of its type becomes the default in its place."""
    return profile_entries.remove(customer, CustomerTelephone, telephone_id)
