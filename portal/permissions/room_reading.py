"""Reading rooms as plain values, with what the reader was granted in each; and one under its lock, to change it.

Each statement is built once, because building it takes longer than executing it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.customers.models import Customer
from portal.db import locked_rows, read, short_id
from portal.people.actor import Actor
from portal.people.memberships import MembershipRead
from portal.permissions.members import RoomMember, granted
from portal.permissions.permission import Permission
from portal.permissions.rules import holds
from portal.permissions.visibility import READER, reader_is_member
from portal.rooms.models import Room
from portal.rooms.room_read import COLUMNS, EDITABLE, EditableRoom, RoomRead, with_what_stands_above
from portal.subscriptions.models import Subscription
from portal.subscriptions.provider_models import ServiceProvider


class RoomMembershipRead(MembershipRead):
    """What somebody was granted in a room, from the columns of his `RoomMember`."""

    __slots__ = ()

    def granted(self, at: datetime) -> frozenset[str]:
        """The permissions granted at `at`, with those that they imply."""
        return granted(self.permissions, self.until, at)


_MEMBERSHIP = (RoomMember.permissions.label("member_permissions"), RoomMember.until.label("member_until"))
READ = (*COLUMNS, *_MEMBERSHIP)
"""The columns that `as_room` takes, in its order, of the SELECT that `with_reader` makes."""


def with_reader(query: sa.Select[Any]) -> sa.Select[Any]:
    """`query` over rooms, joined with all that `READ` names: bind who reads as `reader`."""
    return with_what_stands_above(query).outerjoin(RoomMember, reader_is_member())


def rooms_read(uuids: sa.Select[UUID] | sa.CompoundSelect[UUID]) -> sa.Select[*tuple[Any, ...]]:
    """A SELECT of the columns `READ` of the rooms with these uuids, without order."""
    return with_reader(sa.select(*READ)).where(Room.uuid.in_(uuids))


def as_room(actor: Actor, row: Any) -> RoomRead:
    """The room in a row that begins with the columns `READ`; the actor's membership is noted for the rules."""
    *values, permissions, until = row[: len(READ)]
    room = RoomRead(*values)
    _note_membership(actor, room, permissions, until)
    return room


def _note_membership(actor: Actor, room: RoomRead, permissions: list[str] | None, until: datetime | None) -> None:
    actor.memberships[room.uuid] = RoomMembershipRead.of(permissions, until)


def one_room(*more: Any) -> sa.Select[*tuple[Any, ...]]:
    """A SELECT of the columns `READ`, and `more`, of the room `room_id` if it is not trashed."""
    return _of_one_room(sa.select(*READ, *more))


def _of_one_room(query: sa.Select[Any]) -> sa.Select[*tuple[Any, ...]]:
    return with_reader(query).where(Room.id == sa.bindparam("room_id", type_=sa.String()), Room.trashed_at.is_(None))


_ONE_ROOM = one_room()


def read_room(actor: Actor, room_id: str) -> RoomRead | None:
    """The room with this id, uuid or ulid, if the actor may see it; else None. By one statement for an id."""
    return read_one(actor, room_id, _ONE_ROOM)[0]


def read_one(actor: Actor, room_id: str, statement: sa.Select[Any]) -> tuple[RoomRead | None, tuple[Any, ...]]:
    """The room that a statement of `one_room` finds, if the actor may see it, and the values of the columns `more`."""
    params = {"room_id": short_id(Room, room_id), READER.key: actor.uuid}
    row = read(statement, params).first()
    if row is None:
        return None, ()
    room = as_room(actor, row)
    return (room, tuple(row[len(READ) :])) if holds(actor, Permission.ROOM_VIEW, room) else (None, ())


_RELATED = sa.or_(
    Room.owner_uuid == READER,
    Account.owner_uuid == READER,
    Customer.owner_uuid == READER,
    RoomMember.user_uuid.is_not(None),
    sa.bindparam("staff", type_=sa.Boolean()),
)
"""That the reader has to do with the room. Of others it is not locked, so that no stranger makes people wait."""
_LOCK_ONE = (
    _of_one_room(sa.select(*EDITABLE, *_MEMBERSHIP))
    .join(ServiceProvider, ServiceProvider.uuid == Subscription.provider_uuid)
    .where(_RELATED)
    .with_for_update(of=Room, key_share=True)
)


def lock_editable_room(actor: Actor, room_id: str) -> EditableRoom | None:
    """The room with this id, uuid or ulid, locked until the transaction ends, if the actor may see it; else None.

    By one statement for an id, as `read_room`. Rows that refer to the room can be written meanwhile, as with `db.lock`.
    """
    params = {"room_id": short_id(Room, room_id), READER.key: actor.uuid, "staff": bool(actor.staff)}
    row = read(_LOCK_ONE, params).first()
    if row is None:
        return None
    *values, permissions, until = row
    room = EditableRoom(*values)
    locked_rows().add(("row", room.uuid))
    _note_membership(actor, room, permissions, until)
    return room if holds(actor, Permission.ROOM_VIEW, room) else None
