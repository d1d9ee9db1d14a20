"""Who is in a room, and what one visitor did in its running session, read as columns beside the room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.admission.models import AccessCode, LobbyAnswer, RoomToken
from portal.admission.removals import KEPT_OUT
from portal.admission.visitor import Visitor
from portal.clock import now
from portal.column_types import constant
from portal.db import literal_limit
from portal.people.models import SignIn
from portal.rooms.kinds import KINDS
from portal.rooms.models import Role, Room
from portal.status.entrance import OWN, present_column, with_own_place
from portal.status.models import Driver, Ending, Participation, RoomSession, RoomStatus
from portal.subscriptions.models import SubscriptionFeature
from portal.subscriptions.provider_models import ServiceType

RETURN_TIME = timedelta(minutes=10)
"""How long after leaving, or after losing the connection, coming back is no other use of link and code.

Within one run it never is. This is for somebody who was alone, so that the run ended with him. A run that somebody or
the clock has ended is over: whoever comes to the next one uses the link once more.
"""


@dataclass(frozen=True)
class Occupancy:
    """How many are in a room and in its subscription, and what one visitor did in the running session.

    `removed`: a moderator removed the visitor, and none has let him in again. `locked`: one has locked the room.
    `comes_back`: this device was last in the running session until it lost the connection, or was removed and let in
    again; None if it never was in it. `lobby_on`: a moderator has turned on the lobby for the running session.
    `answer`: one admitted the visitor to the running session, or turned him away; None if neither. `inside`: the uuid
    of this device's open participation. `used`: the device has entered by this link, or one that it replaced or that
    replaced it, in the running session, or has left an earlier one within `RETURN_TIME`: entering again counts no other
    use. `code_uuid`: the access code by which the device did so last. `valid_codes`: how many of the room's access
    codes for the visitor's role are valid; None if it has none for it, so that no code is needed. `figures` has the
    numbers of `present_column`: `present` and `moderators` are in the room. `subscription_present` are in all rooms of
    the subscription; 0, and not counted, where its plan allows any number.
    """

    removed: bool
    locked: bool
    comes_back: bool | None
    lobby_on: bool
    answer: bool | None
    inside: UUID | None
    used: bool
    code_uuid: UUID | None
    valid_codes: int | None
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
    at = now()
    return {
        "device": device,
        "token_uuid": token_uuid,
        "sign_in_uuid": sign_in_uuid,
        "user_uuid": user_uuid,
        "at": at,
        "returns_since": at - RETURN_TIME,
    }


_CAME_BY = aliased(RoomToken)  # the link of an earlier participation
_KNOWN_BY = aliased(RoomToken)  # the link of who was removed, or has an answer in the lobby
_TOLD = aliased(RoomStatus)  # beside the status that a door reads along
_DEVICE = sa.bindparam("device", type_=sa.String())


def with_occupancy(query: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """The SELECT of `Room` with its run and the visitor's link (see `with_run`, `this_token`), and an `Occupancy`.

    The parameters are bound by `visitor_params`.
    """
    return with_own_place(query, _DEVICE).add_columns(*OCCUPANCY)


def _occupancy_columns() -> tuple[Any, ...]:
    """The columns of an `Occupancy`, for a SELECT of `Room` with `RoomToken`, `RoomSession` and `OWN`."""
    role = sa.func.coalesce(RoomToken.role, constant(Role.GUEST))
    removed = sa.exists().where(
        Participation.session_uuid == RoomSession.uuid, KEPT_OUT, sa.or_(*_same_visitor(Participation))
    )

    expired = AccessCode.expires_at <= sa.bindparam("at", type_=AccessCode.expires_at.type)
    return (
        removed.correlate(RoomToken, RoomSession),
        RoomSession.locked_at.is_not(None),
        _comes_back().correlate(RoomSession).scalar_subquery(),
        RoomSession.lobby_since.is_not(None),
        sa.select(LobbyAnswer.admitted)
        .where(LobbyAnswer.session_uuid == RoomSession.uuid, sa.or_(*_same_visitor(LobbyAnswer)))
        .order_by(LobbyAnswer.answered_at.desc())
        .limit(literal_limit(1))
        .correlate(RoomToken, RoomSession)
        .scalar_subquery(),
        OWN.uuid,
        sa.select(Participation.uuid)
        .join(_CAME_BY, _CAME_BY.uuid == Participation.token_uuid)
        .where(_returns(), _first_of_chain(_CAME_BY) == _first_of_chain(RoomToken))
        .correlate(Room, RoomToken, RoomSession)
        .exists(),
        sa.select(Participation.access_code_uuid)
        .where(_returns(), Participation.access_code_uuid.is_not(None))
        .order_by(Participation.entered_at.desc())
        .limit(literal_limit(1))
        .correlate(Room, RoomSession)
        .scalar_subquery(),
        sa.select(sa.func.sum(sa.case((expired, constant(0)), else_=constant(1))))
        .where(AccessCode.room_uuid == Room.uuid, AccessCode.role == role)
        .correlate(Room, RoomToken)
        .scalar_subquery(),
        present_column(),
        sa.case(
            (_any_number(), constant(0)),
            else_=sa.select(sa.func.count())
            .where(Participation.subscription_uuid == Room.subscription_uuid, Participation.left_at.is_(None))
            .where(sa.or_(Room.room_type != constant(ServiceType.LIVE), Participation.role != constant(Role.MODERATOR)))
            .correlate(Room)
            .scalar_subquery(),
        ),
        RoomSession.provider_uuid,
        RoomSession.started_at,
        sa.case(
            (
                sa.and_(RoomSession.driver == constant(Driver.PROVIDER), Room.room_type != constant(ServiceType.LIVE)),
                sa.select(_TOLD.count).where(_TOLD.room_uuid == Room.uuid).correlate(Room).scalar_subquery(),
            )
        ),
    )


def _any_number() -> sa.ColumnElement[bool]:
    """The condition that the plan of a `Room` allows any number of people, so that nobody need be counted."""
    limits = [
        (Room.room_type == constant(kind), constant(one.people_limit))
        for kind, one in KINDS.items()
        if one.people_limit is not None
    ]
    return (
        sa.exists()
        .where(
            SubscriptionFeature.subscription_uuid == Room.subscription_uuid,
            SubscriptionFeature.code == sa.case(*limits),
            SubscriptionFeature.number.is_(None),
            SubscriptionFeature.switch.is_(None),
        )
        .correlate(Room)
    )


def _returns() -> sa.ColumnElement[bool]:
    """The condition that this device's `Participation` was in the running session, or ended a moment ago by leaving."""
    left = (Participation.ending == constant(Ending.LEFT), Participation.ending == constant(Ending.LOST))
    return sa.and_(
        Participation.room_uuid == Room.uuid,
        Participation.device == _DEVICE,
        sa.or_(
            Participation.session_uuid == RoomSession.uuid,
            sa.and_(
                sa.or_(*left),
                Participation.left_at > sa.bindparam("returns_since", type_=Participation.left_at.type),
            ),
        ),
    )


