"""The API's routes for all users of the portal, for staff."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy.orm import selectinload

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import RequestBody
from portal.api.v1.staff_bodies import Email, Metadata, Name, TimeZone, set_status
from portal.edge import actor
from portal.edge.staff_guard import staff
from portal.people.models import User
from portal.people.operations import create_user
from portal.people.password_links import issue_password_link
from portal.people.staff import StaffPermission
from portal.people.user_status import UserStatus, change_user, find_user, known_users
from portal.permissions.user_deletion import delete_user
from portal.resources.declaring import fields_of
from portal.resources.staff import PlatformRoleSchema, PlatformUserSchema, serialize_platform_user
from portal.scopes import Scope

bp = Blueprint("platform_users", __name__, url_prefix="/users")

TAG = "Users and staff"
LISTING = listing_of(
    PlatformUserSchema, User, includes=("roles",), inner={"roles": frozenset(fields_of(PlatformRoleSchema))}
)


class NewPlatformUser(RequestBody):
    """A person who will sign in. There is no password yet: the answer has a link to set one."""

    resource = PlatformUserSchema

    email: Email
    name: Name
    timezone: TimeZone | None = None
    metadata: Metadata | None = None


class PlatformUserChange(RequestBody):
    """What is changed of a user."""

    resource = PlatformUserSchema

    email: Email | None = None
    name: Name | None = None
    timezone: TimeZone | None = None
    metadata: Metadata | None = None
    status: Annotated[UserStatus | None, Field(description="`inactive` signs the user out everywhere.")] = None


@bp.get("")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=PlatformUserSchema, many=True, listing=LISTING)
@staff(StaffPermission.USERS_READ)
def index() -> Response:
    """List all users."""
    asked = query_params.list_query(LISTING)
    rows, page = pagination.rows_of(asked, known_users(), selectinload(User.platform_roles))
    users = [serialize_platform_user(row[0], asked.selection.includes) for row in rows]
    return responses.listing(users, asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=PlatformUserSchema, status=201, listing=LISTING)
@staff(StaffPermission.USERS_CREATE)
@takes(NewPlatformUser, example={"email": "bob@example.org", "name": "Bob Fischer"})
def create(body: NewPlatformUser) -> Response:
    """Make a user. The answer has a link for the first password, good for a week, which is told only this once."""
    selection, somebody = query_params.field_selection(LISTING), actor.someone()
    user = create_user(email=body.email, name=body.name, by=somebody)
    change_user(user, timezone=body.timezone, metadata=body.metadata, by=somebody)
    made = serialize_platform_user(user, selection.includes, issue_password_link(user, by=somebody))
    return responses.created(made, selection, at=f"/api/v1/users/{user.id}", tag=responses.etag_of(user))


@bp.get("/<anyid:user_id>")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=PlatformUserSchema, listing=LISTING)
@staff(StaffPermission.USERS_READ, user=find_user)
def show_one(user: User) -> Response:
    """Read a user."""
    return _one(user)


@bp.patch("/<anyid:user_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=PlatformUserSchema, listing=LISTING)
@staff(StaffPermission.USERS_UPDATE, user=find_user)
@takes(PlatformUserChange, rename={"name": "Bob Fischer"}, switch_off={"status": "inactive"})
def change(user: User, body: PlatformUserChange) -> Response:
    """Change a user. Whoever may do more than the caller is not changed, nor the status of the last administrator."""
    responses.check_if_match(user)
    change_user(
        user, name=body.name, email=body.email, timezone=body.timezone, metadata=body.metadata, by=actor.someone()
    )
    set_status(user, body.status)
    return _one(user)


@bp.delete("/<anyid:user_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, status=204, refusals=(409,))
@staff(StaffPermission.USERS_DELETE, user=find_user)
@takes(None)
def delete(user: User) -> Response:
    """Delete a user who owns nothing: everything that says who it was goes, and all memberships and roles."""
    responses.check_if_match(user)
    delete_user(user, by=actor.someone())
    return responses.no_content()


def _one(user: User) -> Response:
    selection = query_params.field_selection(LISTING)
    shown = serialize_platform_user(user, selection.includes)
    return responses.single(shown, selection, tag=responses.etag_of(user))
