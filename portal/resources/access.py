"""The ways into a room: tokens, which are links with a role, and access codes."""

from collections.abc import Set
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from portal.admission.issuing import IssuedLink
from portal.admission.models import AccessCode, RoomToken
from portal.moments import iso_seconds
from portal.people.actor import Actor
from portal.permissions.rules import grantable_roles
from portal.resources.columns import Column, worded
from portal.resources.declaring import OMITTED, Id, IdentifiedResource, Read, serializer
from portal.resources.urls import token_url
from portal.rooms.models import Role
from portal.rooms.room_read import AnyRoom


class _About(NamedTuple):
    """The room of a token or code; and whether its secret is shown to whoever reads it, by role."""

    room: AnyRoom
    shown: Set[Role]


CREATED_BY = Read("created_by_id")
ROOM_ID = Read(lambda _, about: about.room.id)
EXPIRES_AT, LAST_USAGE = (
    Read(lambda row, _: iso_seconds(row.expires_at)),
    Read(lambda row, _: iso_seconds(row.last_usage)),
)


class RoomTokenSchema(IdentifiedResource):
    """A link into one room with one role."""

    object: Literal["RoomToken"]
    room_id: Annotated[Id, ROOM_ID]
    token: Annotated[
        str,
        Field(description="Left out for callers who may not hand this link out."),
        Read(lambda token, about: token.token if token.role in about.shown else OMITTED),
    ] = ""
    url: Annotated[
        str,
        Field(description="Left out like `token`."),
        Read(lambda token, about: token_url(about.room, token) if token.role in about.shown else OMITTED),
    ] = ""
    role: Annotated[Role, Column(RoomToken.role)]
    expires_at: Annotated[datetime | None, Column(RoomToken.expires_at), EXPIRES_AT]
    last_usage: Annotated[datetime | None, Column(RoomToken.last_usage), LAST_USAGE]
    label: Annotated[str, worded(RoomToken.label)]
    person: Annotated[str, worded(RoomToken.person)]
    not_before: Annotated[datetime | None, Column(RoomToken.not_before)]
    max_uses: Annotated[int | None, Column(RoomToken.max_uses)]
    use_count: Annotated[int, Column(RoomToken.use_count)]
    paused: Annotated[bool, Read(lambda token, _: token.paused_at is not None)]
    automatic: Annotated[bool, Column(RoomToken.automatic)]
    created_by: Annotated[Id | None, CREATED_BY]


class RoomAccessCodeSchema(IdentifiedResource):
    """A code that people with a link of the same role have to know."""

    object: Literal["RoomAccessCode"]
    room_id: Annotated[Id, ROOM_ID]
    code: Annotated[
        str, Column(AccessCode.code), Read(lambda code, about: code.code if code.role in about.shown else OMITTED)
    ]
    role: Annotated[Role, Column(AccessCode.role)]
    expires_at: Annotated[datetime | None, Column(AccessCode.expires_at), EXPIRES_AT]
    last_usage: Annotated[datetime | None, Column(AccessCode.last_usage), LAST_USAGE]
    label: Annotated[str, worded(AccessCode.label)]
    use_count: Annotated[int, Column(AccessCode.use_count)]
    created_by: Annotated[Id | None, CREATED_BY]


_serialize_token, _serialize_code = serializer(RoomTokenSchema), serializer(RoomAccessCodeSchema)


def serialize_token(token: RoomToken | IssuedLink, room: AnyRoom, *, reader: Actor | None = None) -> dict[str, Any]:
    """A room token. The secret and the link are included only if `reader` may hand out tokens of this role.

    Webhooks have no reader, so they never include them.
    """
    return _serialize_token(token, _About(room, grantable_roles(reader, room) if reader is not None else frozenset()))


def serialize_access_code(code: AccessCode, room: AnyRoom, *, secret: bool = True) -> dict[str, Any]:
    """An access code of a room. Without `secret` the code itself is left out."""
    return _serialize_code(code, _About(room, frozenset(Role) if secret else frozenset()))
