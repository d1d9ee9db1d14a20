"""The API's routes for the users of an account: its owner, and its members with their permissions."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from portal.accounts.models import Account
from portal.accounts.permission import AccountPermission
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
from portal.edge.place_guard import in_account, sees_people_of_account
from portal.people.models import User
from portal.resources.place_users import AccountUserSchema
from portal.scopes import Scope

bp = Blueprint("account_users", __name__, url_prefix="/accounts/<anyid:account_id>/users")

LISTING = listing_of(AccountUserSchema, User)
Permissions = Annotated[list[AccountPermission], Field(max_length=50)]


class NewAccountUser(RequestBody):
    """Somebody who becomes a member of the account, named by e-mail address."""

    resource = AccountUserSchema

    email: Email
    permissions: Permissions = Field(default_factory=list)
    until: AwareDateTime | None = None


class AccountUserChange(MembershipChange):
    """What a member of the account may do from now on."""

    resource = AccountUserSchema

    permissions: Permissions = Field(default_factory=list)


@bp.get("")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=AccountUserSchema, many=True, listing=LISTING)
@sees_people_of_account
def index(account: Account) -> Response:
    """List the users of the account: its one owner, and its members. For whoever manages them, and staff."""
    return list_users(account, LISTING)


@bp.post("")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=AccountUserSchema, status=201, listing=LISTING, refusals=(403,))
@in_account(AccountPermission.MEMBERS_MANAGE)
@takes(NewAccountUser, example={"email": "bob@example.org", "permissions": ["rooms:create", "usage:view"]})
def create(account: Account, body: NewAccountUser) -> Response:
    """Make somebody of the same customer a member; staff who read all users: anybody.

    Nobody grants what he lacks, nor for longer than he has it.
    """
    return add_user(
        account,
        LISTING,
        email=body.email,
        permissions=body.permissions,
        until=body.until,
        at=f"/api/v1/accounts/{account.id}/users",
    )


@bp.patch("/<anyid:user_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=AccountUserSchema, listing=LISTING, refusals=(403,))
@in_account(AccountPermission.MEMBERS_MANAGE)
@takes(AccountUserChange, example={"permissions": ["usage:view"], "until": "2027-06-30"})
def change(account: Account, user_id: str, body: AccountUserChange) -> Response:
    """Replace what a member may do, or make him the owner. Rights that the caller lacks stay as they are."""
    return change_user(account, user_id, LISTING, permissions=body.permissions, body=body)


@bp.delete("/<anyid:user_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, status=204, refusals=(403,))
@in_account(AccountPermission.MEMBERS_MANAGE)
@takes(None)
def delete(account: Account, user_id: str) -> Response:
    """End a membership. The owner cannot be removed."""
    return remove_user(account, user_id)
