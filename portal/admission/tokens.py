"""Changing, rotating, pausing and revoking room tokens (links).

A link and the links that it replaced by rotation form a chain: they are paused and revoked together, and share one
limit of uses.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.admission.issuing import described_link, token_columns
from portal.admission.links import LinkLike
from portal.admission.models import RoomToken
from portal.admission.secrets import new_token
from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.core_writes import update_row
from portal.db import lock, on_commit, session
from portal.errors import Conflict, Invalid, Message
from portal.people.actor import Actor
from portal.permissions.rules import grantable_roles, require_grantable_roles
from portal.rooms.models import Role, Room
from portal.status.locking import lock_room
from portal.status.models import Driver, Ending, Participation, RoomSession
from portal.status.operations import change_role, close_participations
from portal.subscriptions.provider_models import ServiceType
from portal.undo import UNDO_WINDOW

LONGEST_GRACE = timedelta(days=30)


def change_token(
    token: RoomToken,
    *,
    room: Room,
    by: Actor,
    role: Role,
    label: str = "",
    person: str = "",
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    max_uses: int | None = None,
) -> None:
    """Change a link. Its secret stays, and people who are in by it get its new role at once.

    Raises `Invalid`, `NotAllowed` if `by` may not grant its old or new role, and `Conflict` for a link that was
    revoked or rotated, or that is automatic: that one is a device's right to be a guest.
    """
    lock_token(token)
    require_grantable_roles(by, room, token.role, role)
    if token.revoked_at is not None:
        raise Conflict(Message("This link was revoked. Make a new one."))
    if token.automatic:
        raise Conflict(Message("This link came by itself with a visitor. It can be paused or revoked, not changed."))
    if token.replaced:
        raise Conflict(Message("This link was replaced. Change the new one."))
    described = described_link(
        label=label, person=person, not_before=not_before, expires_at=expires_at, max_uses=max_uses
    )
    before = values_of(token, ("role", *described))
    update_row(token, role=role, **described)
    changes = changes_since(before, token)
    record_event("token.changed", token, by=by, room=token.room_uuid, role=role.value, changes=changes)
    own = token.uuid
    change_role(room.uuid, lambda person: person.token_uuid == own, role, by=by)
    _nudge_room(token)


def rotate_token(token: RoomToken, *, room: Room, by: Actor, grace: timedelta) -> RoomToken:
    """Replace the link by a new one with the same properties. The old one works for `grace` longer.

    The new link continues the count of uses, and is paused if the old one is. Raises `Invalid` on `grace` (0 to 30
    days), `NotAllowed` if `by` may not grant its role, and `Conflict` for a link that has ended, was rotated
    already, or is automatic.
    """
    at = now()
    lock_token(token)  # of two that rotate it at once, the second finds it replaced
    require_grantable_roles(by, room, token.role)
    if not timedelta(0) <= grace <= LONGEST_GRACE:
        raise Invalid(grace=Message("Use a time from none to %(days)d days.", days=LONGEST_GRACE.days))
    if token.revoked_at is not None or token.automatic:
        raise Conflict(Message("This link cannot be replaced. Make a new one."))
    if token.replaced:
        raise Conflict(Message("This link was replaced. Rotate the new one."))
    if token.expired(at):
        raise Conflict(Message("This link has expired. Make a new one."))
    fresh = RoomToken(
        room_uuid=token.room_uuid,
        created_by_uuid=by.uuid,
        role=token.role,
        label=token.label,
        person=token.person,
        not_before=token.not_before,
        expires_at=token.expires_at,
        max_uses=token.max_uses,
        use_count=token.use_count,
        paused_at=token.paused_at and at,  # a pause of its own: resuming it does not resume what was paused before
        automatic=False,
        chain_uuid=token.chain_uuid or token.uuid,
        **token_columns(new_token()),
    )
    session.add(fresh)
    session.flush()
    token.rotated_to_uuid, token.grace_until = fresh.uuid, at + grace
    session.flush()
    record_event("token.rotated", token, by=by, room=token.room_uuid, seconds=int(grace.total_seconds()))
    _nudge_room(token)
    return fresh


def pause_token(token: RoomToken, *, by: Actor, remove_people: bool = False) -> int:
    """Pause a link: nobody enters by it, nor by the links that it replaced, until it is resumed.

    With `remove_people`, people who are in by any of them are removed. Returns how many were.
    """
    lock_token(token)
    at = token.paused_at = token.paused_at or now()
    for one in tokens_ending_with(token, at):
        one.paused_at = one.paused_at or at
    session.flush()
    removed = _remove_people(_token_chain(token), by) if remove_people else 0
    record_event("token.paused", token, by=by, room=token.room_uuid, removed=removed)
    _nudge_room(token)
    return removed


def resume_token(token: RoomToken, *, room: Room, by: Actor) -> None:
    """Resume a link, and those that were paused with it. Raises `NotAllowed` if `by` may not grant its role."""
    lock_token(token)
    require_grantable_roles(by, room, token.role)
    at = token.paused_at
    for one in _token_chain(token):
        if one is token or (one.paused_at == at and one.role in grantable_roles(by, room)):
            one.paused_at = None
    session.flush()
    record_event("token.resumed", token, by=by, room=token.room_uuid)
    _nudge_room(token)


def revoke_token(token: RoomToken, *, by: Actor, remove_people: bool = False) -> int:
    """Revoke a link for good, and with it the links that it replaced and that still work.

    With `remove_people`, people who are in by any of them are removed. Returns how many were.
    """
    lock_token(token)
    at = token.revoked_at = token.revoked_at or now()
    ended = tokens_ending_with(token, at)
    for one in ended:
        one.revoked_at = at
    session.flush()
    removed = _remove_people(_token_chain(token), by) if remove_people else 0
    record_event("token.revoked", token, by=by, room=token.room_uuid, removed=removed)
    for one in ended:
        record_event("token.revoked", one, by=by, room=token.room_uuid, removed=0)
    _nudge_room(token)
    return removed


def reinstate_token(token: RoomToken, *, room: Room, by: Actor) -> None:
    """Undo the revocation of a link, and of those that were revoked with it.

    Raises `Conflict` after ten minutes, and `NotAllowed` if `by` may not grant its role.
    """
    lock_token(token)
    require_grantable_roles(by, room, token.role)
    if not may_reinstate(token, now()):
        raise Conflict(Message("This was revoked too long ago to be undone. Make a new link."))
    at = token.revoked_at
    for one in _token_chain(token):
        if one is token or (one.revoked_at == at and one.role in grantable_roles(by, room)):
            one.revoked_at = None
            record_event("token.reinstated", one, by=by, room=token.room_uuid)
    session.flush()
    _nudge_room(token)


def lock_token(token: RoomToken) -> None:
    """Lock the room and then the link, and reload the link. Raises `NotFound`.

    Everything locks in this order, so that there is no deadlock.
    """
    lock_room(token.room_uuid)
    lock(token)


def may_reinstate(token: RoomToken, at: datetime) -> bool:
    """Whether the revocation of this link can still be undone at `at`."""
    return token.revoked_at is not None and at - token.revoked_at <= UNDO_WINDOW


def tokens_ending_with(token: RoomToken, at: datetime) -> list[RoomToken]:
    """The links that this one replaced and that still work at `at`. They are paused and revoked with it."""
    return [one for one in _token_chain(token) if one is not token and one.revoked_at is None and not one.expired(at)]


def people_inside(token: RoomToken) -> list[Participation]:
    """The open participations, by this link or one that it replaced, of people who can be removed from here.

    Whoever is in at a service cannot: only the service could send him out.
    """
    own = [one.uuid for one in _token_chain(token)]
    on_our_pages = sa.or_(RoomSession.driver == Driver.PRESENCE, Room.room_type == ServiceType.LIVE)
    inside = sa.select(Participation).join(Participation.run).join(RoomSession.room).where(on_our_pages)
    return list(session.scalars(inside.where(Participation.token_uuid.in_(own), Participation.left_at.is_(None))))


def count_use_on_chain(token: LinkLike) -> None:
    """Count a use on all other links that are connected with this one by rotation: they share a limit of uses."""
    first = token.chain_uuid or token.uuid
    session.execute(
        sa.update(RoomToken)
        .where(
            RoomToken.room_uuid == token.room_uuid,
            sa.or_(RoomToken.uuid == first, RoomToken.chain_uuid == first),
            RoomToken.uuid != token.uuid,
        )
        .values(use_count=RoomToken.use_count + 1)
        .execution_options(synchronize_session=False)
    )


def _token_chain(token: RoomToken) -> list[RoomToken]:
    """The link and all links that it replaced by rotation, directly or indirectly."""
    room, own = RoomToken.room_uuid == token.room_uuid, RoomToken.uuid == token.uuid
    chain = sa.select(RoomToken.uuid).where(own).cte("way", recursive=True)
    chain = chain.union_all(
        sa.select(RoomToken.uuid).join(chain, RoomToken.rotated_to_uuid == chain.c.uuid).where(room)
    )
    found = sa.select(RoomToken).join(chain, RoomToken.uuid == chain.c.uuid)
    return list(session.scalars(found, execution_options={"populate_existing": True}))


def _remove_people(way: list[RoomToken], by: Actor) -> int:
    """End the participations of these links as `WITHDRAWN`. Not `REMOVED`: who has another link may come by that."""
    own = {token.uuid for token in way}
    if not people_inside(way[0]):
        return 0
    return close_participations(
        way[0].room_uuid, lambda person: person.token_uuid in own, ending=Ending.WITHDRAWN, by=by
    )


def _nudge_room(token: RoomToken) -> None:
    topic = f"room:{token.room_uuid}"
    on_commit(lambda: channels().nudge(topic))
