"""The API's routes for the access codes of a room."""

from typing import Annotated

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy.orm import joinedload

from portal.admission import codes
from portal.admission.models import AccessCode
from portal.admission.queries import find_own_code
from portal.admission.secrets import CODE_LONGEST, CODE_SHORTEST
from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import AwareDateTime, RequestBody
from portal.api.v1.tokens import Label
from portal.edge import actor
from portal.edge.guard import requires
from portal.errors import NotFound
from portal.people.models import User
from portal.permissions.permission import Permission
from portal.resources.access import RoomAccessCodeSchema, serialize_access_code
from portal.rooms.models import Role, Room
from portal.scopes import Scope

bp = Blueprint("access_codes", __name__, url_prefix="/rooms/<anyid:room_id>/access-codes")

TAG = "Access codes"
LISTING = listing_of(RoomAccessCodeSchema, AccessCode)

Code = Annotated[str, Field(min_length=CODE_SHORTEST, max_length=CODE_LONGEST)]


class CodeChange(RequestBody):
    """The fields of an access code that can be changed."""

    resource = RoomAccessCodeSchema

    code: Code = ""
    role: Role = Role.GUEST
    expires_at: AwareDateTime | None = None
    label: Label = ""


class NewCode(CodeChange):
    """A new access code; generated when `code` is left out."""

    role: Role


@bp.get("")
@endpoint(TAG, scope=Scope.ACCESS_READ, returns=RoomAccessCodeSchema, many=True, listing=LISTING)
@requires(Permission.CODES_VIEW)
def index(room: Room) -> Response:
    """List the room's access codes."""
    asked = query_params.list_query(LISTING)
    query = sa.select(AccessCode).where(AccessCode.room_uuid == room.uuid)
    rows, page = pagination.rows_of(asked, query, joinedload(AccessCode.created_by).lazyload(User.platform_roles))
    return responses.listing([serialize_access_code(row[0], room) for row in rows], asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, returns=RoomAccessCodeSchema, status=201, listing=LISTING)
@requires(Permission.CODES_MANAGE)
@takes(NewCode, generated={"role": "attendee"}, chosen={"role": "guest", "code": "ROOM-2027", "label": "Press"})
def create(room: Room, body: NewCode) -> Response:
    """Create an access code. From now on every link of its role asks for a code."""
    selection = query_params.field_selection(LISTING)
    code = codes.create_code(room=room, by=actor.someone(), **body.given())
    at = f"/api/v1/rooms/{room.id}/access-codes/{code.id}"
    return responses.created(serialize_access_code(code, room), selection, at=at, tag=responses.etag_of(code))


@bp.get("/<anyid:code_id>")
@endpoint(TAG, scope=Scope.ACCESS_READ, returns=RoomAccessCodeSchema, listing=LISTING)
@requires(Permission.CODES_VIEW)
def show_one(room: Room, code_id: str) -> Response:
    """Read an access code."""
    selection, code = query_params.field_selection(LISTING), _own(room, code_id)
    return responses.single(serialize_access_code(code, room), selection, tag=responses.etag_of(code))


@bp.patch("/<anyid:code_id>")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, returns=RoomAccessCodeSchema, listing=LISTING)
@requires(Permission.CODES_MANAGE)
@takes(CodeChange, example={"expires_at": "2027-01-31"})
def change(room: Room, code_id: str, body: CodeChange) -> Response:
    """Change an access code."""
    selection, code = query_params.field_selection(LISTING), _own(room, code_id)
    codes.lock_code(code)  # what is not given stays as it is by now
    responses.check_if_match(code)
    if given := body.given():
        known = {name: getattr(code, name) for name in ("role", "code", "label", "expires_at")}
        codes.change_code(code, room=room, by=actor.someone(), **{**known, **given})
    return responses.single(serialize_access_code(code, room), selection, tag=responses.etag_of(code))


@bp.delete("/<anyid:code_id>")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, status=204)
@requires(Permission.CODES_MANAGE)
@takes(None)
def delete(room: Room, code_id: str) -> Response:
    """Delete an access code. With the role's last one, its links ask for none any more."""
    code = _own(room, code_id)
    codes.lock_code(code)
    responses.check_if_match(code)
    codes.delete_code(code, room=room, by=actor.someone())
    return responses.no_content()


def _own(room: Room, code_id: str) -> AccessCode:
    code = find_own_code(room, code_id)
    if code is None:
        raise NotFound
    return code
