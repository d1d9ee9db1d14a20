"""The API's routes for platform roles: making and changing them, and giving them to people."""

from collections.abc import Sequence

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import AnId, RequestBody
from portal.api.v1.platform_users import LISTING as USERS
from portal.api.v1.staff_bodies import Name, PermissionIds, RoleIds, Text, by_permissions_ids, roles_named, user_named
from portal.edge import actor
from portal.edge.staff_guard import staff
from portal.people.models import PlatformRole, User
from portal.people.role_holders import change_roles, set_roles
from portal.people.roles import change_role, create_role, delete_role, find_role
from portal.people.staff import StaffPermission
from portal.resources.declaring import fields_of
from portal.resources.staff import (
    PlatformPermissionSchema,
    PlatformRoleSchema,
    PlatformUserSchema,
    serialize_platform_user,
    serialize_role,
)
from portal.scopes import Scope

bp = Blueprint("roles", __name__, url_prefix="/roles")

TAG = "Roles and permissions"
LISTING = listing_of(
    PlatformRoleSchema,
    PlatformRole,
    includes=("permissions",),
    inner={"permissions": frozenset(fields_of(PlatformPermissionSchema))},
)


class NewRole(RequestBody):
    """A new role. `dashboard:access` is added when it is missing."""

    resource = PlatformRoleSchema

    name: Name
    display_name: Name = ""
    description: Text = ""
    permissions_ids: PermissionIds = Field(default_factory=list)


class RoleChange(RequestBody):
    """What is changed of a role. `permissions_ids` replaces all permissions."""

    resource = PlatformRoleSchema

    display_name: Name | None = None
    description: Text | None = None
    permissions_ids: PermissionIds | None = None


class RolesOfUser(RequestBody):
    """A user, and the roles that are given, taken, or all there are to be."""

    user_id: AnId
    roles_ids: RoleIds


@bp.get("")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=PlatformRoleSchema, many=True, listing=LISTING)
@staff(StaffPermission.ROLES_READ)
def index() -> Response:
    """List all roles."""
    asked = query_params.list_query(LISTING)
    rows, page = pagination.rows_of(asked, sa.select(PlatformRole))
    return responses.listing([serialize_role(row[0], asked.selection.includes) for row in rows], asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=PlatformRoleSchema, status=201, listing=LISTING)
@staff(StaffPermission.ROLES_CREATE)
@takes(NewRole, example={"name": "sales-team", "permissions_ids": ["staff:customers:read", "staff:customers:create"]})
def create(body: NewRole) -> Response:
    """Make a role. Nobody puts into it what he lacks himself; a permission to write needs that to read the same."""
    selection = query_params.field_selection(LISTING)
    with by_permissions_ids():
        role = create_role(
            name=body.name,
            display_name=body.display_name,
            description=body.description,
            permissions=body.permissions_ids,
            by=actor.someone(),
        )
    made, at = serialize_role(role, selection.includes), f"/api/v1/roles/{role.id}"
    return responses.created(made, selection, at=at, tag=responses.etag_of(role))


@bp.get("/<anyid:role_id>")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=PlatformRoleSchema, listing=LISTING)
@staff(StaffPermission.ROLES_READ, role=find_role)
def show_one(role: PlatformRole) -> Response:
    """Read a role."""
    return role_answer(role)


@bp.patch("/<anyid:role_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=PlatformRoleSchema, listing=LISTING)
@staff(StaffPermission.ROLES_UPDATE, role=find_role)
@takes(RoleChange, example={"display_name": "Sales team", "description": "Take customers on."})
def change(role: PlatformRole, body: RoleChange) -> Response:
    """Change a role, except for its name. The built-in role stays as it is."""
    responses.check_if_match(role)
    with by_permissions_ids():
        change_role(
            role,
            display_name=body.display_name,
            description=body.description,
            permissions=body.permissions_ids,
            by=actor.someone(),
        )
    return role_answer(role)


@bp.delete("/<anyid:role_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, status=204, refusals=(409,))
@staff(StaffPermission.ROLES_DELETE, role=find_role)
@takes(None)
def delete(role: PlatformRole) -> Response:
    """Delete a role that nobody holds."""
    responses.check_if_match(role)
    delete_role(role, by=actor.someone())
    return responses.no_content()


@bp.post("/assign")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=PlatformUserSchema, listing=USERS)
@staff(StaffPermission.USERS_UPDATE)
@takes(RolesOfUser, example={"user_id": "u3Yh3DpQ2x", "roles_ids": ["r3Yh3DpQ2x"]})
def assign(body: RolesOfUser) -> Response:
    """Give roles to a user, who keeps those that he has."""
    user, roles = _named(body)
    change_roles(user, give=roles, by=actor.someone())
    return _user_answer(user)


@bp.post("/revoke")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=PlatformUserSchema, listing=USERS)
@staff(StaffPermission.USERS_UPDATE)
@takes(RolesOfUser, example={"user_id": "u3Yh3DpQ2x", "roles_ids": ["r3Yh3DpQ2x"]})
def revoke(body: RolesOfUser) -> Response:
    """Take roles from a user. The last active administrator keeps the built-in one."""
    user, roles = _named(body)
    change_roles(user, take=roles, by=actor.someone())
    return _user_answer(user)


@bp.post("/sync")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=PlatformUserSchema, listing=USERS)
@staff(StaffPermission.USERS_UPDATE)
@takes(RolesOfUser, example={"user_id": "u3Yh3DpQ2x", "roles_ids": ["r3Yh3DpQ2x"]})
def sync(body: RolesOfUser) -> Response:
    """Let a user hold exactly these roles."""
    user, roles = _named(body)
    set_roles(user, roles, by=actor.someone())
    return _user_answer(user)


def role_answer(role: PlatformRole) -> Response:
    """The role, with the fields and relations that are asked for."""
    selection = query_params.field_selection(LISTING)
    return responses.single(serialize_role(role, selection.includes), selection, tag=responses.etag_of(role))


def _named(body: RolesOfUser) -> tuple[User, Sequence[PlatformRole]]:
    return user_named(body.user_id), roles_named(body.roles_ids)


def _user_answer(user: User) -> Response:
    selection = query_params.field_selection(USERS)
    return responses.single(serialize_platform_user(user, selection.includes), selection)
