"""Users, and the users of a room: its owner and its members."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import sqlalchemy as sa
from pydantic import Field

from portal.moments import iso_datetime
from portal.people.emails import canonical_email
from portal.people.models import User
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.resources.columns import Column, worded
from portal.resources.declaring import Id, IdentifiedResource, Read, serializer
from portal.rooms.models import Room
from portal.rooms.room_read import AnyRoom

_OWNS = User.uuid == Room.owner_uuid


class UserSchema(IdentifiedResource):
    """A person who signs in."""

    object: Literal["User"]
    name: str
    email: str


class _RoomUser(NamedTuple):
    """A user of a room; `member` is None for its owner, who may do everything."""

    user: User
    room: AnyRoom
    member: RoomMember | None

    @property
    def since(self) -> User | RoomMember:
        """The row that says when he became a user of the room."""
        return self.member or self.user

    @property
    def permissions(self) -> list[str]:
        return sorted(Permission if self.member is None else self.member.permissions)


class RoomUserSchema(IdentifiedResource):
    """A user of a room, and what he may do in it. `id` is the user's."""

    object: Literal["RoomUser"]
    id: Annotated[Id, Column(User.id), Read("user.id")]
    uuid: Annotated[str, Field(description="UUIDv7 (RFC 9562)."), Read(lambda one, _: str(one.user.uuid))]
    ulid: Annotated[str, Field(description="The same 128 bits in Crockford's base 32."), Read("user.ulid")]
    created_at: Annotated[
        datetime,
        Column(sa.case((_OWNS, User.created_at), else_=RoomMember.created_at)),
        Read("since.created_at"),
    ]
    updated_at: Annotated[
        datetime,
        Column(sa.case((_OWNS, User.updated_at), else_=RoomMember.updated_at)),
        Read("since.updated_at"),
    ]
    room_id: Annotated[Id, Read("room.id")]
    name: Annotated[str, worded(User.name), Read("user.name")]
    email: Annotated[str, Column(User.email, stored=lambda text: canonical_email(text) or text), Read("user.email")]
    owner: Annotated[bool, Read(lambda one, _: one.member is None)]
    permissions: list[Permission]
    until: Annotated[
        datetime | None,
        Column(sa.case((~_OWNS, RoomMember.until))),
        Read(lambda one, _: iso_datetime(one.member.until) if one.member else None),
    ]


serialize_user = serializer(UserSchema)
"""A person who signs in, from his row."""

_serialize_room_user = serializer(RoomUserSchema)


def serialize_room_user(member: RoomMember, room: AnyRoom) -> dict[str, Any]:
    """A member of a room, with the permissions granted to him in it. Its id is the user's."""
    return _serialize_room_user(_RoomUser(member.user, room, member))


def serialize_room_owner(room: Room) -> dict[str, Any]:
    """The owner of a room as a `RoomUser`, who has all permissions."""
    return _serialize_room_user(_RoomUser(room.owner, room, None))
