"""A door that is locked to let somebody in: the room, its codes and its people, read under the room's lock."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.admission.door import LINK, DoorLink, DoorRoom, DoorSubscription
from portal.admission.links import CodeLife
from portal.admission.models import AccessCode, RoomToken
from portal.admission.occupancy import OCCUPANCY, Occupancy, this_token, visitor_params
from portal.admission.throttle_buckets import KNOWN, STRANGERS, code_buckets
from portal.admission.visitor import Visitor
from portal.db import session
from portal.errors import Message, NotFound
from portal.plain_values import columns_for
from portal.rooms.features import used_limit
from portal.rooms.kinds import kind_of
from portal.rooms.models import Role, Room
from portal.rooms.protocols import RoomLike
from portal.status.arrivals import ArrivalOutdated
from portal.status.entrance import ENTRANCE_WIDTH, Entrance, entrance_from_row, entrance_query
from portal.status.models import Participation
from portal.subscriptions.models import Subscription
from portal.subscriptions.term_read import TERM, TermRead


@dataclass(frozen=True)
class DoorCode(CodeLife):
    """An access code of the visitor's role."""

    __tablename__ = AccessCode.__tablename__

    uuid: UUID
    code: str = field(repr=False)
    normal: str = field(repr=False)
    role: Role
    expires_at: datetime | None


_MOVED = Message("This room was changed a moment ago. Try again.")


_HERE = sa.bindparam("here", type_=sa.Uuid())


_DEVICE = sa.bindparam("device", type_=sa.String())


_ROLE = sa.bindparam("role", type_=AccessCode.role.type)


_ROOM = (
    Room.subscription_uuid, Room.room_name, Room.slug, Room.status, Room.is_public, Room.room_features,
    Room.room_settings,
)  # fmt: skip
_ROOM_AND_CODES = (  # these statements are built once, because others wait while they are executed
    sa.select(*_ROOM, *TERM, *columns_for(DoorCode, AccessCode))
    .select_from(Room)
    .join(Subscription, Subscription.uuid == Room.subscription_uuid)
    .outerjoin(AccessCode, sa.and_(AccessCode.room_uuid == Room.uuid, AccessCode.role == _ROLE))
    .where(Room.uuid == _HERE, Room.trashed_at.is_(None))
    .order_by(AccessCode.uuid)
)


_STILL_THERE = sa.select(sa.true()).where(Room.uuid == _HERE, Room.trashed_at.is_(None))


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
        Participation.device == _DEVICE,
        Participation.role == _ROLE,
    )
    .correlate(None)
    .exists()
)


_BEHIND_THE_DOOR = (
    entrance_query(_HERE, _DEVICE).outerjoin(RoomToken, this_token()).add_columns(*LINK, _ENTERED_BEFORE, *OCCUPANCY)
)


_BEHIND_A_CODE = _BEHIND_THE_DOOR.add_columns(STRANGERS.column, KNOWN.column)


@dataclass(frozen=True)
class LockedDoor:
    """What is known of a room and a visitor once the room is locked.

    `codes` are the access codes of the visitor's role. `known`: the device was in this room before, in this role.
    `retry_after`: for strangers and for known devices the Unix time from which a code may be tried again; None: now.
    """

    room: DoorRoom
    visitor: Visitor
    codes: list[DoorCode]
    occupancy: Occupancy
    here: Entrance
    known: bool
    retry_after: tuple[float | None, float | None]


def lock_door(room: RoomLike, visitor: Visitor, *, network: str) -> LockedDoor:
    """Lock subscription and room, and read everything that entering depends on: two statements.

    Raises `NotFound` for a room that is gone, or `ArrivalOutdated` for one whose account has moved to another
    subscription since it was read.
    """
    locked, codes = _lock(room, visitor.role)
    params = {"here": room.uuid, "role": visitor.role, **visitor_params(visitor)}
    if codes:
        for column, known_device in ((STRANGERS, None), (KNOWN, visitor.device or "")):
            buckets = code_buckets(room=room, role=visitor.role, network=network, known_device=known_device)
            params |= column.params(*buckets)
    row = session.connection().execute(_BEHIND_A_CODE if codes else _BEHIND_THE_DOOR, params).one()
    link, more = row[ENTRANCE_WIDTH:][: len(LINK)], row[ENTRANCE_WIDTH + len(LINK) :]
    known, occupancy = more[0], Occupancy(*more[1 : 1 + len(OCCUPANCY)])
    retry_after = more[1 + len(OCCUPANCY) :] or (None, None)
    return LockedDoor(
        locked,
        replace(visitor, token=DoorLink(*link) if link[0] is not None else None),
        codes,
        occupancy,
        entrance_from_row(locked, row, occupancy.figures),
        known,
        (retry_after[0], retry_after[1]),
    )


def _lock(room: RoomLike, role: Role) -> tuple[DoorRoom, list[DoorCode]]:
    """Lock subscription and room, and read both anew, with the role's codes: one statement. Raises as `lock_door` does.

    What stands above the subscription, and the values of its plan, stay as they were read a moment ago. If it waited
    for an account that moved, PostgreSQL finds no row any more, because the room has another subscription by then.
    """
    subscription = room.subscription
    limit = kind_of(room).people_limit
    counted = limit is not None and used_limit(subscription.values, {}, limit) is not None
    locking = _LOCKING if counted else _LOCKING_UNLIMITED
    rows = session.connection().execute(locking, {"here": room.uuid, "role": role}).all()
    if not rows:
        raise ArrivalOutdated(_MOVED) if session.scalar(_STILL_THERE, {"here": room.uuid}) else NotFound
    subscription_uuid, room_name, slug, status, is_public, features, settings, *more = rows[0][: len(_ROOM) + len(TERM)]
    if subscription_uuid != room.subscription_uuid:
        raise ArrivalOutdated(_MOVED)
    locked = DoorRoom(
        uuid=room.uuid,
        id=room.id,
        room_name=room_name,
        slug=slug,
        status=status,
        is_public=is_public,
        room_type=room.room_type,
        room_features=features,
        room_settings=settings,
        customer_uuid=room.customer_uuid,
        account_uuid=room.account_uuid,
        subscription_uuid=room.subscription_uuid,
        owner_uuid=room.owner_uuid,
        owner_name=room.owner_name,
        account=room.account,
        customer=room.customer,
        subscription=DoorSubscription(TermRead(*more), subscription.values, subscription.provider),
    )
    codes = (row[len(_ROOM) + len(TERM) :] for row in rows)
    return locked, [DoorCode(*code) for code in codes if code[0] is not None]
