"""What a message says: the API's own representation of the thing, at that moment, without its secrets."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal import serializers as serialize
from portal.admission.models import AccessCode, RoomToken
from portal.admission.participations import participation_details
from portal.db import session
from portal.moments import iso_datetime
from portal.people.models import User
from portal.permissions.members import RoomMember
from portal.rooms.models import Room
from portal.status.models import Participation, RoomSession


def encoded(kind: str, data: Mapping[str, Any], at: datetime) -> str:
    """The text that is signed and sent."""
    content = {"type": kind, "timestamp": iso_datetime(at), "data": data}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


@contextmanager
def preloaded(things: Collection[object]) -> Iterator[None]:
    """In here, `data_of` asks the database nothing about several participations that it asks about one of them."""
    stays = [thing for thing in things if isinstance(thing, Participation)]
    kept: list[object] = []  # what the session finds by its uuid for as long as somebody holds it
    if len(stays) > 1:
        kept += _all(RoomToken, {stay.token_uuid for stay in stays})
        kept += _all(User, {stay.user_uuid for stay in stays})
    yield
    kept.clear()


def payload_data(action: str, thing: object, room: Room, details: Mapping[str, Any]) -> dict[str, Any]:
    """The thing as the API shows it; of what the API does not show, the room and the details of the audit.

    A link that is being replaced tells of the one that replaces it, and never again afterwards.
    """
    match thing:
        case RoomToken(rotated_to=RoomToken() as fresh) if action == "token.rotated":
            return serialize.token(fresh, room)
        case RoomToken():
            return serialize.token(thing, room)
        case AccessCode():
            return serialize.access_code(thing, room, secret=False)
        case RoomMember():
            return serialize.room_user(thing, room)
        case RoomSession():
            return serialize.session(thing, room)
        case Participation():
            return {
                **serialize.participation(participation_details(thing)),
                "session_id": thing.run.id,
                "room_id": room.id,
            }
    if thing is room and not details:
        return serialize.room(room)
    return {"object": "Room", "id": room.id, "room_id": room.id, **details}


def _all(kind: type[RoomToken] | type[User], uuids: Collection[UUID | None]) -> list[object]:
    wanted = [uuid for uuid in uuids if uuid is not None]
    return list(session.scalars(sa.select(kind).where(kind.uuid.in_(wanted))).unique()) if wanted else []
