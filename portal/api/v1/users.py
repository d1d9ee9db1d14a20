"""The API's routes for the users of a room: its owner, and its members with their permissions."""

from typing import Annotated, Any

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy.orm import join, lazyload

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import AnId, AwareDateTime, RequestBody
from portal.db import lock
from portal.edge import actor
from portal.edge.guard import requires
from portal.errors import Invalid, Message
from portal.people.models import EMAIL_LENGTH, User
from portal.permissions.members import RoomMember
from portal.permissions.operations import add_member, change_member, find_member_of_user, remove_member
from portal.permissions.permission import Permission
from portal.resources.people import RoomUserSchema, serialize_room_owner, serialize_room_user
from portal.rooms.models import Room
from portal.scopes import Scope

bp = Blueprint("users", __name__, url_prefix="/rooms/<anyid:room_id>/users")

TAG = "Users of rooms"
LISTING = listing_of(RoomUserSchema, User)

Email = Annotated[str, Field(max_length=EMAIL_LENGTH)]
Permissions = Annotated[list[Permission], Field(max_length=50)]


class NewUser(RequestBody):
    """A user who becomes a member of the room, named by e-mail address or id."""

    resource = RoomUserSchema

    email: Email | None = None
    user_id: AnId | None = None
    permissions: Permissions = Field(default_factory=list)
    until: AwareDateTime | None = None


class UserChange(RequestBody):
    """What a member of the room may do from now on."""

    resource = RoomUserSchema

    permissions: Permissions = Field(default_factory=list)
    until: AwareDateTime | None = None


@bp.get("")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=RoomUserSchema, many=True, listing=LISTING)
@requires(Permission.MEMBERS_VIEW)
def index(room: Room) -> Response:
    """List the users of the room: its one owner, and its members."""
    asked = query_params.list_query(LISTING)
    rows, page = pagination.rows_of(asked, _users_of(room), lazyload(User.platform_roles))
    return responses.listing([_serialized(room, row[0], row[1]) for row in rows], asked.selection, page)


def _users_of(room: Room) -> sa.Select[User, RoomMember]:
    owner = sa.select(Room.owner_uuid).where(Room.uuid == room.uuid)
    people = owner.union(sa.select(RoomMember.user_uuid).where(RoomMember.room_uuid == room.uuid))
    here = sa.and_(RoomMember.user_uuid == User.uuid, RoomMember.room_uuid == Room.uuid)
    joined = join(User, Room, Room.uuid == room.uuid).outerjoin(RoomMember, here)
    return sa.select(User, RoomMember).select_from(joined).where(User.uuid.in_(people))


def _serialized(room: Room, user: User, member: RoomMember) -> dict[str, Any]:
    return serialize_room_owner(room) if user.uuid == room.owner_uuid else serialize_room_user(member, room)


@bp.post("")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=RoomUserSchema, status=201, listing=LISTING, refusals=(403,))
@requires(Permission.MEMBERS_MANAGE)
@takes(NewUser, example={"email": "bob@example.org", "permissions": ["status:view", "tokens:view"]})
def create(room: Room, body: NewUser) -> Response:
    """Make somebody of the same customer a member. Nobody grants what he lacks, nor for longer than he has it.

    Everybody else is refused alike, whether there is such a user or not.
    """
    selection = query_params.field_selection(LISTING)
    if (body.email is None) is (body.user_id is None):
        raise Invalid(email=Message("Name the user by email or by user_id."))
    member = add_member(
        room=room,
        email=body.email,
        user_id=body.user_id,
        permissions=body.permissions,
        until=body.until,
        by=actor.someone(),
    )
    at = f"/api/v1/rooms/{room.id}/users/{member.user.id}"
    return responses.created(serialize_room_user(member, room), selection, at=at, tag=responses.etag_of(member))


@bp.get("/<anyid:user_id>")
@endpoint(TAG, scope=Scope.PEOPLE_READ, returns=RoomUserSchema, listing=LISTING)
@requires(Permission.MEMBERS_VIEW)
def show_one(room: Room, user_id: str) -> Response:
    """Read a member of the room, or its owner."""
    selection = query_params.field_selection(LISTING)
    if room.owner.has_identifier(user_id):
        owner = serialize_room_owner(room)
        return responses.single(owner, selection, tag=responses.etag_of(room.owner))
    member = find_member_of_user(room, user_id)
    return responses.single(serialize_room_user(member, room), selection, tag=responses.etag_of(member))


@bp.patch("/<anyid:user_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, returns=RoomUserSchema, listing=LISTING, refusals=(403,))
@requires(Permission.MEMBERS_MANAGE)
@takes(UserChange, example={"permissions": ["status:view"], "until": "2027-06-30"})
def change(room: Room, user_id: str, body: UserChange) -> Response:
    """Replace what a member may do. Rights that the caller lacks can neither be given nor taken away."""
    selection, member = query_params.field_selection(LISTING), find_member_of_user(room, user_id)
    lock(member)  # what is not given stays as it is by now
    responses.check_if_match(member)
    given = body.given()
    if given:
        present = [Permission(value) for value in member.permissions if value in set(Permission)]
        change_member(
            member,
            room=room,
            permissions=given.get("permissions", present),
            until=given.get("until", member.until),
            by=actor.someone(),
        )
    return responses.single(serialize_room_user(member, room), selection, tag=responses.etag_of(member))


@bp.delete("/<anyid:user_id>")
@endpoint(TAG, scope=Scope.PEOPLE_WRITE, status=204, refusals=(403,))
@requires(Permission.MEMBERS_MANAGE)
@takes(None)
def delete(room: Room, user_id: str) -> Response:
    """End a membership; admissions and streams of that person end with it."""
    member = find_member_of_user(room, user_id)
    responses.check_if_match(member)
    remove_member(member, room=room, by=actor.someone())
    return responses.no_content()
