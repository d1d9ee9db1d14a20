"""Reauthorization: whether somebody who is in may stay, and in which role, asked at each request and heartbeat.

A participation depends on the right by which somebody came, and the admission cookie has to name that same right: a
link, or the sign-in of a member. It ends when the room becomes inactive or is trashed, when the
customer becomes inactive, and for a member with the sign-in or the membership. It does not end when the link
expires, is paused or revoked (whoever does that may remove the people as well), nor when account or
subscription end: that is a matter between the customer and the portal, and people in mid-conversation should
not suffer from it. If the role has changed meanwhile (a link was changed, the right to moderate granted or withdrawn),
it changes for people inside at once, and they stay in.

A participation that is found to have ended but is still open in the database is closed at once: else its device
would be told that it is in already.
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
from portal.permissions.rules import acting_on, member_role, permission_of
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.scopes import in_order
from portal.status.models import Ending, Participation
from portal.status.operations import close_participations

SIGNED_OUT = "signed out"
READMITTED = "readmitted"
MEMBERSHIP = "membership"
ABSENT = "absent"


class NoSuchRoom(NotFound):
    """There is no such room (any more), or none that this browser, which has no admission cookie, may know of."""


class ParticipationEnded(Refused):
    """The participation that the admission cookie names has ended.

    `reason` is one of `Ending`; `READMITTED` for somebody who was removed and may come in again; for a member whose
    sign-in or membership has ended, `SIGNED_OUT` or `MEMBERSHIP`; or `ABSENT`, where nothing more is known.
    `after_rollback` closes the participation if it is still open.
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
    """An open participation that may go on, with the role that it has now, which may differ from the stored one.

    `member` is None for guests.
    """

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
    """Check by one statement that the cookie's participation is open and its link or membership still entitles to it.

    All arguments but `at` and `sign_in_days` come from the admission cookie. Raises `NoSuchRoom` and
    `ParticipationEnded`.
    """
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
        raise NoSuchRoom
    room, participation, token, user, sign_in, member = row
    if participation is None:
        raise ParticipationEnded(ABSENT)
    signed_in = sign_in is not None and sign_in.valid(at, days=sign_in_days)
    withdrawn = MEMBERSHIP if user is not None and user.deactivated_at is None else ABSENT
    if participation.left_at is not None:
        raise ParticipationEnded(_ending_reason(participation, signed_in=signed_in, withdrawn=withdrawn))
    if room.status is not RoomStatusWord.ACTIVE or not room.customer.usable:
        raise ParticipationEnded(Ending.CLOSED, still=participation)
    if (participation.token_uuid, participation.sign_in_uuid) != (token_uuid, sign_in_uuid):
        raise ParticipationEnded(ABSENT)
    somebody: Actor | None = None
    if participation.user_uuid is None:
        role: Role | None = token.role if token is not None else None
    elif participation.sign_in_uuid is not None and not signed_in:
        raise ParticipationEnded(SIGNED_OUT, still=participation, ending=Ending.LEFT)
    else:  # a user without a sign-in was let in by a program, with a join ticket
        scopes = None if participation.scope_words is None else frozenset(in_order(participation.scope_words))
        somebody = actor_of(user, sign_in, scopes)
        somebody.memberships[room.uuid] = member
        changed = user.password_set_at
        outdated = sign_in is None and changed is not None and participation.entered_at <= changed
        role = member_role(somebody, room) if user.deactivated_at is None and not outdated else None
    if role is None:
        raise ParticipationEnded(withdrawn, still=participation, ending=Ending.WITHDRAWN)
    return Reauthorized(room, participation, role, somebody and acting_on(somebody, permission_of(role), room))


def _ending_reason(participation: Participation, *, signed_in: bool, withdrawn: str) -> str:
    """The stored ending; but `READMITTED` for who was let in again, and for a member `SIGNED_OUT` if he signed out.

    `withdrawn` if a member's right was withdrawn.
    """
    if participation.ending is Ending.LEFT and participation.sign_in_uuid is not None and not signed_in:
        return SIGNED_OUT
    if participation.ending is Ending.WITHDRAWN and participation.token_uuid is None:
        return withdrawn
    if participation.readmitted_at is not None:
        return READMITTED
    return participation.ending.value if participation.ending else Ending.LEFT.value
