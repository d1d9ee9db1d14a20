"""Removals: whom a moderator removed from the running run and so keeps out of it, and letting somebody in again.

A removed visitor is known again by device, user, or a link that is his alone: a personal or an automatic one, and those
that it replaced or that replaced it. Whoever came by a link that others may have, too, can come back with it and a
fresh browser, so moderators are told. The removal ends with the run, or when a moderator readmits him; the
participation keeps its ending, because he was removed.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

import sqlalchemy as sa

from portal.admission.models import RoomToken
from portal.audit.operations import record_event
from portal.clock import now
from portal.column_types import constant
from portal.db import session
from portal.errors import Message, NotFound
from portal.people.actor import Actor
from portal.rooms.models import Room
from portal.rooms.operations import nudge_watchers
from portal.rooms.room_read import AnyRoom
from portal.status.locking import lock_room
from portal.status.models import Ending, Participation, RoomSession

KEPT_OUT = sa.and_(Participation.ending == constant(Ending.REMOVED), Participation.readmitted_at.is_(None))
"""The condition on participations that keep their visitor out, for as long as their run is running.

There is an index on exactly this condition.
"""


def removed_people(room: AnyRoom) -> list[Participation]:
    """The participations of those who are kept out of the room's running run, in the order of their removal."""
    return list(session.scalars(_removed_from(room).order_by(Participation.left_at, Participation.uuid)))


def find_removed(room: Room, participation_id: str) -> Participation:
    """The participation, with this id, of somebody who is kept out of the running run. Raises `NotFound`."""
    removed = session.scalar(_removed_from(room).where(Participation.id == participation_id))
    if removed is None:
        raise NotFound(Message("This person may come in again already."))
    return removed


def readmit(
    room: Room, participation_id: str, *, by: Actor | None, moderator: Participation | None = None
) -> Participation:
    """Let somebody who was removed come in again, by whichever removal of this run he is kept out.

    `by` is the user who does so, None for a guest; `moderator` his own participation, if he is in. Returns the
    participation that was removed. Raises `NotFound` if nobody with this participation is kept out any more.
    """
    lock_room(room.uuid)
    removed = find_removed(room, participation_id)
    session.execute(
        sa.update(Participation)
        .where(Participation.session_uuid == removed.session_uuid, KEPT_OUT, sa.or_(*_same_visitor(removed)))
        .values(readmitted_at=now())
    )
    record_event(
        "participant.readmitted",
        removed,
        by=by,
        room=room.uuid,
        moderator=moderator.id if moderator is not None else None,
    )
    nudge_watchers(room)
    return removed


def is_shared(link: RoomToken) -> bool:
    """Whether several people may come by this link, so that it tells nobody from another."""
    return not link.person and not link.automatic


def shared_links(people: Sequence[Participation]) -> dict[UUID, RoomToken]:
    """Participation → the link by which it came, for those of these people who came by a shared one."""
    uuids = {person.token_uuid for person in people if person.token_uuid is not None}
    if not uuids:
        return {}
    links = {link.uuid: link for link in session.scalars(sa.select(RoomToken).where(RoomToken.uuid.in_(uuids)))}
    came_by = {person.uuid: links.get(person.token_uuid) for person in people if person.token_uuid is not None}
    return {uuid: link for uuid, link in came_by.items() if link is not None and is_shared(link)}


def _removed_from(room: AnyRoom) -> sa.Select[Participation]:
    return (
        sa.select(Participation)
        .join(Participation.run)
        .where(Participation.room_uuid == room.uuid, RoomSession.ended_at.is_(None), KEPT_OUT)
    )


def _same_visitor(removed: Participation) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions by each of which a participation is the same visitor's, as `queries` knows visitors again."""
    yield Participation.device == removed.device
    if removed.user_uuid is not None:
        yield Participation.user_uuid == removed.user_uuid
    token = session.get(RoomToken, removed.token_uuid) if removed.token_uuid is not None else None
    if token is not None and not is_shared(token):
        first = token.chain_uuid or token.uuid
        chain = sa.select(RoomToken.uuid).where(
            RoomToken.room_uuid == removed.room_uuid, sa.or_(RoomToken.uuid == first, RoomToken.chain_uuid == first)
        )
        yield Participation.token_uuid.in_(chain)
