"""The API's routes for administrators: the users who hold roles, as the platform's own paths show them."""

import sqlalchemy as sa
from flask import Blueprint, Response
from sqlalchemy.orm import selectinload

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import RequestBody
from portal.api.v1.platform_users import TAG
from portal.api.v1.staff_bodies import Email, Metadata, Name, RoleIds, TimeZone, roles_named, set_status
from portal.edge import actor
from portal.edge.staff_guard import staff
from portal.errors import Invalid, Message
from portal.people.models import User, user_platform_roles
from portal.people.role_holders import make_staff_member, set_roles
from portal.people.staff import StaffPermission
from portal.people.user_status import UserStatus, change_user, find_user, known_users
from portal.resources.declaring import fields_of
from portal.resources.staff import AdminSchema, PlatformRoleSchema, serialize_admin
from portal.scopes import Scope

bp = Blueprint("admins", __name__, url_prefix="/admins")

LISTING = listing_of(AdminSchema, User, includes=("roles",), inner={"roles": frozenset(fields_of(PlatformRoleSchema))})


class NewAdmin(RequestBody):
    """A new member of the staff: a user who is made, or who exists and keeps the own name."""

    resource = AdminSchema

    email: Email
    name: Name
    roles_ids: RoleIds


class AdminChange(RequestBody):
    """What is changed of a member of the staff. `roles_ids` replaces all roles."""

    resource = AdminSchema

    email: Email | None = None
    name: Name | None = None
    timezone: TimeZone | None = None
    metadata: Metadata | None = None
    status: UserStatus | None = None
    roles_ids: RoleIds | None = None


def find_admin(admin_id: str) -> User | None:
    """The user with this id, uuid or ulid, if he holds any role."""
    user = find_user(admin_id)
    return user if user is not None and user.platform_roles else None


@bp.get("")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=AdminSchema, many=True, listing=LISTING)
@staff(StaffPermission.USERS_READ)
def index() -> Response:
    """List the members of the staff."""
    asked = query_params.list_query(LISTING)
    holders = known_users().where(sa.exists().where(user_platform_roles.c.user_uuid == User.uuid))
    rows, page = pagination.rows_of(asked, holders, selectinload(User.platform_roles))
    shown = [serialize_admin(row[0], asked.selection.includes) for row in rows]
    return responses.listing(shown, asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=AdminSchema, status=201, listing=LISTING)
@staff(StaffPermission.USERS_CREATE)
@takes(NewAdmin, example={"email": "bob@example.org", "name": "Bob Fischer", "roles_ids": ["r3Yh3DpQ2x"]})
def create(body: NewAdmin) -> Response:
    """Make somebody a member of the staff. The answer has a link for the first password, told only this once.

    For a user who was there already, who has no password, it has one only if the caller may change people.
    """
    selection, somebody = query_params.field_selection(LISTING), actor.someone()
    roles = roles_named(body.roles_ids)
    if not roles:
        raise Invalid(roles_ids=Message("Name at least one: without a role nobody belongs to the staff."))
    member = make_staff_member(email=body.email, name=body.name, roles=roles, by=somebody)
    made = serialize_admin(member.user, selection.includes, member.link)
    return responses.created(made, selection, at=f"/api/v1/admins/{member.user.id}", tag=responses.etag_of(member.user))


@bp.get("/<anyid:admin_id>")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=AdminSchema, listing=LISTING)
@staff(StaffPermission.USERS_READ, admin=find_admin)
def show_one(admin: User) -> Response:
    """Read a member of the staff."""
    return _one(admin)


@bp.patch("/<anyid:admin_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=AdminSchema, listing=LISTING)
@staff(StaffPermission.USERS_UPDATE, admin=find_admin)
@takes(AdminChange, switch_off={"status": "inactive"}, roles={"roles_ids": ["r3Yh3DpQ2x"]})
def change(admin: User, body: AdminChange) -> Response:
    """Change a member of the staff: as a user, and which roles are held."""
    responses.check_if_match(admin)
    change_user(
        admin, name=body.name, email=body.email, timezone=body.timezone, metadata=body.metadata, by=actor.someone()
    )
    set_status(admin, body.status)
    if body.roles_ids is not None:
        set_roles(admin, roles_named(body.roles_ids), by=actor.someone())
    return _one(admin)


@bp.delete("/<anyid:admin_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, status=204, refusals=(409,))
@staff(StaffPermission.USERS_UPDATE, admin=find_admin)
@takes(None)
def delete(admin: User) -> Response:
    """Take all roles from somebody, who stays a user. To delete the user, there is `DELETE /users/{user_id}`."""
    responses.check_if_match(admin)
    set_roles(admin, (), by=actor.someone())
    return responses.no_content()


def _one(admin: User) -> Response:
    selection = query_params.field_selection(LISTING)
    return responses.single(serialize_admin(admin, selection.includes), selection, tag=responses.etag_of(admin))
