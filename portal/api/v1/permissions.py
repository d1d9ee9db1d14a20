"""The API's routes for the permissions of staff, and for those that roles hold."""

from flask import Blueprint, Response

from portal.api.v1.core import query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import Listing
from portal.api.v1.core.request_body import AnId, RequestBody
from portal.api.v1.roles import LISTING as ROLES
from portal.api.v1.roles import TAG, role_answer
from portal.api.v1.staff_bodies import PermissionIds, by_permissions_ids
from portal.db import lock
from portal.edge import actor
from portal.edge.staff_guard import staff
from portal.errors import Invalid, Message
from portal.people.models import PlatformRole
from portal.people.roles import change_role, find_role, permissions_of
from portal.people.staff import StaffPermission
from portal.resources.declaring import fields_of
from portal.resources.staff import PlatformPermissionSchema, PlatformRoleSchema, serialize_permission
from portal.scopes import Scope

bp = Blueprint("permissions", __name__, url_prefix="/permissions")

CATALOGUE = Listing(columns={}, tie=None, fields=frozenset(fields_of(PlatformPermissionSchema)))


class PermissionsOfRole(RequestBody):
    """A role, and the permissions that it gets, loses, or that are all it is to hold."""

    role_id: AnId
    permissions_ids: PermissionIds


EXAMPLE = {"role_id": "r3Yh3DpQ2x", "permissions_ids": ["staff:rooms:read", "staff:rooms:update"]}


@bp.get("")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=PlatformPermissionSchema, many=True, listing=CATALOGUE)
@staff(StaffPermission.ROLES_READ)
def index() -> Response:
    """List all permissions of staff, on one page."""
    selection = query_params.field_selection(CATALOGUE)
    data = [serialize_permission(one) for one in StaffPermission]
    return responses.listing(data, selection, responses.one_page(len(data)))


@bp.post("/attach")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=PlatformRoleSchema, listing=ROLES)
@staff(StaffPermission.ROLES_UPDATE)
@takes(PermissionsOfRole, example=EXAMPLE)
def attach(body: PermissionsOfRole) -> Response:
    """Add permissions to a role."""
    role = _named(body)
    with by_permissions_ids():
        change_role(role, permissions=permissions_of(role).union(body.permissions_ids), by=actor.someone())
    return role_answer(role)


@bp.post("/detach")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=PlatformRoleSchema, listing=ROLES)
@staff(StaffPermission.ROLES_UPDATE)
@takes(PermissionsOfRole, example=EXAMPLE)
def detach(body: PermissionsOfRole) -> Response:
    """Take permissions from a role, except `dashboard:access`, which each holds."""
    role = _named(body)
    with by_permissions_ids():
        change_role(role, permissions=permissions_of(role).difference(body.permissions_ids), by=actor.someone())
    return role_answer(role)


@bp.post("/sync")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=PlatformRoleSchema, listing=ROLES)
@staff(StaffPermission.ROLES_UPDATE)
@takes(PermissionsOfRole, example=EXAMPLE)
def sync(body: PermissionsOfRole) -> Response:
    """Let a role hold exactly these permissions, and `dashboard:access`."""
    role = _named(body)
    with by_permissions_ids():
        change_role(role, permissions=body.permissions_ids, by=actor.someone())
    return role_answer(role)


def _named(body: PermissionsOfRole) -> PlatformRole:
    """The role that the body names, locked, so that what is added to it or taken is all that changes."""
    role = find_role(body.role_id)
    if role is None:
        raise Invalid(role_id=Message("There is no such role."))
    lock(role)
    return role
