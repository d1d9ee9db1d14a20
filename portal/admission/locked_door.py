"""A door that is locked to let somebody in: the room, its codes and its people, read under the room's lock."""

from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import lazyload, object_mapper

from portal.admission.models import AccessCode, RoomToken
from portal.admission.occupancy import OCCUPANCY, Occupancy, this_token, visitor_params
from portal.admission.throttle_buckets import KNOWN, STRANGERS, code_buckets
from portal.admission.visitor import Visitor
from portal.db import session
from portal.errors import NotFound
from portal.rooms.features import used_limit
from portal.rooms.kinds import kind_of
from portal.rooms.models import Role, Room
from portal.status.locking import LockedRoom, locked_room_from_rows, locked_room_query
from portal.status.models import Participation
from portal.subscriptions.models import Subscription

_HERE = sa.bindparam("here", type_=sa.Uuid())


_ROLE = sa.bindparam("role", type_=AccessCode.role.type)


_ROOM_AND_CODES = (  # these statements are built once, because others wait while they are executed
    sa.select(Room, Subscription, AccessCode)
    .join(Room.subscription)
    .outerjoin(AccessCode, sa.and_(AccessCode.room_uuid == Room.uuid, AccessCode.role == _ROLE))
    .options(lazyload(Subscription.provider), lazyload(Subscription.features))
    .where(Room.uuid == _HERE, Room.trashed_at.is_(None))
    .order_by(AccessCode.uuid)
)


_LOCKING = _ROOM_AND_CODES.with_for_update(of=[Subscription, Room], key_share=True)


_LOCKING_UNLIMITED = _ROOM_AND_CODES.suffix_with(
    f"FOR SHARE OF {Subscription.__tablename__} FOR NO KEY UPDATE OF {Room.__tablename__}", dialect="postgresql"
)
"""For a plan without a limit of participants: it locks the subscription in share mode.

So people who enter other rooms of the plan need not wait, but ending the subscription does. The order of the locks is
that of `_LOCKING`: subscription, then room.
"""


_ENTERED_BEFORE = (
    sa.select(Participation.uuid)
    .where(
        Participation.room_uuid == _HERE,
        Participation.device == sa.bindparam("device", type_=sa.String()),
        Participation.role == _ROLE,
    )
    .correlate(None)
    .exists()
)


_BEHIND_THE_DOOR = (
    locked_room_query(_HERE).outerjoin(RoomToken, this_token()).add_columns(RoomToken, _ENTERED_BEFORE, *OCCUPANCY)
)


_BEHIND_A_CODE = _BEHIND_THE_DOOR.add_columns(STRANGERS.column, KNOWN.column)


@dataclass(frozen=True)
class LockedDoor:
    """What is known of a room and a visitor once the room is locked.

    `codes` are the access codes of the visitor's role. `known`: the device was in this room before, in this role.
    `retry_after`: for strangers and for known devices the Unix time from which a code may be tried again; None: now.
    """

    room: Room
    visitor: Visitor
    codes: list[AccessCode]
    occupancy: Occupancy
    here: LockedRoom
    known: bool
    retry_after: tuple[float | None, float | None]


def lock_door(room: Room, visitor: Visitor, *, network: str) -> LockedDoor:
    """Lock subscription and room, and read everything that entering depends on: two statements.

    Raises `NotFound` for a room that is gone.
    """
    codes = _lock(room, visitor.role)
    params = {"here": room.uuid, "role": visitor.role, **visitor_params(visitor)}
    if codes:
        for column, known_device in ((STRANGERS, None), (KNOWN, visitor.device or "")):
            buckets = code_buckets(room=room, role=visitor.role, network=network, known_device=known_device)
            params |= column.params(*buckets)
    rows = session.execute(_BEHIND_A_CODE if codes else _BEHIND_THE_DOOR, params).all()
    _status, _run, _person, token, known, *more = rows[0]
    occupancy, retry_after = Occupancy(*more[: len(OCCUPANCY)]), more[len(OCCUPANCY) :] or (None, None)
    return LockedDoor(
        room,
        replace(visitor, token=token),
        codes,
        occupancy,
        locked_room_from_rows(room, rows),
        known,
        (retry_after[0], retry_after[1]),
    )


def _lock(room: Room, role: Role) -> list[AccessCode]:
    """Lock and reload subscription and room, and return the role's codes: one statement. Raises `NotFound`."""
    room_uuid, subscription = room.uuid, room.subscription
    limit = kind_of(room).people_limit
    counted = limit is not None and used_limit(subscription.values, {}, limit) is not None
    locking = _LOCKING if counted else _LOCKING_UNLIMITED
    for thing in (room, subscription):
        plain = set(object_mapper(thing).column_attrs.keys()) - {"uuid"}
        session.expire(thing, plain)  # only the columns, which are reloaded below; relations stay loaded
    rows = session.execute(locking, {"here": room_uuid, "role": role}).all()
    if not rows:
        raise NotFound
    return [row[2] for row in rows if row[2] is not None]
