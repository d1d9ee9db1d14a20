"""Who is in a room, and what one visitor did in its running session, read as columns beside the room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.admission.models import AccessCode, RoomToken
from portal.admission.removals import KEPT_OUT
from portal.admission.visitor import Visitor
from portal.clock import now
from portal.people.models import SignIn
from portal.rooms.kinds import KINDS
from portal.rooms.models import Role, Room
from portal.status.entrance import present_column
from portal.status.models import Driver, Ending, Participation, RoomSession, RoomStatus
from portal.subscriptions.models import SubscriptionFeature

RETURN_TIME = timedelta(minutes=10)
"""How long after leaving, or after losing the connection, coming back is no other use of link and code.

Within one run it never is. This is for somebody who was alone, so that the run ended with him. A run that somebody or
the clock has ended is over: whoever comes to the next one uses the link once more.
"""


@dataclass(frozen=True)
class Occupancy:
    """How many are in a room and in its subscription, and what one visitor did in the running session.

    `removed`: a moderator removed the visitor, and none has let him in again. `inside`: the uuid of this device's open
    participation. `used`: the device has entered by this link, or one that it replaced or that replaced it, in the
    running session, or has left an earlier one within `RETURN_TIME`: entering again counts no other use. `code_uuid`:
    the access code by which the device did so last. `codes`: how many access codes the room has for the visitor's
    role. `figures` has the numbers of `present_column`: `present` and `moderators` are in the room.
    `subscription_present` are in all rooms of the subscription; 0, and not counted, where its plan allows any number.
    """

    removed: bool
    inside: UUID | None
    used: bool
    code_uuid: UUID | None
    codes: int
    figures: Sequence[int]
    subscription_present: int
    run_provider_uuid: UUID | None
    """The uuid of the provider of the running run; None if none is running."""
    run_started_at: datetime | None
    """When the running run began; None if none is running."""
    told: int | None
    """How many are in by the word of the service that drives the running run; None where the portal drives it."""

    @property
    def present(self) -> int:
        """How many came into the room through the portal."""
        return self.figures[0]

    @property
    def moderators(self) -> int:
        """How many of them are moderators."""
        return self.figures[1]

    @property
    def untold(self) -> int:
        """How many are in by the service's word beyond those who came through the portal."""
        return max((self.told or 0) - self.present, 0)


def visitor_params(visitor: Visitor) -> dict[str, Any]:
    """The values to bind for the columns `OCCUPANCY`."""
    return occupancy_params(
        device=visitor.device,
        token_uuid=visitor.token.uuid if visitor.token else None,
        sign_in_uuid=visitor.sign_in_uuid,
        user_uuid=visitor.member.uuid if visitor.member else None,
    )


def this_token() -> sa.ColumnElement[bool]:
    """The condition that joins the visitor's link, bound by `visitor_params`, to its room."""
    return sa.and_(RoomToken.room_uuid == Room.uuid, RoomToken.uuid == sa.bindparam("token_uuid", type_=sa.Uuid()))


def occupancy_params(
    *,
    device: str | None = None,
    token_uuid: UUID | None = None,
    sign_in_uuid: UUID | None = None,
    user_uuid: UUID | None = None,
) -> dict[str, Any]:
    """The parameters of `OCCUPANCY`."""
    return {
        "device": device,
        "token_uuid": token_uuid,
        "sign_in_uuid": sign_in_uuid,
        "user_uuid": user_uuid,
        "returns_since": now() - RETURN_TIME,
    }


_CAME_BY = aliased(RoomToken)  # the link of an earlier participation


_TOLD = aliased(RoomStatus)  # beside the status that a door reads along


