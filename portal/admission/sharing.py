"""Sharing a room: for each role the one link that anybody may be handed, and the access code to go with it.

A link for one person, one with a limited number of uses, and one that was paused or replaced are not for everybody.
"""

from datetime import UTC, datetime
from typing import Protocol

import sqlalchemy as sa

from portal.admission.issuing import issue_token
from portal.admission.models import AccessCode, RoomToken
from portal.clock import now
from portal.db import session
from portal.errors import Message, NotAllowed
from portal.people.actor import Actor
from portal.permissions.permission import Permission
from portal.permissions.rules import acting_on, can, require_grantable_roles
from portal.rooms.models import Role, Room
from portal.status.locking import lock_room
from portal.subscriptions.provider_models import ServiceType

WATCHED = frozenset({ServiceType.LIVE, ServiceType.VIDEO})
"""The types of rooms in which people watch rather than take part."""
NEVER = datetime.max.replace(tzinfo=UTC)


class Shareable(Protocol):
    """A room, or a row of a list of rooms."""

    @property
    def room_type(self) -> ServiceType: ...
    @property
    def is_public(self) -> bool: ...


def default_role(room: Shareable) -> Role:
    """The role in which a room is shared unless another is chosen: guest where it is public or watched."""
    return Role.GUEST if room.is_public or room.room_type in WATCHED else Role.ATTENDEE


def shareable_links(room: Room) -> dict[Role, RoomToken]:
    """For each role the link to hand to anybody: the newest that works now, or else the newest that opens later."""
    at = now()
    opens_later = sa.case((RoomToken.not_before > at, 1), else_=0)
    ranked = (
        sa.select(
            RoomToken.uuid,
            sa.func.row_number()
            .over(
                partition_by=RoomToken.role, order_by=[opens_later, RoomToken.created_at.desc(), RoomToken.uuid.desc()]
            )
            .label("rank"),
        )
        .where(
            RoomToken.room_uuid == room.uuid,
            RoomToken.automatic.is_(False),
            RoomToken.person == "",
            RoomToken.max_uses.is_(None),
            RoomToken.revoked_at.is_(None),
            RoomToken.paused_at.is_(None),
            RoomToken.grace_until.is_(None),
            sa.or_(RoomToken.expires_at.is_(None), RoomToken.expires_at > at),
        )
        .subquery()
    )
    first = sa.select(RoomToken).join(ranked, ranked.c.uuid == RoomToken.uuid).where(ranked.c.rank == 1)
    return {link.role: link for link in session.scalars(first)}


def share_link(room: Room, role: Role, *, by: Actor) -> RoomToken:
    """The link of this role to hand to anybody. It is issued if there is none; of two at once, only by the first.

    Raises `NotAllowed` for a role that `by` may not grant, and if there is no link and `by` may not issue one; and
    `Conflict` if none may be made for the customer.
    """
    require_grantable_roles(by, room, role)
    found = shareable_links(room).get(role)
    if found is not None:
        return found
    if not can(by, Permission.TOKENS_MANAGE, room):
        raise NotAllowed(
            Message("There is no link of this role, and you may not make one. Ask %(owner)s.", owner=room.owner.name)
        )
    lock_room(room.uuid)
    found = shareable_links(room).get(role)
    if found is not None:
        return found
    issued = issue_token(room=room, role=role, by=acting_on(by, Permission.TOKENS_MANAGE, room))
    return session.get_one(RoomToken, issued.uuid)


def code_to_share(codes: list[AccessCode], role: Role, at: datetime) -> AccessCode | None:
    """Of the room's codes the one to send along with a link of this role: the one that is valid for longest at `at`."""
    valid = [code for code in codes if code.role is role and not code.expired(at)]
    return max(valid, key=lambda code: code.expires_at or NEVER, default=None)
