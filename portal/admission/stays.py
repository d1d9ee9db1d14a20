"""Who is still in, and in which role: judged anew for every sign of life, from the server's record only.

A stay hangs on the right by which somebody came, and the admission cookie has to name that same right: a
link, or the sign-in of a member. It ends when the room becomes inactive or goes into the trash, when the
customer is out, and for a member with the sign-in or the membership. It does not end when the link
expires, is paused or revoked (whoever does that may remove the people as well), nor when account or
subscription end: that is trouble between the customer and the portal, and people in mid-conversation are
not to pay for it. A role that changed meanwhile (a link changed, the right to moderate given or taken)
changes for those inside at once and they go on talking; being thrown out would punish more than was meant.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from portal.admission.models import RoomToken
from portal.db import session
from portal.errors import NotFound, Refused
from portal.people.models import SignIn, User
from portal.permissions.actor import actor_of
from portal.permissions.members import RoomMember
from portal.permissions.rules import member_role
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.status.models import Participation


class Over(Refused):
    """The participation that the admission names has ended. `reason` is one of `Ending`, or "absent"."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


@dataclass(frozen=True)
class Stay:
    """An open participation, and the role that it has by the record of now."""

    room: Room
    participation: Participation
    role: Role


def find_stay(
    *,
    room_id: str,
    device: str,
    participation_id: str,
    token_uuid: UUID | None,
    sign_in_uuid: UUID | None,
    at: datetime,
    sign_in_days: int,
) -> Stay:
    """The stay of this device by this right: one statement. Raises `NotFound` (no room) or `Over`."""
    row = (
        session.execute(
            sa.select(Room, Participation, RoomToken, User, SignIn, RoomMember)
            .join(Room.account)
            .join(Room.customer)
            .outerjoin(
                Participation,
                sa.and_(
                    Participation.room_uuid == Room.uuid,
                    Participation.device == device,
                    Participation.id == participation_id,
                ),
            )
            .outerjoin(RoomToken, RoomToken.uuid == Participation.token_uuid)
            .outerjoin(User, User.uuid == Participation.user_uuid)
            .outerjoin(SignIn, sa.and_(SignIn.uuid == Participation.sign_in_uuid, SignIn.user_uuid == User.uuid))
            .outerjoin(
                RoomMember, sa.and_(RoomMember.room_uuid == Room.uuid, RoomMember.user_uuid == Participation.user_uuid)
            )
            .options(
                contains_eager(Room.account),
                contains_eager(Room.customer),
                contains_eager(SignIn.user).lazyload(User.platform_roles),
                joinedload(User.platform_roles),
                joinedload(Participation.run),
            )
            .where(Room.id == room_id, Room.trashed_at.is_(None))
            .execution_options(populate_existing=True)
        )
        .unique()
        .first()
    )
    if row is None:
        raise NotFound
    room, stay, token, user, sign_in, member = row
    if stay is None:
        raise Over("absent")
    if stay.left_at is not None:
        raise Over(stay.ending.value if stay.ending else "left")
    if room.status is not RoomStatusWord.ACTIVE or not room.customer.usable:
        raise Over("closed")
    if (stay.token_uuid, stay.sign_in_uuid) != (token_uuid, sign_in_uuid):
        raise Over("absent")
    role: Role | None = token.role if token is not None else None
    if stay.user_uuid is not None:
        role = _role_of_member(room, user, sign_in, member) if _may_act(stay, user, sign_in, at, sign_in_days) else None
    if role is None:
        raise Over("absent")
    return Stay(room, stay, role)


def _may_act(stay: Participation, user: User, sign_in: SignIn | None, at: datetime, days: int) -> bool:
    """By the sign-in that he came with; who was let in by a program came by a one-time entry, without any."""
    if stay.sign_in_uuid is None:
        return user.deactivated_at is None
    return sign_in is not None and sign_in.valid(at, days=days)


def _role_of_member(room: Room, user: User, sign_in: SignIn | None, member: RoomMember | None) -> Role | None:
    somebody = actor_of(user, sign_in)
    somebody.memberships[room.uuid] = member
    return member_role(somebody, room)
