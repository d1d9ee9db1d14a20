"""The API's routes for the access codes of a room."""

import sqlalchemy as sa
from flask import Blueprint, Response
from sqlalchemy.orm import joinedload

from portal import serializers as serialize
from portal.admission import codes
from portal.admission.models import AccessCode
from portal.admission.queries import find_own_code
from portal.api.v1 import response_schemas
from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import Column, Listing
from portal.api.v1.core.word_search import words_begin
from portal.api.v1.request_schemas import CodeChange, NewCode
from portal.edge import actor
from portal.edge.guard import requires
from portal.errors import NotFound
from portal.people.models import User
from portal.permissions.permission import Permission
from portal.rooms.models import Role, Room
from portal.scopes import Scope

bp = Blueprint("access_codes", __name__, url_prefix="/rooms/<anyid:room_id>/access-codes")

TAG = "Access codes"
LISTING = Listing(
    columns={
        "created_at": Column(AccessCode.created_at, "moment"),
        "updated_at": Column(AccessCode.updated_at, "moment"),
        "role": Column(AccessCode.role, Role),
        "code": Column(AccessCode.code),
        "label": Column(AccessCode.label, like=lambda text: words_begin(AccessCode.label, text)),
        "expires_at": Column(AccessCode.expires_at, "moment", nullable=True),
        "last_usage": Column(AccessCode.last_usage, "moment", nullable=True),
        "use_count": Column(AccessCode.use_count, "number"),
        "id": Column(AccessCode.id),
    },
    tie=AccessCode.uuid,
    fields=frozenset(response_schemas.RoomAccessCodeSchema.model_fields),
)


@bp.get("")
@endpoint(TAG, scope=Scope.ACCESS_READ, returns=response_schemas.RoomAccessCodeSchema, many=True, listing=LISTING)
@requires(Permission.CODES_VIEW)
def index(room: Room) -> Response:
    """List the room's access codes."""
    asked = query_params.list_query(LISTING)
    query = sa.select(AccessCode).where(AccessCode.room_uuid == room.uuid)
    rows, page = pagination.rows_of(asked, query, joinedload(AccessCode.created_by).lazyload(User.platform_roles))
    return responses.listing([serialize.access_code(row[0], room) for row in rows], asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, returns=response_schemas.RoomAccessCodeSchema, status=201, listing=LISTING)
@requires(Permission.CODES_MANAGE)
@takes(NewCode, generated={"role": "attendee"}, chosen={"role": "guest", "code": "ROOM-2027", "label": "Press"})
def create(room: Room, body: NewCode) -> Response:
    """Create an access code. From now on every link of its role asks for a code."""
    selection = query_params.field_selection(LISTING)
    code = codes.create_code(room=room, by=actor.someone(), **body.given())
    at = f"/api/v1/rooms/{room.id}/access-codes/{code.id}"
    return responses.created(serialize.access_code(code, room), selection, at=at, tag=responses.etag_of(code))


@bp.get("/<anyid:code_id>")
@endpoint(TAG, scope=Scope.ACCESS_READ, returns=response_schemas.RoomAccessCodeSchema, listing=LISTING)
@requires(Permission.CODES_VIEW)
def show_one(room: Room, code_id: str) -> Response:
    """Read an access code."""
    selection, code = query_params.field_selection(LISTING), _own(room, code_id)
    return responses.single(serialize.access_code(code, room), selection, tag=responses.etag_of(code))


@bp.patch("/<anyid:code_id>")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, returns=response_schemas.RoomAccessCodeSchema, listing=LISTING)
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
    return responses.single(serialize.access_code(code, room), selection, tag=responses.etag_of(code))


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
