"""What the decision needs to know, read in two statements: who knocks at which room, and how it stands there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from portal import vault
from portal.accounts.models import AccountStatus
from portal.admission.decision import Case, role_by
from portal.admission.models import AccessCode, RoomToken
from portal.admission.secrets import well_formed
from portal.clock import now
from portal.db import session
from portal.people.models import User
from portal.rooms.features import used_limit
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.rooms.settings import WAIT_FOR_HOST
from portal.status.models import Ending, Participation, RoomSession, RoomStatus
from portal.subscriptions.models import Subscription


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody at the door of a room: a device, with a link, a membership, or neither."""

    device: str | None = None
    token: RoomToken | None = None
    member: User | None = None
    member_role: Role | None = None
    sign_in_uuid: UUID | None = None

    @property
    def link(self) -> RoomToken | None:
        """The link that decides. A public room's automatic token counts only once it was stopped."""
        token = self.token
        if token is None or (token.automatic and token.revoked_at is None and token.paused_at is None):
            return None
        return token

    @property
    def role(self) -> Role:
        """The role that the server's record gives."""
        return role_by(self.link.role if self.link is not None else None, self.member_role)

    @property
    def fixed_name(self) -> str:
        """The name that cannot be changed at the door: the member's, or that of a personal link."""
        if self.member is not None:
            return self.member.name
        return self.token.person if self.token is not None else ""


@dataclass(frozen=True)
class Standing:
    """How it stands in a room for one visitor at one time.

    `inside` and `inside_by`: this device's open participation, and the link that it came by.
    """

    removed: bool
    inside: UUID | None
    inside_by: UUID | None
    codes: int
    present: int
    moderators: int
    subscription_present: int


def find_door(room_id: str, token_uuid: UUID | None = None) -> tuple[Room, RoomToken | None, RoomStatus | None] | None:
    """A room that is not in the trash, with all above it, this token of it, and its status: one statement."""
    row = (
        session.execute(
            sa.select(Room, RoomToken, RoomStatus)
            .join(Room.account)
            .join(Room.customer)
            .join(Room.subscription)
            .join(Subscription.provider)
            .join(Room.owner)
            .outerjoin(Subscription.features)
            .outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)
            .outerjoin(RoomToken, sa.and_(RoomToken.room_uuid == Room.uuid, RoomToken.uuid == token_uuid))
            .options(
                contains_eager(Room.account),
                contains_eager(Room.customer),
                contains_eager(Room.owner).lazyload(User.platform_roles),
                contains_eager(Room.subscription).options(
                    contains_eager(Subscription.provider), contains_eager(Subscription.features)
                ),
            )
            .where(Room.id == room_id, Room.trashed_at.is_(None))
            .execution_options(populate_existing=True)
        )
        .unique()
        .first()
    )
    return None if row is None else (row[0], row[1], row[2])


def find_token(room: Room, token: str) -> RoomToken | None:
    """This room's token with that text. One that is misspelt is refused without a query."""
    if not well_formed(token):
        return None
    hashes = vault.lookup_hashes(token, purpose="room-token")
    return session.scalar(
        sa.select(RoomToken).where(RoomToken.token_hash.in_(hashes), RoomToken.room_uuid == room.uuid)
    )


def standing(room: Room, visitor: Visitor) -> Standing:
    """Codes, people and removals that matter for this visitor: one statement."""
    return Standing(*session.execute(sa.select(*standing_columns(room, visitor))).one())


def standing_columns(room: Room, visitor: Visitor) -> list[sa.ColumnElement[Any]]:
    """What a `Standing` is made of, to be asked alone or as part of a larger question."""
    here = sa.and_(Participation.room_uuid == room.uuid, Participation.left_at.is_(None))
    own = sa.and_(here, Participation.device == visitor.device)

    def count(*conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
        return sa.select(sa.func.count()).where(*conditions).correlate(None).scalar_subquery()

    def one(column: Any, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
        return sa.select(column).where(*conditions).correlate(None).scalar_subquery()

    return [
        sa.select(Participation.uuid)
        .join(RoomSession, RoomSession.uuid == Participation.session_uuid)
        .where(
            RoomSession.room_uuid == room.uuid,
            RoomSession.ended_at.is_(None),
            Participation.ending == Ending.REMOVED,
            sa.or_(*_same_visitor(visitor)),
        )
        .correlate(None)
        .exists(),
        one(Participation.uuid, own),
        one(Participation.token_uuid, own),
        count(AccessCode.room_uuid == room.uuid, AccessCode.role == visitor.role),
        count(here),
        count(here, Participation.role == Role.MODERATOR),
        count(Participation.subscription_uuid == room.subscription_uuid, Participation.left_at.is_(None)),
    ]


def _same_visitor(visitor: Visitor) -> Iterator[sa.ColumnElement[bool]]:
    """By what somebody is known again who dropped the cookie: as the same user, or by a link for one person."""
    yield Participation.device == visitor.device
    if visitor.member is not None:
        yield Participation.user_uuid == visitor.member.uuid
    if visitor.token is not None and visitor.token.person:
        yield Participation.token_uuid == visitor.token.uuid


def case_of(room: Room, visitor: Visitor, *, how: Standing, at: datetime | None = None) -> Case:
    """The case of this visitor. The code is still to be given: see `Case.code`."""
    at = at or now()
    link = visitor.link
    plan = room.subscription.values
    room_most = used_limit(plan, room.room_features, "max_participants")
    plan_most = used_limit(plan, {}, "max_participants")
    return Case(
        at=at,
        customer_usable=room.customer.usable,
        subscription_usable=room.subscription.is_active(at),
        account_active=room.account.status is AccountStatus.ACTIVE,
        room_active=room.status is RoomStatusWord.ACTIVE,
        provider_usable=room.subscription.provider.active,
        is_public=room.is_public,
        member_role=visitor.member_role,
        token_given=link is not None,
        token_found=link is not None and link.room_uuid == room.uuid,
        token_role=link.role if link is not None else None,
        revoked=link is not None and link.revoked_at is not None,
        paused=link is not None and link.paused_at is not None,
        not_before=link.not_before if link is not None else None,
        expires_at=link.expires_at if link is not None else None,
        uses_left=None if link is None or link.max_uses is None else link.max_uses - link.use_count,
        removed=how.removed,
        inside_already=how.inside is not None,
        inside_by_this_link=link is not None and how.inside_by == link.uuid,
        code_needed=how.codes > 0 and visitor.member_role is None,
        host_needed=bool(room.room_settings.get(WAIT_FOR_HOST)),
        host_present=how.moderators > 0,
        room_places=None if room_most is None else room_most - how.present,
        subscription_places=None if plan_most is None else plan_most - how.subscription_present,
    )


def tokens_of(room: Room, *, automatic: bool = False) -> list[RoomToken]:
    """The room's links, those that work first, then newest first. Automatic ones only when asked for."""
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
    """How many automatic guest links the list leaves out."""
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
    """Roles that have codes of which none is valid any more: nobody with such a link gets in."""
    having = {code.role for code in codes}
    return [r for r in Role if r in having and all(code.expired(at) for code in codes if code.role is r)]


def find_own_token(room: Room, token_id: str) -> RoomToken | None:
    """This room's token by its public id."""
    return session.scalar(sa.select(RoomToken).where(RoomToken.room_uuid == room.uuid, RoomToken.id == token_id))


def find_own_code(room: Room, code_id: str) -> AccessCode | None:
    """This room's code by its public id."""
    return session.scalar(sa.select(AccessCode).where(AccessCode.room_uuid == room.uuid, AccessCode.id == code_id))
