"""The JSON payload of an event: the thing as the API serializes it at that time, without its secrets."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.admission.models import AccessCode, RoomToken
from portal.audit.changes import CHANGES
from portal.audit.operations import Auditable
from portal.clock import now
from portal.customers.models import Customer
from portal.db import Base, session
from portal.media.models import Recording
from portal.moments import iso_datetime
from portal.people.models import User
from portal.permissions.members import RoomMember
from portal.resources.access import serialize_access_code, serialize_token
from portal.resources.people import serialize_room_user
from portal.resources.recordings import serialize_recording
from portal.resources.rooms import serialize_room
from portal.resources.sessions import serialize_participation_in, serialize_session
from portal.resources.subscriptions import serialize_account, serialize_customer, serialize_subscription
from portal.resources.videos import serialize_video
from portal.rooms.models import Room
from portal.status.models import Participation, RoomSession
from portal.subscriptions.models import Subscription
from portal.videos.models import RoomVideo


def encoded(kind: str, data: Mapping[str, Any], at: datetime) -> str:
    """The JSON text that is signed and sent."""
    content = {"type": kind, "timestamp": iso_datetime(at), "data": data}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def loaded(thing: Auditable) -> object:
    """The row that `thing` is, or of which it is a value that was read as columns and may have been changed since."""
    if isinstance(thing, Base):
        return thing
    model = next(one.class_ for one in Base.registry.mappers if one.class_.__tablename__ == thing.__tablename__)
    return session.get_one(model, thing.uuid, populate_existing=True)


@contextmanager
def preloaded(things: Collection[object]) -> Iterator[None]:
    """Load the tokens and users of all these participations at once, so that `payload_data` need not load each."""
    participations = [thing for thing in things if isinstance(thing, Participation)]
    loaded: list[object] = []  # the session finds a row without a query only while something refers to it
    if len(participations) > 1:
        loaded += _all(RoomToken, {one.token_uuid for one in participations})
        loaded += _all(User, {one.user_uuid for one in participations})
    yield
    loaded.clear()


def payload_data(action: str, thing: object, room: Room, details: Mapping[str, Any]) -> dict[str, Any]:
    """The `data` of an event about `thing`: its serialization, or else the room's id and the details of the audit.

    For a token that was rotated it is the new token. Values before and after are for the audit only.
    """
    match thing:
        case RoomToken(rotated_to=RoomToken() as fresh) if action == "token.rotated":
            return serialize_token(fresh, room)
        case RoomToken():
            return serialize_token(thing, room)
        case AccessCode():
            return serialize_access_code(thing, room, secret=False)
        case RoomMember():
            return serialize_room_user(thing, room)
        case Recording():
            return serialize_recording(thing, room)
        case RoomVideo():
            return serialize_video(thing, room)
        case RoomSession():
            return serialize_session(thing, room)
        case Participation():
            return serialize_participation_in(thing, room)
    told = {name: value for name, value in details.items() if name != CHANGES}
    if thing is room and not told:
        return serialize_room(room)
    return {"object": "Room", "id": room.id, "room_id": room.id, **told}


def portal_payload_data(thing: object) -> dict[str, Any]:
    """The `data` of an event about a customer, an account or a subscription: its serialization."""
    match thing:
        case Customer():
            return serialize_customer(thing)
        case Account():
            return serialize_account(thing)
        case Subscription():
            return serialize_subscription(thing, now())
    raise TypeError(type(thing))


def _all(kind: type[RoomToken] | type[User], uuids: Collection[UUID | None]) -> list[object]:
    wanted = [uuid for uuid in uuids if uuid is not None]
    return list(session.scalars(sa.select(kind).where(kind.uuid.in_(wanted))).unique()) if wanted else []
