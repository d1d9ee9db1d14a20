"""What an actor may watch: the topics of the channels that tell of changes in rooms whose status he may see."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.clock import now
from portal.customers.models import Customer, customer_is_usable
from portal.db import session
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.models import Room


@dataclass(frozen=True)
class Watched:
    """The channels' topics to watch for changes of all rooms whose status an actor may see.

    `until` is when the first of these rights ends; None if none of them has an end.
    """

    topics: frozenset[str]
    until: datetime | None = None


EVERY_ROOM = Watched(frozenset({"rooms"}))


def watched_topics(actor: Actor) -> Watched:
    """What the actor may watch now."""
    return watched_by_each([actor])[actor.uuid]


def watched_by_each(actors: Collection[Actor]) -> dict[UUID, Watched]:
    """What these people may watch now, by two statements for all of them, by their uuids."""
    watched = {actor.uuid: EVERY_ROOM for actor in actors if StaffPermission.ROOMS_READ in actor.staff}
    people = {actor.uuid for actor in actors} - watched.keys()
    if not people:
        return watched
    topics, ends = {uuid: {f"owner:{uuid}"} for uuid in people}, dict[UUID, datetime]()
    for owner_uuid, noun, uuid in session.execute(
        sa.union_all(
            *(
                sa.select(kind.owner_uuid, sa.literal(noun), kind.uuid)
                .select_from(source)
                .where(kind.owner_uuid.in_(people), customer_is_usable())
                for noun, kind, source in (
                    ("customer", Customer, Customer),
                    ("account", Account, sa.join(Account, Customer, Customer.uuid == Account.customer_uuid)),
                )
            )
        )
    ):
        topics[owner_uuid].add(f"{noun}:{uuid}")
    at = now()
    in_rooms = sa.select(RoomMember).join(RoomMember.room).join(Room.customer)
    for member in session.scalars(in_rooms.where(RoomMember.user_uuid.in_(people), customer_is_usable())):
        if Permission.STATUS_VIEW not in member.granted(at):
            continue
        topics[member.user_uuid].add(f"room:{member.room_uuid}")
        if member.until is not None:
            ends[member.user_uuid] = min(member.until, ends.get(member.user_uuid, member.until))
    return watched | {uuid: Watched(frozenset(topics[uuid]), ends.get(uuid)) for uuid in people}