def _comes_back() -> sa.Select[bool]:
    """Whether this device lost its last place in the running run, or a moderator gave it back; null: it had none."""
    return (
        sa.select(
            sa.case(
                (Participation.ending == constant(Ending.LOST), sa.true()),
                else_=Participation.readmitted_at.is_not(None),
            )
        )
        .where(Participation.session_uuid == RoomSession.uuid, Participation.device == _DEVICE)
        .order_by(Participation.entered_at.desc())
        .limit(literal_limit(1))
    )


def _first_of_chain(token: type[RoomToken]) -> sa.ColumnElement[UUID]:
    return sa.func.coalesce(token.chain_uuid, token.uuid)


def _same_visitor(known: type[Participation | LobbyAnswer]) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions by each of which what is known is the visitor's: same device, same user, or a link that is his alone.

    By the latter two a visitor is known again who has deleted the cookie.
    """
    signed_in = sa.select(SignIn.user_uuid).where(SignIn.uuid == sa.bindparam("sign_in_uuid", type_=sa.Uuid()))
    yield known.device == _DEVICE
    yield known.user_uuid == sa.bindparam("user_uuid", type_=sa.Uuid())
    yield known.user_uuid == signed_in.scalar_subquery()
    of_chain = sa.exists().where(
        _KNOWN_BY.uuid == known.token_uuid, _first_of_chain(_KNOWN_BY) == _first_of_chain(RoomToken)
    )  # a replaced link shows to whoever opens it the one that replaced it
    yield sa.and_(sa.or_(RoomToken.person != constant(""), RoomToken.automatic), of_chain.correlate(known, RoomToken))


OCCUPANCY = _occupancy_columns()
