"""The API's routes for the users of a customer: its owner, and its members with their permissions."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import AwareDateTime, RequestBody
from portal.api.v1.place_users import (
    TAG,
    Email,
    MembershipChange,
    add_user,
    change_user,
    list_users,
    remove_user,
)
from portal.customers.models import Customer
from portal.customers.permission import CustomerPermission
from portal.edge.place_guard import at_customer, sees_people_of_customer
from portal.people.models import User
from portal.resources.place_users import CustomerUserSchema
from portal.scopes import Scope

bp = Blueprint("customer_users", __name__, url_prefix="/customers/<anyid:customer_id>/users")

LISTING = listing_of(CustomerUserSchema, User)
Permissions = Annotated[list[CustomerPermission], Field(max_length=50)]


class NewCustomerUser(RequestBody):
    """Somebody who becomes a member of the customer, named by e-mail address."""

    resource = CustomerUserSchema

    email: Email
    permissions: Permissions = Field(default_factory=list)
    until: AwareDateTime | None = None


class CustomerUserChange(MembershipChange):
    """What a member of the customer may do from now on."""

    resource = CustomerUserSchema

    permissions: Permissions = Field(default_factory=list)


@bp.get("")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=CustomerUserSchema, many=True, listing=LISTING)
@sees_people_of_customer
def index(customer: Customer) -> Response:
    """List the users of the customer: its one owner, and its members. For whoever manages them, and staff."""
    return list_users(customer, LISTING)


@bp.post("")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=CustomerUserSchema, status=201, listing=LISTING, refusals=(403,))
@at_customer(CustomerPermission.MEMBERS_MANAGE)
@takes(NewCustomerUser, example={"email": "bob@example.org", "permissions": ["rooms:create", "usage:view"]})
def create(customer: Customer, body: NewCustomerUser) -> Response:
    """Make somebody of the same customer a member; staff who read all users: anybody.

    Nobody grants what he lacks, nor for longer than he has it.
    """
    return add_user(
        customer,
        LISTING,
        email=body.email,
        permissions=body.permissions,
        until=body.until,
        at=f"/api/v1/customers/{customer.id}/users",
    )


@bp.patch("/<anyid:user_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=CustomerUserSchema, listing=LISTING, refusals=(403,))
@at_customer(CustomerPermission.MEMBERS_MANAGE)
@takes(CustomerUserChange, example={"permissions": ["usage:view"], "until": "2027-06-30"})
def change(customer: Customer, user_id: str, body: CustomerUserChange) -> Response:
    """Replace what a member may do, or make him the owner. Rights that the caller lacks stay as they are."""
    return change_user(customer, user_id, LISTING, permissions=body.permissions, body=body)


@bp.delete("/<anyid:user_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, status=204, refusals=(403,))
@at_customer(CustomerPermission.MEMBERS_MANAGE)
@takes(None)
def delete(customer: Customer, user_id: str) -> Response:
    """End a membership. The owner cannot be removed."""
    return remove_user(customer, user_id)
