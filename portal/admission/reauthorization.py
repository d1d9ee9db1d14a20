"""Who is still in, and in which role: judged anew for every sign of life, from the server's record only.

A stay hangs on the right by which somebody came, and the admission cookie has to name that same right: a
link, or the sign-in of a member. It ends when the room becomes inactive or goes into the trash, when the
customer is out, and for a member with the sign-in or the membership. It does not end when the link
expires, is paused or revoked (whoever does that may remove the people as well), nor when account or
subscription end: that is trouble between the customer and the portal, and people in mid-conversation are
not to pay for it. A role that changed meanwhile (a link changed, the right to moderate given or taken)
changes for those inside at once and they go on talking; being thrown out would punish more than was meant.

Where a stay is found to be over that is still written down as open, it is closed there and then: nobody is
told that he is in already by a place that he has lost.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from portal.admission.models import RoomToken
from portal.db import session
from portal.errors import NotFound, Refused
from portal.people.actor import Actor, actor_of
from portal.people.models import SignIn, User
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.permissions.rules import acting_on, member_role
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.scopes import in_order
from portal.status.models import Ending, Participation
from portal.status.operations import close_participations

SIGNED_OUT = "signed out"
MEMBERSHIP = "membership"
ABSENT = "absent"


class ParticipationEnded(Refused):
    """The participation that the admission names has ended.

    `reason` is one of `Ending`; or for a member whose sign-in or membership is over, `SIGNED_OUT` or
    `MEMBERSHIP`; or `ABSENT`, where nothing more is known. What `after_rollback` closes a stay that is open still.
    """

    def __init__(self, reason: str, *, still: Participation | None = None, ending: Ending = Ending.CLOSED) -> None:
        super().__init__()
        self.reason = reason
        if still is not None:
            room_uuid, own, right = still.room_uuid, still.uuid, still.sign_in_uuid

            def write() -> None:
                close_participations(
                    room_uuid, lambda person: (person.uuid, person.sign_in_uuid) == (own, right), ending=ending
                )

            self.after_rollback = write


@dataclass(frozen=True)
class Reauthorized:
    """An open participation, and the role that it has by the record of now. `member` is None for guests."""

    room: Room
    participation: Participation
    role: Role
    member: Actor | None


def reauthorize(
    *,
    room_id: str,
    device: str,
    participation_id: str,
    token_uuid: UUID | None,
    sign_in_uuid: UUID | None,
    at: datetime,
    sign_in_days: int,
) -> Reauthorized:
    """The stay of this device by this right: one statement. Raises `NotFound` (no room) or `ParticipationEnded`."""
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
        raise ParticipationEnded(ABSENT)
    signed_in = sign_in is not None and sign_in.valid(at, days=sign_in_days)
    taken = MEMBERSHIP if user is not None and user.deactivated_at is None else ABSENT
    if stay.left_at is not None:
        raise ParticipationEnded(_ending_reason(stay, signed_in=signed_in, taken=taken))
    if room.status is not RoomStatusWord.ACTIVE or not room.customer.usable:
        raise ParticipationEnded(Ending.CLOSED, still=stay)
    if (stay.token_uuid, stay.sign_in_uuid) != (token_uuid, sign_in_uuid):
        raise ParticipationEnded(ABSENT)
    somebody: Actor | None = None
    if stay.user_uuid is None:
        role: Role | None = token.role if token is not None else None
    elif stay.sign_in_uuid is not None and not signed_in:
        raise ParticipationEnded(SIGNED_OUT, still=stay, ending=Ending.LEFT)
    else:  # who was let in by a program came by a join ticket, without a sign-in
        scopes = None if stay.scope_words is None else frozenset(in_order(stay.scope_words))
        somebody = actor_of(user, sign_in, scopes)
        somebody.memberships[room.uuid] = member
        role = member_role(somebody, room) if user.deactivated_at is None else None
    if role is None:
        raise ParticipationEnded(taken, still=stay, ending=Ending.WITHDRAWN)
    return Reauthorized(room, stay, role, somebody and acting_on(somebody, Permission.ROOM_VIEW, room))


def _ending_reason(stay: Participation, *, signed_in: bool, taken: str) -> str:
    """As it was written down, in the words for members where one came as a member."""
    if stay.ending is Ending.LEFT and stay.sign_in_uuid is not None and not signed_in:
        return SIGNED_OUT
    if stay.ending is Ending.WITHDRAWN and stay.token_uuid is None:
        return taken
    return stay.ending.value if stay.ending else Ending.LEFT.value
