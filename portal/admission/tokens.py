"""Issuing links, changing them, and ending them."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from portal import vault
from portal.admission.models import LABEL_LENGTH, RoomToken
from portal.admission.secrets import new_token
from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.db import lock, on_commit, session
from portal.errors import Conflict, Invalid, Message
from portal.identifiers import new_id, new_uuid
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.permissions.rules import grantable_roles, require_grantable_roles
from portal.rooms.models import Role, Room
from portal.status.locking import lock_room
from portal.status.models import Ending, Participation
from portal.status.operations import change_role, close_participations
from portal.undo import UNDO_WINDOW

LONGEST_GRACE = timedelta(days=30)
AUTOMATIC_LIFE = timedelta(hours=24)
MOST_USES = 1_000_000


def issue_token(
    *,
    room: Room,
    role: Role,
    by: Actor,
    label: str = "",
    person: str = "",
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    max_uses: int | None = None,
) -> RoomToken:
    """A new link. An end in the past is accepted and makes a link that does not work.

    Raises `Invalid`, or `NotAllowed` for a role that the maker could not enter in himself.
    """
    require_grantable_roles(by, room, role)
    token = RoomToken(room=room, role=role, created_by=by.user, use_count=0, automatic=False, **_sealed(new_token()))
    _describe(token, label=label, person=person, not_before=not_before, expires_at=expires_at, max_uses=max_uses)
    session.add(token)
    session.flush()
    record_event("token.created", token, by=by, room=room.uuid, role=role.value)
    return token


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
    """Change what a link says. Its text stays, and who is in by it goes on in its new role.

    Raises `Invalid`, `NotAllowed` (see `issue_token`), or `Conflict` once it was revoked or replaced, and for one
    that came by itself in a public room: it is one device's right to be a guest there.
    """
    lock_token(token)
    require_grantable_roles(by, room, token.role, role)
    if token.revoked_at is not None:
        raise Conflict(Message("This link was revoked. Make a new one."))
    if token.automatic:
        raise Conflict(Message("This link came by itself with a visitor. It can be paused or revoked, not changed."))
    if token.replaced:
        raise Conflict(Message("This link was replaced. Change the new one."))
    token.role = role
    _describe(token, label=label, person=person, not_before=not_before, expires_at=expires_at, max_uses=max_uses)
    session.flush()
    record_event("token.changed", token, by=by, room=token.room_uuid, role=role.value)
    own = token.uuid
    change_role(room.uuid, lambda person: person.token_uuid == own, role, by=by)
    _nudge_room(token)


def rotate_token(token: RoomToken, *, room: Room, by: Actor, grace: timedelta) -> RoomToken:
    """Replace the link by a new one with the same description; the old one works for `grace` longer.

    A limit of uses goes on where it was; a pause stays. Raises `Invalid` on `grace` (0 to 30 days), `NotAllowed`
    (see `issue_token`), or `Conflict` for a link that has ended, was replaced already, or came by itself
    in a public room.
    """
    at = now()
    lock_token(token)  # of two who rotate at once, the second finds it replaced
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
        **_sealed(new_token()),
    )
    session.add(fresh)
    session.flush()
    token.rotated_to_uuid, token.grace_until = fresh.uuid, at + grace
    session.flush()
    record_event("token.rotated", token, by=by, room=token.room_uuid, seconds=int(grace.total_seconds()))
    _nudge_room(token)
    return fresh


def pause_token(token: RoomToken, *, by: Actor, remove_people: bool = False) -> int:
    """Let nobody enter by this link until it is resumed, nor by those that it has replaced: it is one way in.

    On request remove those who came by it; returns how many.
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
    """End a pause, also of the links that were paused with it. Raises `NotAllowed` (see `issue_token`)."""
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
    """End the link for good, at once, and with it those that it has replaced and that work for a while: one way in.

    On request remove those who came by it. Returns how many those were.
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
    """Undo a revocation, within ten minutes, also of the links that ended with it.

    Raises `Conflict` later than that, or `NotAllowed` (see `issue_token`).
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
    """Lock room and link, in the order of everybody, and read the link anew. Raises `NotFound`."""
    lock_room(token.room_uuid)
    lock(token)


def may_reinstate(token: RoomToken, at: datetime) -> bool:
    """Whether undoing is still offered."""
    return token.revoked_at is not None and at - token.revoked_at <= UNDO_WINDOW


def tokens_ending_with(token: RoomToken, at: datetime) -> list[RoomToken]:
    """The links that this one has replaced and that work for a while: they are closed with it."""
    return [one for one in _token_chain(token) if one is not token and one.revoked_at is None and not one.expired(at)]