def _occupancy_columns() -> tuple[sa.ColumnElement[Any], ...]:
    """The columns of an `Occupancy`, for a SELECT of `Room` joined with the visitor's `RoomToken` (see `this_token`).

    Their parameters are bound by `visitor_params`.
    """
    role = sa.func.coalesce(RoomToken.role, Role.GUEST)
    here = sa.and_(Participation.room_uuid == Room.uuid, Participation.left_at.is_(None))
    own = sa.and_(here, Participation.device == sa.bindparam("device", type_=sa.String()))

    def count(*conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
        return sa.select(sa.func.count()).where(*conditions).correlate(Room, RoomToken).scalar_subquery()

    def in_this_session(*conditions: sa.ColumnElement[bool]) -> sa.Exists:
        running = (RoomSession.room_uuid == Room.uuid, RoomSession.ended_at.is_(None))
        exists = sa.exists().where(Participation.session_uuid == RoomSession.uuid, *running, *conditions)
        return exists.correlate(Room, RoomToken)

    return (
        in_this_session(KEPT_OUT, sa.or_(*_same_visitor())),
        sa.select(Participation.uuid).where(own).correlate(Room).scalar_subquery(),
        sa.select(Participation.uuid)
        .join(_CAME_BY, _CAME_BY.uuid == Participation.token_uuid)
        .where(_returns(), _first_of_chain(_CAME_BY) == _first_of_chain(RoomToken))
        .correlate(Room, RoomToken)
        .exists(),
        sa.select(Participation.access_code_uuid)
        .where(_returns(), Participation.access_code_uuid.is_not(None))
        .order_by(Participation.entered_at.desc())
        .limit(1)
        .correlate(Room)
        .scalar_subquery(),
        count(AccessCode.room_uuid == Room.uuid, AccessCode.role == role),
        present_column(Room.uuid),
        sa.case(
            (_any_number(), 0),
            else_=count(Participation.subscription_uuid == Room.subscription_uuid, Participation.left_at.is_(None)),
        ),
        sa.select(RoomSession.provider_uuid)
        .where(RoomSession.room_uuid == Room.uuid, RoomSession.ended_at.is_(None))
        .correlate(Room)
        .scalar_subquery(),
        sa.select(RoomSession.started_at)
        .where(RoomSession.room_uuid == Room.uuid, RoomSession.ended_at.is_(None))
        .correlate(Room)
        .scalar_subquery(),
        sa.select(_TOLD.count)
        .join(RoomSession, RoomSession.room_uuid == _TOLD.room_uuid)
        .where(_TOLD.room_uuid == Room.uuid, RoomSession.ended_at.is_(None), RoomSession.driver == Driver.PROVIDER)
        .correlate(Room)
        .scalar_subquery(),
    )


def _any_number() -> sa.ColumnElement[bool]:
    """The condition that the plan of a `Room` allows any number of people, so that nobody need be counted."""
    limits = {kind: one.people_limit for kind, one in KINDS.items() if one.people_limit is not None}
    return (
        sa.exists()
        .where(
            SubscriptionFeature.subscription_uuid == Room.subscription_uuid,
            SubscriptionFeature.code == sa.case(limits, value=Room.room_type),
            SubscriptionFeature.number.is_(None),
            SubscriptionFeature.switch.is_(None),
        )
        .correlate(Room)
    )


def _returns() -> sa.ColumnElement[bool]:
    """The condition that this device's `Participation` was in the running session, or ended a moment ago by leaving."""
    running = sa.select(RoomSession.uuid).where(RoomSession.room_uuid == Room.uuid, RoomSession.ended_at.is_(None))
    return sa.and_(
        Participation.room_uuid == Room.uuid,
        Participation.device == sa.bindparam("device", type_=sa.String()),
        sa.or_(
            Participation.session_uuid.in_(running.correlate(Room)),
            sa.and_(
                Participation.ending.in_([Ending.LEFT, Ending.LOST]),
                Participation.left_at > sa.bindparam("returns_since", type_=Participation.left_at.type),
            ),
        ),
    )


def _first_of_chain(token: type[RoomToken]) -> sa.ColumnElement[UUID]:
    return sa.func.coalesce(token.chain_uuid, token.uuid)


def _same_visitor() -> Iterator[sa.ColumnElement[bool]]:
    """Conditions on `Participation` by each of which it is the visitor's: same device, same user, or a personal link.

    By the latter two a visitor is known again who has deleted the cookie.
    """
    signed_in = sa.select(SignIn.user_uuid).where(SignIn.uuid == sa.bindparam("sign_in_uuid", type_=sa.Uuid()))
    yield Participation.device == sa.bindparam("device", type_=sa.String())
    yield Participation.user_uuid == sa.bindparam("user_uuid", type_=sa.Uuid())
    yield Participation.user_uuid == signed_in.scalar_subquery()
    yield sa.and_(Participation.token_uuid == RoomToken.uuid, RoomToken.person != "")


OCCUPANCY = _occupancy_columns()
