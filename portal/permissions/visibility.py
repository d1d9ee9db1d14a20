"""The same "may see" as the rules, said in SQL: finding one room with the caller's rights, and all of his."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from portal.accounts.models import Account
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.permissions.actor import Actor
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission, StaffPermission
from portal.permissions.rules import can
from portal.rooms.models import Room


def find_room(actor: Actor, room_id: str, *, trashed: bool = False) -> Room | None:
    """The room, if the actor may see it, with everything above it and his membership: one query."""
    row = (
        session.execute(
            sa.select(Room, RoomMember)
            .join(Room.account)
            .join(Room.customer)
            .outerjoin(RoomMember, _membership(actor))
            .options(
                contains_eager(Room.account),
                contains_eager(Room.customer),
                joinedload(Room.subscription),
                joinedload(Room.owner),
            )
            .where(Room.id == room_id, Room.trashed_at.is_not(None) if trashed else Room.trashed_at.is_(None))
        )
        .unique()
        .first()
    )
    if row is None:
        return None
    room, member = row
    actor.memberships[room.uuid] = member
    return room if can(actor, Permission.ROOM_VIEW, room) else None


def seen_rooms(actor: Actor, at: datetime) -> sa.Select[Room, RoomMember | None]:
    """Rooms that the actor may see, not trashed, joined with his membership; no order, no limit."""
    query = (
        sa.select(Room, RoomMember)
        .join(Room.account)
        .join(Room.customer)
        .outerjoin(RoomMember, _membership(actor))
        .where(Room.trashed_at.is_(None))
    )
    if StaffPermission.ROOMS_READ in actor.staff:
        return query
    member_of = sa.select(RoomMember.room_uuid).where(
        RoomMember.user_uuid == actor.uuid,
        sa.or_(RoomMember.until.is_(None), RoomMember.until > at),
        sa.cast(RoomMember.permissions, sa.String).contains(f'"{Permission.ROOM_VIEW}"'),
    )
    return query.where(
        sa.or_(
            Room.owner_uuid == actor.uuid,
            Account.owner_uuid == actor.uuid,
            Customer.owner_uuid == actor.uuid,
            Room.uuid.in_(member_of),
        )
    )


def creatable_accounts(actor: Actor) -> list[Account]:
    """Accounts in which the actor may make a room, by name; at most 200."""
    query = sa.select(Account).join(Account.customer).options(contains_eager(Account.customer))
    if StaffPermission.ROOMS_CREATE not in actor.staff:
        query = query.where(sa.or_(Account.owner_uuid == actor.uuid, Customer.owner_uuid == actor.uuid))
    query = query.order_by(Account.account_name, Account.uuid).limit(200)
    return list(session.scalars(query.options(joinedload(Account.owner))).unique())


def watched_topics(actor: Actor) -> set[str]:
    """The topics of `room_topics` that tell about rooms whose status the actor may see."""
    if StaffPermission.ROOMS_READ in actor.staff:
        return {"rooms"}
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
    topics |= {f"room:{m.room_uuid}" for m in members if Permission.STATUS_VIEW in m.granted(now())}
    return topics


def _membership(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.and_(RoomMember.room_uuid == Room.uuid, RoomMember.user_uuid == actor.uuid)
