"""The API's routes for the tokens of a room, which are links with a role."""

from datetime import timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy.orm import joinedload

from portal.admission import tokens
from portal.admission.issuing import MOST_USES, IssuedLink, issue_token
from portal.admission.models import LABEL_LENGTH, RoomToken
from portal.admission.queries import find_own_token
from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import FieldSelection, Listing, listing_of
from portal.api.v1.core.request_body import WHOLE, AwareDateTime, RequestBody
from portal.db import session
from portal.edge import actor
from portal.edge.guard import requires
from portal.edge.reading_guard import reads
from portal.errors import NotFound
from portal.people.models import NAME_LENGTH, User
from portal.permissions.permission import Permission
from portal.resources.access import RoomTokenSchema, serialize_token
from portal.rooms.models import Role, Room
from portal.rooms.room_read import AnyRoom, RoomRead
from portal.scopes import Scope

bp = Blueprint("tokens", __name__, url_prefix="/rooms/<anyid:room_id>/tokens")

TAG = "Tokens"
LISTING = listing_of(
    RoomTokenSchema,
    RoomToken,
    extra={"automatic": {"type": "boolean", "description": "Also the automatic guest tokens of a public room."}},
)
ONE = Listing(columns={}, tie=RoomToken.uuid, fields=LISTING.fields)

Label = Annotated[str, Field(max_length=LABEL_LENGTH)]
Person = Annotated[str, Field(max_length=NAME_LENGTH)]
Uses = Annotated[int, Field(ge=1, le=MOST_USES), WHOLE]


class TokenChange(RequestBody):
    """The fields of a link that can be changed."""

    resource = RoomTokenSchema

    role: Role = Role.GUEST
    expires_at: AwareDateTime | None = None
    label: Label = ""
    not_before: AwareDateTime | None = None
    max_uses: Uses | None = None
    person: Person = ""
    paused: bool = False


class NewToken(TokenChange):
    """A new link."""

    role: Role


class Rotation(RequestBody):
    """How long the old link goes on working beside the new one."""

    grace_minutes: Annotated[int, Field(ge=0, le=10_080), WHOLE] = 0


@bp.get("")
@endpoint(TAG, scope=Scope.ACCESS_READ, returns=RoomTokenSchema, many=True, listing=LISTING)
@requires(Permission.TOKENS_VIEW)
def index(room: Room) -> Response:
    """List the room's tokens. Automatic ones of a public room only with `automatic=true`."""
    asked = query_params.list_query(LISTING)
    query = sa.select(RoomToken).where(RoomToken.room_uuid == room.uuid, RoomToken.revoked_at.is_(None))
    if not query_params.boolean_param("automatic"):
        query = query.where(RoomToken.automatic.is_(False))
    rows, page = pagination.rows_of(asked, query, joinedload(RoomToken.created_by).lazyload(User.platform_roles))
    return responses.listing([_serialized(row[0], room) for row in rows], asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, returns=RoomTokenSchema, status=201, listing=ONE)
@reads(Permission.TOKENS_MANAGE)
@takes(
    NewToken,
    source={"role": "moderator", "expires_at": "2021-01-01"},
    personal={"role": "guest", "person": "Jun Tanaka", "max_uses": 1, "expires_at": "2027-01-31T18:30:00+01:00"},
)
def create(room: RoomRead, body: NewToken) -> Response:
    """Create a token. An end in the past is accepted and makes a token that lets nobody in."""
    selection, given = query_params.field_selection(ONE), body.given()
    paused = given.pop("paused", False)
    issued = issue_token(room=room, by=actor.someone(), **given)
    if not paused:
        return _created(room, issued, selection)
    token = session.get_one(RoomToken, issued.uuid)
    tokens.pause_token(token, by=actor.someone())
    return _created(room, token, selection)


@bp.get("/<anyid:token_id>")
@endpoint(TAG, scope=Scope.ACCESS_READ, returns=RoomTokenSchema, listing=ONE)
@requires(Permission.TOKENS_VIEW)
def show_one(room: Room, token_id: str) -> Response:
    """Read a token."""
    selection, token = query_params.field_selection(ONE), _own(room, token_id)
    return responses.single(_serialized(token, room), selection, tag=responses.etag_of(token))


@bp.patch("/<anyid:token_id>")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, returns=RoomTokenSchema, listing=ONE, refusals=(409,))
@requires(Permission.TOKENS_MANAGE)
@takes(TokenChange, example={"expires_at": None, "paused": True})
def change(room: Room, token_id: str, body: TokenChange) -> Response:
    """Change a token. Its text stays. A new role also applies at once to people who entered by it."""
    selection, token, by = query_params.field_selection(ONE), _own(room, token_id), actor.someone()
    tokens.lock_token(token)  # what is not given stays as it is by now
    responses.check_if_match(token)
    given = body.given()
    paused = given.pop("paused", None)
    if given:
        known = {
            name: getattr(token, name) for name in ("role", "label", "person", "not_before", "expires_at", "max_uses")
        }
        tokens.change_token(token, room=room, by=by, **{**known, **given})
    if paused is not None and paused is not (token.paused_at is not None):
        if paused:
            tokens.pause_token(token, by=by)
        else:
            tokens.resume_token(token, room=room, by=by)
    return responses.single(_serialized(token, room), selection, tag=responses.etag_of(token))


@bp.delete("/<anyid:token_id>")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, status=204)
@requires(Permission.TOKENS_MANAGE)
@takes(None)
def delete(room: Room, token_id: str) -> Response:
    """Revoke a token for good, with every token it replaced that still works. People who entered by it stay in."""
    token = _own(room, token_id)
    tokens.lock_token(token)
    if token.revoked_at is not None:
        raise NotFound  # somebody was faster
    responses.check_if_match(token)
    tokens.revoke_token(token, by=actor.someone())
    return responses.no_content()


@bp.post("/<anyid:token_id>/rotate")
@endpoint(TAG, scope=Scope.ACCESS_WRITE, returns=RoomTokenSchema, status=201, listing=ONE, refusals=(409,))
@requires(Permission.TOKENS_MANAGE)
@takes(Rotation, at_once={}, a_day={"grace_minutes": 1440})
def rotate(room: Room, token_id: str, body: Rotation) -> Response:
    """Replace a token by a new one with the same rights; the old one works on for the grace."""
    selection, grace = query_params.field_selection(ONE), timedelta(minutes=body.grace_minutes)
    fresh = tokens.rotate_token(_own(room, token_id), room=room, by=actor.someone(), grace=grace)
    return _created(room, fresh, selection)


def _created(room: AnyRoom, token: RoomToken | IssuedLink, selection: FieldSelection) -> Response:
    at = f"/api/v1/rooms/{room.id}/tokens/{token.id}"
    return responses.created(_serialized(token, room), selection, at=at, tag=responses.etag_of(token))


def _serialized(token: RoomToken | IssuedLink, room: AnyRoom) -> dict[str, Any]:
    return serialize_token(token, room, reader=actor.someone())


def _own(room: Room, token_id: str) -> RoomToken:
    """The token of this room with this id. Raises `NotFound` also for a revoked one, which is gone for programs."""
    token = find_own_token(room, token_id)
    if token is None or token.revoked_at is not None:
        raise NotFound
    return token
