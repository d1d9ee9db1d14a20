"""What an actor may watch: the topics of the channels that tell of changes in rooms whose status he may see."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission


@dataclass(frozen=True)
class Watched:
    """The channels' topics to watch for changes of all rooms whose status an actor may see.

    `until` is when the first of these rights ends; None if none of them has an end.
    """

    topics: frozenset[str]
    until: datetime | None = None


def watched_topics(actor: Actor) -> Watched:
    """What the actor may watch now."""
    if StaffPermission.ROOMS_READ in actor.staff:
        return Watched(frozenset({"rooms"}))
    owned = session.execute(
        sa.union_all(
            *(
                sa.select(sa.literal(noun), kind.uuid).where(kind.owner_uuid == actor.uuid)
                for noun, kind in (("customer", Customer), ("account", Account))
            )
        )
    )
    topics = {f"owner:{actor.uuid}"} | {f"{noun}:{uuid}" for noun, uuid in owned}
    members = session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == actor.uuid))
    at = now()
    seeing = [member for member in members if Permission.STATUS_VIEW in member.granted(at)]
    topics |= {f"room:{member.room_uuid}" for member in seeing}
    return Watched(frozenset(topics), min((member.until for member in seeing if member.until), default=None))