def people_inside(token: RoomToken) -> list[Participation]:
    """Who is in the room by this link, or by one that it has replaced."""
    own = [one.uuid for one in _token_chain(token)]
    return list(
        session.scalars(
            sa.select(Participation).where(Participation.token_uuid.in_(own), Participation.left_at.is_(None))
        )
    )


def automatic_token(room: Room, device: str, *, at: datetime, uses: int) -> RoomToken:
    """The guest link of this device in a public room: one, however often it comes. Good for 24 hours more.

    Notes that it was used now, so many times.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = dict(
        uuid=new_uuid(),
        id=new_id(),
        room_uuid=room.uuid,
        role=Role.GUEST,
        label="",
        person="",
        use_count=uses,
        last_usage=at,
        automatic=True,
        device=device,
        created_at=at,
        updated_at=at,
        expires_at=at + AUTOMATIC_LIFE,
        **_sealed(new_token()),
    )
    used = {"expires_at": row["expires_at"], "last_usage": at, "use_count": RoomToken.use_count + uses}
    made = (
        insert(RoomToken)
        .values(row)
        .on_conflict_do_update(index_elements=["room_uuid", "device"], set_=used)
        .returning(RoomToken)
    )
    return session.scalars(made, execution_options={"populate_existing": True}).one()


def count_use_on_chain(token: RoomToken) -> None:
    """A limit of uses is one for a link, those that it replaced and the one that replaced it: they count together."""
    way = sa.select(RoomToken.uuid, RoomToken.rotated_to_uuid).where(RoomToken.uuid == token.uuid)
    linked = way.cte("way", recursive=True)
    linked = linked.union(
        sa.select(RoomToken.uuid, RoomToken.rotated_to_uuid).join(
            linked, sa.or_(RoomToken.rotated_to_uuid == linked.c.uuid, RoomToken.uuid == linked.c.rotated_to_uuid)
        )
    )
    session.execute(
        sa.update(RoomToken)
        .where(RoomToken.uuid.in_(sa.select(linked.c.uuid)), RoomToken.uuid != token.uuid)
        .values(use_count=RoomToken.use_count + 1)
        .execution_options(synchronize_session=False)
    )


def sweep_automatic() -> int:
    """Housekeeping: automatic links whose day is over go away.

    Revoked ones stay, because they keep somebody out; and so do those by which somebody is in.
    """
    inside = sa.exists().where(Participation.token_uuid == RoomToken.uuid, Participation.left_at.is_(None))
    swept = session.execute(
        sa.delete(RoomToken)
        .where(
            ~inside,
            RoomToken.automatic.is_(True),
            RoomToken.revoked_at.is_(None),
            RoomToken.paused_at.is_(None),
            RoomToken.expires_at < now(),
        )
        .returning(RoomToken.uuid)
    )
    return len(swept.all())


def _token_chain(token: RoomToken) -> list[RoomToken]:
    """The link and all that it has replaced, one after the other: to whoever closes it one way into the room."""
    room, own = RoomToken.room_uuid == token.room_uuid, RoomToken.uuid == token.uuid
    way = sa.select(RoomToken.uuid).where(own).cte("way", recursive=True)
    way = way.union_all(sa.select(RoomToken.uuid).join(way, RoomToken.rotated_to_uuid == way.c.uuid).where(room))
    found = sa.select(RoomToken).join(way, RoomToken.uuid == way.c.uuid)
    return list(session.scalars(found, execution_options={"populate_existing": True}))


def _remove_people(way: list[RoomToken], by: Actor) -> int:
    """Not `REMOVED`, which is a moderator's word about a person: who has another link may come by that."""
    own = {token.uuid for token in way}
    return close_participations(
        way[0].room_uuid, lambda person: person.token_uuid in own, ending=Ending.WITHDRAWN, by=by
    )


def _describe(
    token: RoomToken,
    *,
    label: str,
    person: str,
    not_before: datetime | None,
    expires_at: datetime | None,
    max_uses: int | None,
) -> None:
    token.label = clean_name(label, field="label", longest=LABEL_LENGTH, required=False)
    token.person = clean_name(person, field="person", longest=NAME_LENGTH, required=False)
    if not_before is not None and expires_at is not None and expires_at <= not_before:
        raise Invalid(expires_at=Message("This is before the link starts to work."))
    if max_uses is not None and not 1 <= max_uses <= MOST_USES:
        raise Invalid(max_uses=Message("Use a whole number from 1 to %(largest)d.", largest=MOST_USES))
    token.not_before, token.expires_at, token.max_uses = not_before, expires_at, max_uses


def _sealed(token: str) -> dict[str, str]:
    return {
        "token_hash": vault.lookup_hash(token, purpose="room-token"),
        "token_sealed": vault.seal(token, purpose="room-token"),
    }


def _nudge_room(token: RoomToken) -> None:
    topic = f"room:{token.room_uuid}"
    on_commit(lambda: channels().nudge(topic))
