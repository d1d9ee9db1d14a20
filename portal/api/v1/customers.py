"""The API's routes for customers."""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy.orm import joinedload

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import RequestBody
from portal.clock import now
from portal.customers.fields import MOST_DOMAINS
from portal.customers.models import HOSTNAME_LENGTH, Customer, CustomerStatus, CustomerType
from portal.customers.operations import change_customer, create_customer
from portal.customers.permission import CustomerPermission
from portal.customers.queries import customer_with_id
from portal.db import lock
from portal.edge import actor
from portal.edge.guard import bearer_only
from portal.edge.place_guard import at_customer, require_staff
from portal.edge.staff_guard import staff
from portal.people import passwords
from portal.people.models import EMAIL_LENGTH, User
from portal.people.staff import StaffPermission
from portal.permissions.places import visible_customer, visible_customers
from portal.resources.subscriptions import CustomerSchema, serialize_customer
from portal.scopes import Scope
from portal.status.customer_lifecycle import change_customer_status, delete_customer

bp = Blueprint("customers", __name__, url_prefix="/customers")

TAG = "Customers"
LISTING = listing_of(CustomerSchema, Customer)
_OWNER = joinedload(Customer.owner).lazyload(User.platform_roles)

Text = Annotated[str, Field(max_length=250)]
Domains = Annotated[list[Annotated[str, Field(max_length=HOSTNAME_LENGTH)]], Field(max_length=MOST_DOMAINS)]
OF_STAFF = frozenset(
    {
        "email",
        "currency",
        "external_id",
        "customer_prefix",
        "hostname",
        "subdomain",
        "allowed_domains_origins",
        "allowed_domains_registration",
        "customer_settings",
        "customer_metadata",
    }
)
"""What whoever runs the portal keeps about a customer; its own people do not change it."""


class CustomerBody(RequestBody):
    """The fields of a customer that can be said."""

    resource = CustomerSchema

    customer_type: Annotated[CustomerType | None, Field(strict=False)] = None
    company_name: Text | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    email: Annotated[str, Field(max_length=EMAIL_LENGTH)] | None = None
    status: Annotated[CustomerStatus | None, Field(strict=False)] = None
    country: Annotated[str, Field(max_length=2)] | None = None
    currency: Annotated[str, Field(max_length=3)] | None = None
    timezone: Text | None = None
    external_id: Text | None = None
    customer_prefix: Text | None = None
    hostname: Annotated[str, Field(max_length=HOSTNAME_LENGTH)] | None = None
    subdomain: Text | None = None
    allowed_domains_origins: Domains | None = None
    allowed_domains_registration: Domains | None = None
    customer_settings: dict[str, Any] | None = None
    customer_metadata: dict[str, Any] | None = None

    def columns(self) -> dict[str, Any]:
        """What was sent for the operations: null means none where there can be none, else what is left out."""
        given = self.given()
        given.pop("status", None)
        given.pop("password", None)
        return {name: value for name, value in given.items() if value is not None or name in _CAN_BE_NONE}


_CAN_BE_NONE = frozenset(
    {"company_name", "first_name", "last_name", "timezone", "external_id", "customer_prefix", "hostname", "subdomain"}
)


class NewCustomer(CustomerBody):
    """A new customer. Its e-mail address is that of its owner, who is made if there is no such user."""

    email: Annotated[str, Field(max_length=EMAIL_LENGTH)]
    password: Annotated[
        str | None, Field(max_length=passwords.MAX_LENGTH, description="Of an owner who is made. Never answered.")
    ] = None


@bp.get("")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=CustomerSchema, many=True, listing=LISTING)
@bearer_only
def index() -> Response:
    """List the customers of which the caller is the owner or a member with rights; staff: all."""
    asked = query_params.list_query(LISTING)
    rows, page = pagination.rows_of(asked, visible_customers(actor.someone(), now()), _OWNER)
    return responses.listing([serialize_customer(row[0]) for row in rows], asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=CustomerSchema, status=201, listing=LISTING)
@staff(StaffPermission.CUSTOMERS_CREATE)
@takes(
    NewCustomer,
    example={
        "customer_type": "business",
        "company_name": "Initech",
        "first_name": "Peter",
        "last_name": "Gibbons",
        "email": "peter@initech.example",
        "country": "US",
        "currency": "USD",
    },
)
def create(body: NewCustomer) -> Response:
    """Make a customer with its owner. Without a password the owner sets one by a link that staff make."""
    selection = query_params.field_selection(LISTING)
    password_hash = passwords.checked_hash(body.password) if body.password is not None else None
    customer = create_customer(by=actor.someone(), password_hash=password_hash, **body.columns())
    if body.status is not None:
        change_customer_status(customer, body.status, by=actor.someone())
    return responses.created(
        serialize_customer(customer),
        selection,
        at=f"/api/v1/customers/{customer.id}",
        tag=responses.etag_of(customer),
    )


@bp.get("/<anyid:customer_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=CustomerSchema, listing=LISTING)
@at_customer()
def show_one(customer: Customer) -> Response:
    """Read a customer."""
    selection = query_params.field_selection(LISTING)
    return responses.single(serialize_customer(customer), selection, tag=responses.etag_of(customer))


@bp.patch("/<anyid:customer_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=CustomerSchema, listing=LISTING, refusals=(403,))
@at_customer(CustomerPermission.CUSTOMER_EDIT)
@takes(CustomerBody, example={"first_name": "Peter", "country": "DE"})
def change(customer: Customer, body: CustomerBody) -> Response:
    """Change a customer. Its people change its names, country and time zone; everything else only staff.

    A status that stops rooms ends what runs in them, and `terminated` makes subscriptions and accounts inactive.
    """
    selection = query_params.field_selection(LISTING)
    responses.check_if_match(customer)
    lock(customer)
    columns = body.columns()
    if body.status is not None or OF_STAFF & columns.keys():
        require_staff(StaffPermission.CUSTOMERS_UPDATE, customer)
    change_customer(customer, by=actor.someone(), **columns)
    if body.status is not None:
        change_customer_status(customer, body.status, by=actor.someone())
    return responses.single(serialize_customer(customer), selection, tag=responses.etag_of(customer))


@bp.delete("/<anyid:customer_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, status=204, refusals=(403, 409))
@staff(StaffPermission.CUSTOMERS_DELETE, sees=visible_customer, customer=customer_with_id)
@takes(None)
def delete(customer: Customer) -> Response:
    """Delete a terminated customer with its subscriptions, accounts, rooms and links. Its people stay users."""
    responses.check_if_match(customer)
    delete_customer(customer, by=actor.someone())
    return responses.no_content()
