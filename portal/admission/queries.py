"""Reading what the decision needs, by one statement: room, visitor's link and occupancy; and finding links and codes.

The statement is built once, when the module is loaded, because building it takes longer than executing it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, contains_eager, joinedload, lazyload, load_only

from portal import vault
from portal.accounts.models import Account, AccountStatus
from portal.admission.decision import Case, role_by
from portal.admission.models import AccessCode, RoomToken
from portal.admission.removals import KEPT_OUT
from portal.admission.secrets import read_token
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.identifiers import matches_identifier
from portal.people.actor import Actor
from portal.people.models import SignIn, User
from portal.rooms.features import used_limit
from portal.rooms.kinds import kind_of
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.rooms.settings import GUEST_POLICY, WAIT_FOR_HOST
from portal.status.models import Driver, Ending, Participation, RoomSession, RoomStatus
from portal.status.services import provider_of
from portal.subscriptions.models import ServiceProvider, Subscription, plan_column

RETURN_TIME = timedelta(minutes=10)
"""How long after leaving, or after losing the connection, coming back is no other use of link and code.

Within one run it never is. This is for somebody who was alone, so that the run ended with him. A run that somebody or
the clock has ended is over: whoever comes to the next one uses the link once more.
"""


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody at the door of a room: a device, with a link, a membership, or neither."""

    device: str | None = None
    token: RoomToken | None = None
    member: Actor | None = None
    member_role: Role | None = None

    @property
    def link(self) -> RoomToken | None:
        """The link that the decision looks at. An automatic token counts only if it was revoked or paused."""
        token = self.token
        if token is None or (token.automatic and token.revoked_at is None and token.paused_at is None):
            return None
        return token

    @property
    def role(self) -> Role:
        """The role in which the visitor would enter: the link's, else the member's, else guest."""
        return role_by(self.link.role if self.link is not None else None, self.member_role)

    @property
    def sign_in_uuid(self) -> UUID | None:
        """By which a member comes; None for guests, and for a member whom a program lets in."""
        return self.member.sign_in.uuid if self.member is not None and self.member.sign_in is not None else None

    @property
    def fixed_name(self) -> str:
        """The name that the visitor cannot change: the member's, or that of a personal link; "" if there is none."""
        if self.member is not None:
            return self.member.user.name
        return self.token.person if self.token is not None else ""


@dataclass(frozen=True)
class Occupancy:
    """How many are in a room and in its subscription, and what one visitor did in the running session.

    `removed`: a moderator removed the visitor, and none has let him in again. `inside`: the uuid of this device's open
    participation. `used`: the device has entered by this link, or one that it replaced or that replaced it, in the
    running session, or has left an earlier one within `RETURN_TIME`: entering again counts no other use. `code_uuid`:
    the access code by which the device did so last. `codes`: how many access codes the room has for the visitor's
    role. `present` and `moderators` are in the room, `subscription_present` in all rooms of the subscription.
    """

    removed: bool
    inside: UUID | None
    used: bool
    code_uuid: UUID | None
    codes: int
    present: int
    moderators: int
    subscription_present: int
    run_provider_uuid: UUID | None
    """The uuid of the provider of the running run; None if none is running."""
    run_started_at: datetime | None
    """When the running run began; None if none is running."""
    told: int | None
    """How many are in by the word of the service that drives the running run; None where the portal drives it."""

    @property
    def untold(self) -> int:
        """How many are in by the service's word beyond those who came through the portal."""
        return max((self.told or 0) - self.present, 0)


@dataclass(frozen=True)
class Door:
    """A room with everything that it belongs to, the visitor's link if he has one, the status and the occupancy."""

    room: Room
    token: RoomToken | None
    status: RoomStatus | None
    occupancy: Occupancy


def find_door(
    room_id: str, token_uuid: UUID | None = None, device: str | None = None, sign_in_uuid: UUID | None = None
) -> Door | None:
    """Read a room for a visitor with this link, device and sign-in, by one statement. None if there is no such room."""
    params = _params(device=device, token_uuid=token_uuid, sign_in_uuid=sign_in_uuid)
    row = session.execute(_DOOR, {"room_id": room_id, **params}).first()
    if row is None:
        return None
    room, token, status, plan, *columns = row
    room.subscription.set_plan(plan)
    return Door(room, token, status, Occupancy(*columns))


