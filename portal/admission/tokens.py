"""Issuing links, changing them, and ending them."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from portal import vault
from portal.admission.models import LABEL_LENGTH, RoomToken
from portal.admission.secrets import new_token
from portal.audit.operations import note
from portal.channels import channels
from portal.clock import now
from portal.db import afterwards, new_id, new_uuid, session
from portal.errors import Conflict, Invalid, Message
from portal.people.models import NAME_LENGTH, User
from portal.people.names import readable
from portal.rooms.models import Role, Room
from portal.status.models import Ending, Participation
from portal.status.operations import leave_session

UNDO = timedelta(minutes=10)
AUTOMATIC_LIFE = timedelta(hours=24)
MOST_USES = 1_000_000


def issue_token(
    *,
    room: Room,
    role: Role,
    by: User,
    label: str = "",
    person: str = "",
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    max_uses: int | None = None,
) -> RoomToken:
    """A new link. An end in the past is accepted and makes a link that does not work. Raises `Invalid`."""
    token = RoomToken(room=room, role=role, created_by=by, use_count=0, automatic=False, **_sealed(new_token()))
    _describe(token, label=label, person=person, not_before=not_before, expires_at=expires_at, max_uses=max_uses)
    session.add(token)
    session.flush()
    note("token.created", token, by=by.uuid, room=room.uuid, role=role.value)
    return token


def change_token(
    token: RoomToken,
    *,
    by: User,
    role: Role,
    label: str = "",
    person: str = "",
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    max_uses: int | None = None,
) -> None:
    """Change what a link says. Its text stays. Raises `Invalid`, or `Conflict` once it was revoked."""
    if token.revoked_at is not None:
        raise Conflict(Message("This link was revoked. Make a new one."))
    token.role = role
    _describe(token, label=label, person=person, not_before=not_before, expires_at=expires_at, max_uses=max_uses)
    session.flush()
    note("token.changed", token, by=by.uuid, room=token.room_uuid, role=role.value)
    _tell(token)


def pause_token(token: RoomToken, *, by: User) -> None:
    """Let nobody enter by this link until it is resumed."""
    token.paused_at = token.paused_at or now()
    session.flush()
    note("token.paused", token, by=by.uuid, room=token.room_uuid)
    _tell(token)


def resume_token(token: RoomToken, *, by: User) -> None:
    """End a pause."""
    token.paused_at = None
    session.flush()
    note("token.resumed", token, by=by.uuid, room=token.room_uuid)
    _tell(token)


def revoke_token(token: RoomToken, *, by: User, remove_people: bool = False) -> int:
    """End the link for good, at once; on request remove those who came by it. Returns how many those were."""
    token.revoked_at = token.revoked_at or now()
    session.flush()
    removed = 0
    if remove_people:
        for participation in people_inside(token):
            removed += leave_session(participation, ending=Ending.REMOVED)
    note("token.revoked", token, by=by.uuid, room=token.room_uuid, removed=removed)
    _tell(token)
    return removed


def reinstate_token(token: RoomToken, *, by: User) -> None:
    """Undo a revocation, within ten minutes. Raises `Conflict` later than that."""
    if not may_reinstate(token, now()):
        raise Conflict(Message("This was revoked too long ago to be undone. Make a new link."))
    token.revoked_at = None
    session.flush()
    note("token.reinstated", token, by=by.uuid, room=token.room_uuid)
    _tell(token)


def may_reinstate(token: RoomToken, at: datetime) -> bool:
    """Whether undoing is still offered."""
    return token.revoked_at is not None and at - token.revoked_at <= UNDO


def people_inside(token: RoomToken) -> list[Participation]:
    """Who is in the room by this link."""
    return list(
        session.scalars(
            sa.select(Participation).where(Participation.token_uuid == token.uuid, Participation.left_at.is_(None))
        )
    )


def automatic_token(room: Room, device: str) -> RoomToken:
    """The guest link of this device in a public room: one, however often it comes. Good for 24 hours more."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    at = now()
    row = dict(
        uuid=new_uuid(),
        id=new_id(),
        room_uuid=room.uuid,
        role=Role.GUEST,
        label="",
        person="",
        use_count=0,
        automatic=True,
        device=device,
        created_at=at,
        updated_at=at,
        expires_at=at + AUTOMATIC_LIFE,
        **_sealed(new_token()),
    )
    uuid: UUID = session.execute(
        insert(RoomToken)
        .values(row)
        .on_conflict_do_update(index_elements=["room_uuid", "device"], set_={"expires_at": row["expires_at"]})
        .returning(RoomToken.uuid)
    ).scalar_one()
    return session.get_one(RoomToken, uuid, populate_existing=True)


def sweep_automatic() -> int:
    """Housekeeping: automatic links whose day is over go away. Revoked ones stay: they keep somebody out."""
    swept = session.execute(
        sa.delete(RoomToken)
        .where(
            RoomToken.automatic.is_(True),
            RoomToken.revoked_at.is_(None),
            RoomToken.paused_at.is_(None),
            RoomToken.expires_at < now(),
        )
        .returning(RoomToken.uuid)
    )
    return len(swept.all())


def _describe(
    token: RoomToken,
    *,
    label: str,
    person: str,
    not_before: datetime | None,
    expires_at: datetime | None,
    max_uses: int | None,
) -> None:
    token.label = readable(label, field="label", longest=LABEL_LENGTH, required=False)
    token.person = readable(person, field="person", longest=NAME_LENGTH, required=False)
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


def _tell(token: RoomToken) -> None:
    topic = f"room:{token.room_uuid}"
    afterwards(lambda: channels().nudge(topic))
