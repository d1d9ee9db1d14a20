"""Access codes of rooms."""

import sqlalchemy as sa
from flask import Blueprint, Response
from sqlalchemy.orm import joinedload

from portal import representations as show
from portal.admission import codes
from portal.admission.models import AccessCode
from portal.admission.queries import find_own_code
from portal.api.v1 import answers, language, lists, shapes
from portal.api.v1.bodies import CodeChange, NewCode
from portal.api.v1.endpoint import endpoint, takes
from portal.api.v1.language import Column, Listing
from portal.api.v1.tokens import beginning
from portal.credentials.scopes import Scope
from portal.edge import actor
from portal.edge.guard import requires
from portal.errors import NotFound
from portal.people.models import User
from portal.permissions.permission import Permission
from portal.rooms.models import Role, Room

bp = Blueprint("access_codes", __name__, url_prefix="/rooms/<anyid:room_id>/access-codes")

TAG = "Access codes"
LISTING = Listing(
    columns={
        "created_at": Column(AccessCode.created_at, "moment"),
        "updated_at": Column(AccessCode.updated_at, "moment"),
        "role": Column(AccessCode.role, Role),
        "code": Column(AccessCode.code),
        "label": Column(AccessCode.label, like=lambda words: beginning(AccessCode.label, words)),
        "expires_at": Column(AccessCode.expires_at, "moment", nullable=True),
        "last_usage": Column(AccessCode.last_usage, "moment", nullable=True),
        "use_count": Column(AccessCode.use_count, "number"),
        "id": Column(AccessCode.id),
    },
    tie=AccessCode.uuid,
    fields=frozenset(shapes.RoomAccessCode.model_fields),
)


@bp.get("")
@endpoint(TAG, scope=Scope.ACCESS_READ, returns=shapes.RoomAccessCode, many=True, listing=LISTING)
@requires(Permission.CODES_VIEW)
def index(room: Room) -> Response:
    """List the room's access codes."""
    asked = language.query(LISTING)
    query = sa.select(AccessCode).where(AccessCode.room_uuid == room.uuid)
    rows, pagination = lists.rows_of(asked, query, joinedload(AccessCode.created_by).lazyload(User.platform_roles))
    return answers.many([show.access_code(row[0], room) for row in rows], asked.shape, pagination)


@bp.post("")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, returns=shapes.RoomAccessCode, status=201, listing=LISTING)
@requires(Permission.CODES_MANAGE)
@takes(NewCode, generated={"role": "attendee"}, chosen={"role": "guest", "code": "ROOM-2027", "label": "Press"})
def create(room: Room, body: NewCode) -> Response:
    """Create an access code. From now on every link of its role asks for a code."""
    shape = language.shape(LISTING)
    code = codes.create_code(room=room, by=actor.someone(), **body.given())
    at = f"/api/v1/rooms/{room.id}/access-codes/{code.id}"
    return answers.created(show.access_code(code, room), shape, at=at, tag=answers.tag_of(code))


@bp.get("/<anyid:code_id>")
@endpoint(TAG, scope=Scope.ACCESS_READ, returns=shapes.RoomAccessCode, listing=LISTING)
@requires(Permission.CODES_VIEW)
def show_one(room: Room, code_id: str) -> Response:
    """Read an access code."""
    shape, code = language.shape(LISTING), _own(room, code_id)
    return answers.one(show.access_code(code, room), shape, tag=answers.tag_of(code))


@bp.patch("/<anyid:code_id>")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, returns=shapes.RoomAccessCode, listing=LISTING)
@requires(Permission.CODES_MANAGE)
@takes(CodeChange, example={"expires_at": "2027-01-31"})
def change(room: Room, code_id: str, body: CodeChange) -> Response:
    """Change an access code."""
    shape, code = language.shape(LISTING), _own(room, code_id)
    codes.lock_code(code)  # what is not given stays as it is by now
    answers.expect_unchanged(code)
    if given := body.given():
        known = {name: getattr(code, name) for name in ("role", "code", "label", "expires_at")}
        codes.change_code(code, room=room, by=actor.someone(), **{**known, **given})
    return answers.one(show.access_code(code, room), shape, tag=answers.tag_of(code))


@bp.delete("/<anyid:code_id>")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, status=204)
@requires(Permission.CODES_MANAGE)
@takes(None)
def delete(room: Room, code_id: str) -> Response:
    """Delete an access code. With the role's last one, its links ask for none any more."""
    code = _own(room, code_id)
    codes.lock_code(code)
    answers.expect_unchanged(code)
    codes.delete_code(code, room=room, by=actor.someone())
    return answers.gone()


def _own(room: Room, code_id: str) -> AccessCode:
    code = find_own_code(room, code_id)
    if code is None:
        raise NotFound
    return code
