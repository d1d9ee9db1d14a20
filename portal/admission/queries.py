"""Reading what the decision needs: a door by one statement, and the occupancy; and finding links and codes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal import vault
from portal.accounts.models import AccountStatus
from portal.admission.case import Case
from portal.admission.door import FIND_DOOR, FIND_DOOR_AND_OCCUPANCY, Door, door_from_row
from portal.admission.links import LinkLike
from portal.admission.models import AccessCode, RoomToken
from portal.admission.occupancy import Occupancy, occupancy_params, this_token, visitor_params, with_occupancy
from portal.admission.secrets import read_token
from portal.admission.visitor import Visitor
from portal.clock import now
from portal.db import session
from portal.identifiers import matches_identifier
from portal.people.models import User
from portal.providers.base import Adapter
from portal.rooms.features import used_limit
from portal.rooms.kinds import kind_of
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.rooms.protocols import RoomLike
from portal.rooms.settings import GuestPolicy, guest_policy_of, is_live, needs_host
from portal.status.entrance import with_run
from portal.status.services import can_run_on, provider_of
from portal.subscriptions.services import adapter_of


def find_door(room_id: str, token_uuid: UUID | None = None) -> Door | None:
    """Read a room for a visitor with this link, by one statement. None if there is no such room."""
    return _door(FIND_DOOR, {"room_id": room_id, "token_uuid": token_uuid})


def look_in(
    room_id: str, token_uuid: UUID | None = None, *, device: str | None = None, sign_in_uuid: UUID | None = None
) -> Door | None:
    """Read a room as `find_door` does, and its occupancy for a visitor with this device and sign-in."""
    params = occupancy_params(device=device, token_uuid=token_uuid, sign_in_uuid=sign_in_uuid)
    return _door(FIND_DOOR_AND_OCCUPANCY, {"room_id": room_id, **params})


def _door(statement: sa.Select[*tuple[Any, ...]], params: dict[str, Any]) -> Door | None:
    row = session.connection().execute(statement, params).first()
    return door_from_row(row) if row is not None else None


def find_replacement(link: LinkLike) -> RoomToken | None:
    """The link that replaced this one by a rotation; None if none did."""
    return session.get(RoomToken, link.rotated_to_uuid) if link.rotated_to_uuid is not None else None


def find_token(room: RoomLike, text: str) -> RoomToken | None:
    """The token of this room that stands in the text, whatever is around it; None if there is none."""
    token = read_token(text)
    if token is None:
        return None
    hashes = vault.lookup_hashes(token, purpose="room-token")
    return session.scalar(
        sa.select(RoomToken).where(RoomToken.token_hash.in_(hashes), RoomToken.room_uuid == room.uuid)
    )


def occupancy_for(room: RoomLike, visitor: Visitor) -> Occupancy:
    """Read the occupancy of a room for this visitor."""
    return Occupancy(*session.execute(_OCCUPANCY, {"here": room.uuid, **visitor_params(visitor)}).one())


_OCCUPANCY = with_occupancy(
    with_run(sa.select().select_from(Room).outerjoin(RoomToken, this_token())).where(
        Room.uuid == sa.bindparam("here", type_=sa.Uuid())
    )
)


def case_of(room: RoomLike, visitor: Visitor, *, occupancy: Occupancy, at: datetime | None = None) -> Case:
    """The case to decide for this visitor. `code` is "missing": the caller replaces it by what was typed."""
    at = at or now()
    link = visitor.link
    plan = room.subscription.values
    limit = kind_of(room).people_limit
    room_most = used_limit(plan, room.room_features, limit) if limit else None
    plan_most = used_limit(plan, {}, limit) if limit else None
    provider = provider_of(room, occupancy.run_provider_uuid)
    adapter = adapter_of(provider)
    places = adapter.places
    present = occupancy.present
    if is_live(room):  # moderators send, and are no viewers
        present -= occupancy.moderators
        if visitor.role is Role.MODERATOR:
            room_most = plan_most = None
    return Case(
        at=at,
        customer_usable=room.customer.usable,
        subscription_usable=room.subscription.is_active(at),
        account_active=room.account.status is AccountStatus.ACTIVE,
        room_active=room.status is RoomStatusWord.ACTIVE,
        provider_usable=can_run_on(provider, goes_on=occupancy.run_provider_uuid is not None),
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
        code_needed=occupancy.valid_codes is not None and visitor.member_role is None,
        code_valid=occupancy.valid_codes != 0,
        locked=occupancy.locked,
        comes_back=bool(occupancy.comes_back),
        guest_policy=_guest_policy(room, occupancy, adapter),
        answer=occupancy.answer,
        host_needed=needs_host(room),
        host_present=occupancy.moderators > 0 or (is_live(room) and occupancy.run_provider_uuid is not None),
        room_places=None if room_most is None else room_most - present - occupancy.untold,
        subscription_places=None
        if plan_most is None
        else plan_most - occupancy.subscription_present - occupancy.untold,
        service_places=None if places is None else places.people - occupancy.present,
    )


def _guest_policy(room: RoomLike, occupancy: Occupancy, adapter: Adapter) -> GuestPolicy:
    """The room's guest policy, with the lobby that a moderator may have turned on for the running session.

    A service that asks its moderators about guests gets them all: so nobody waits twice.
    """
    policy = guest_policy_of(room)
    if adapter.asks_about_guests:
        return "refuse" if policy == "refuse" else "accept"
    return "ask" if policy == "accept" and occupancy.lobby_on else policy


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