def visitor_params(visitor: Visitor) -> dict[str, Any]:
    """The values to bind for the columns `OCCUPANCY`."""
    return _params(
        device=visitor.device,
        token_uuid=visitor.token.uuid if visitor.token else None,
        sign_in_uuid=visitor.sign_in_uuid,
        user_uuid=visitor.member.uuid if visitor.member else None,
    )


def this_token() -> sa.ColumnElement[bool]:
    """The condition that joins the visitor's link, bound by `visitor_params`, to its room."""
    return sa.and_(RoomToken.room_uuid == Room.uuid, RoomToken.uuid == sa.bindparam("token_uuid", type_=sa.Uuid()))


def _params(
    *,
    device: str | None = None,
    token_uuid: UUID | None = None,
    sign_in_uuid: UUID | None = None,
    user_uuid: UUID | None = None,
) -> dict[str, Any]:
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
        count(here),
        count(here, Participation.role == Role.MODERATOR),
        count(Participation.subscription_uuid == Room.subscription_uuid, Participation.left_at.is_(None)),
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

_DOOR = (
    sa.select(Room, RoomToken, RoomStatus, plan_column(Room.subscription_uuid), *OCCUPANCY)
    .join(Room.account)
    .join(Room.customer)
    .join(Room.subscription)
    .join(Subscription.provider)
    .join(Room.owner)
    .outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)
    .outerjoin(RoomToken, this_token())
    .options(
        load_only(
            Room.id,
            Room.room_name,
            Room.slug,
            Room.status,
            Room.is_public,
            Room.room_type,
            Room.room_features,
            Room.room_settings,
            Room.customer_uuid,
            Room.account_uuid,
            Room.subscription_uuid,
            Room.owner_uuid,
        ),
        load_only(
            RoomToken.room_uuid,
            RoomToken.role,
            RoomToken.person,
            RoomToken.not_before,
            RoomToken.expires_at,
            RoomToken.grace_until,
            RoomToken.max_uses,
            RoomToken.use_count,
            RoomToken.paused_at,
            RoomToken.revoked_at,
            RoomToken.automatic,
            RoomToken.rotated_to_uuid,
        ),
        load_only(RoomStatus.state, RoomStatus.count),
        contains_eager(Room.account).load_only(Account.status, Account.owner_uuid),
        contains_eager(Room.customer).load_only(
            Customer.status,
            Customer.owner_uuid,
            Customer.company_name,
            Customer.first_name,
            Customer.last_name,
            Customer.email,
            Customer.webhooks,
        ),
        contains_eager(Room.owner).load_only(User.name).lazyload(User.platform_roles),
        contains_eager(Room.subscription).options(
            load_only(
                Subscription.status,
                Subscription.starts_at,
                Subscription.ends_at,
                Subscription.grace_until,
                Subscription.cancels_at,
            ),
            contains_eager(Subscription.provider).load_only(ServiceProvider.provider_type, ServiceProvider.active),
            lazyload(Subscription.features),
        ),
    )
    .where(Room.id == sa.bindparam("room_id", type_=sa.String()), Room.trashed_at.is_(None))
    .execution_options(populate_existing=True)
)


def find_token(room: Room, text: str) -> RoomToken | None:
    """The token of this room that stands in the text, whatever is around it; None if there is none."""
    token = read_token(text)
    if token is None:
        return None
    hashes = vault.lookup_hashes(token, purpose="room-token")
    return session.scalar(
        sa.select(RoomToken).where(RoomToken.token_hash.in_(hashes), RoomToken.room_uuid == room.uuid)
    )


def occupancy_for(room: Room, visitor: Visitor) -> Occupancy:
    """Read the occupancy of a room for this visitor."""
    query = sa.select(*OCCUPANCY).select_from(Room).outerjoin(RoomToken, this_token()).where(Room.uuid == room.uuid)
    return Occupancy(*session.execute(query, visitor_params(visitor)).one())


