"""What platform staff did in a room on its customer's behalf, for the people of the room to see."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from portal.audit.action_words import action_words
from portal.audit.models import AuditEvent
from portal.db import literal_limit, read
from portal.errors import Message
from portal.people.models import User
from portal.rooms.models import Room

MOST = 3
_LAST = (
    sa.select(AuditEvent.action, AuditEvent.at, User.name)
    .outerjoin(User, User.uuid == AuditEvent.actor_uuid)
    .where(AuditEvent.room_uuid == sa.bindparam("room", type_=sa.Uuid()), AuditEvent.on_behalf_of_uuid.is_not(None))
    .order_by(AuditEvent.at.desc(), AuditEvent.uuid.desc())
    .limit(literal_limit(MOST))
)


@dataclass(frozen=True)
class ActOfStaff:
    """Something that a member of the platform's staff did. `who` is "" if there is no such user any more."""

    what: Message
    who: str
    at: datetime


def acts_of_staff(room: Room) -> list[ActOfStaff]:
    """The last that they did in this room, the newest first."""
    found = read(_LAST, {"room": room.uuid})
    return [ActOfStaff(action_words(action), name or "", at) for action, at, name in found]
