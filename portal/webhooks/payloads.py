"""What a message says: the API's own representation of the thing, at that moment, without its secrets."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal import representations as show
from portal.admission.models import AccessCode, RoomToken
from portal.admission.participations import participation_details
from portal.db import session
from portal.people.models import User
from portal.permissions.members import RoomMember
from portal.rooms.models import Room
from portal.status.models import Participation, RoomSession


def written(kind: str, data: Mapping[str, Any], at: datetime) -> str:
    """The text that is signed and sent."""
    content = {"type": kind, "timestamp": show.moment(at), "data": data}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


@contextmanager
def read_at_once(things: Collection[object]) -> Iterator[None]:
    """In here, `data_of` asks the database nothing about several participations that it asks about one of them."""
    stays = [thing for thing in things if isinstance(thing, Participation)]
    kept: list[object] = []  # what the session finds by its uuid for as long as somebody holds it
    if len(stays) > 1:
        kept += _all(RoomToken, {stay.token_uuid for stay in stays})
        kept += _all(User, {stay.user_uuid for stay in stays})
    yield
    kept.clear()


def data_of(action: str, thing: object, room: Room, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The thing as the API shows it; of what the API does not show, the room and the facts of the audit.

    A link that is being replaced tells of the one that replaces it, and never again afterwards.
    """
    match thing:
        case RoomToken(rotated_to=RoomToken() as fresh) if action == "token.rotated":
            return show.token(fresh, room)
        case RoomToken():
            return show.token(thing, room)
        case AccessCode():
            return show.access_code(thing, room, secret=False)
        case RoomMember():
            return show.room_user(thing, room)
        case RoomSession():
            return show.session(thing, room)
        case Participation():
            return {**show.participation(participation_details(thing)), "session_id": thing.run.id, "room_id": room.id}
    if thing is room and not facts:
        return show.room(room)
    return {"object": "Room", "id": room.id, "room_id": room.id, **facts}


def _all(kind: type[RoomToken] | type[User], uuids: Collection[UUID | None]) -> list[object]:
    wanted = [uuid for uuid in uuids if uuid is not None]
    return list(session.scalars(sa.select(kind).where(kind.uuid.in_(wanted))).unique()) if wanted else []