def case_of(room: Room, visitor: Visitor, *, occupancy: Occupancy, at: datetime | None = None) -> Case:
    """The case to decide for this visitor. `code` is "missing": the caller replaces it by what was typed."""
    at = at or now()
    link = visitor.link
    plan = room.subscription.values
    limit = kind_of(room).people_limit
    room_most = used_limit(plan, room.room_features, limit) if limit else None
    plan_most = used_limit(plan, {}, limit) if limit else None
    return Case(
        at=at,
        customer_usable=room.customer.usable,
        subscription_usable=room.subscription.is_active(at),
        account_active=room.account.status is AccountStatus.ACTIVE,
        room_active=room.status is RoomStatusWord.ACTIVE,
        provider_usable=provider_of(room, occupancy.run_provider_uuid).active,
        is_public=room.is_public,
        member_role=visitor.member_role,
        token_given=link is not None,
        token_found=link is not None and link.room_uuid == room.uuid,
        token_role=link.role if link is not None else None,
        revoked=link is not None and link.revoked_at is not None,
        paused=link is not None and link.paused_at is not None,
        not_before=link.not_before if link is not None else None,
        expires_at=link.ends_at if link is not None else None,
        replaced=link is not None and link.replaced,
        uses_left=None if link is None or link.max_uses is None else link.max_uses - link.use_count,
        removed=occupancy.removed,
        inside_already=occupancy.inside is not None,
        uses_this_link=link is not None and occupancy.used,
        code_needed=occupancy.codes > 0 and visitor.member_role is None,
        guest_policy="refuse" if room.room_settings.get(GUEST_POLICY) == "refuse" else "accept",
        host_needed=bool(room.room_settings.get(WAIT_FOR_HOST)),
        host_present=occupancy.moderators > 0,
        room_places=None if room_most is None else room_most - occupancy.present - occupancy.untold,
        subscription_places=None
        if plan_most is None
        else plan_most - occupancy.subscription_present - occupancy.untold,
    )


def tokens_of(room: Room, *, automatic: bool = False) -> list[RoomToken]:
    """The room's links, or with `automatic` its automatic ones: revoked ones last, the newest first; at most 500."""
    return list(
        session.scalars(
            sa.select(RoomToken)
            .where(RoomToken.room_uuid == room.uuid, RoomToken.automatic.is_(automatic))
            .options(joinedload(RoomToken.created_by).lazyload(User.platform_roles))
            .order_by(RoomToken.revoked_at.is_not(None), RoomToken.created_at.desc(), RoomToken.uuid.desc())
            .limit(500)
        )
    )


def automatic_count(room: Room) -> int:
    """The number of automatic guest links, which the list of links leaves out."""
    return (
        session.scalar(
            sa.select(sa.func.count()).where(RoomToken.room_uuid == room.uuid, RoomToken.automatic.is_(True))
        )
        or 0
    )


def codes_of(room: Room, role: Role | None = None) -> list[AccessCode]:
    """The room's codes, or those of one role, oldest first."""
    query = sa.select(AccessCode).where(AccessCode.room_uuid == room.uuid)
    if role is not None:
        query = query.where(AccessCode.role == role)
    query = query.options(joinedload(AccessCode.created_by).lazyload(User.platform_roles))
    return list(session.scalars(query.order_by(AccessCode.role, AccessCode.uuid)))


def roles_locked_out(codes: list[AccessCode], at: datetime) -> list[Role]:
    """The roles that have codes of which none is valid any more, so that nobody with such a link gets in."""
    having = {code.role for code in codes}
    return [r for r in Role if r in having and all(code.expired(at) for code in codes if code.role is r)]


def find_own_token(room: Room, token_id: str) -> RoomToken | None:
    """The token of this room with this id, uuid or ulid."""
    return session.scalar(
        sa.select(RoomToken).where(RoomToken.room_uuid == room.uuid, matches_identifier(RoomToken, token_id))
    )


def find_own_code(room: Room, code_id: str) -> AccessCode | None:
    """The access code of this room with this id, uuid or ulid."""
    return session.scalar(
        sa.select(AccessCode).where(AccessCode.room_uuid == room.uuid, matches_identifier(AccessCode, code_id))
    )
