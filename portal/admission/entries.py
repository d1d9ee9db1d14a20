"""One-time entries: what somebody who was let in through the API opens in a browser to be in.

Made after the same judgement as pressing Join, code and throttle included; a use of the link counts
only when the entry is used. It can be opened for a minute, and the button behind it be pressed for ten
more. It works once: of several who press, one gets in.
"""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal import vault
from portal.admission.decision import Decision, Enter, Reason, decide
from portal.admission.models import Entry
from portal.admission.operations import (
    at_locked_door,
    come_in,
    count_guess,
    matching_code,
    name_at_door,
    note_refusal,
)
from portal.admission.queries import Visitor, case_of
from portal.clock import now
from portal.db import session
from portal.errors import Conflict, Message
from portal.people.models import User
from portal.rooms.models import Room
from portal.status.models import Participation

LIFE = timedelta(seconds=60)
PATIENCE = timedelta(minutes=10)  # between opening it, which changes nothing, and pressing the button
KEPT = timedelta(days=1)  # so long does an old one say what became of it
_PREFIX = "en_"
_RANDOM_BYTES = 24  # 192 bits


class Spent(Conflict):
    """The entry was used, or its time is over."""

    default = Message("This entry has been used, or its time is over. Ask for a new one where you got it.")


def prepare_entry(
    *, room: Room, visitor: Visitor, name: str, code: str = "", network: str, grant_uuid: UUID | None = None
) -> tuple[Decision, str | None]:
    """The decision, and if it is `Enter` the secret of an entry. Raises `Invalid` on `name`, or `Throttled`.

    A wrong or missing code is the decision's reason; a wrong one counts as a guess, as at the door.
    Nothing else is used up. The entry ends with the grant, if one is named: what a program was granted.
    """
    name = name_at_door(visitor, name)
    door = at_locked_door(room, visitor, network=network)
    at = now()
    case = case_of(door.room, door.visitor, how=door.how, at=at)
    typed = case.code_needed and bool(code.strip())
    matching = matching_code(door, code, at) if typed else None
    decision = decide(replace(case, code="right" if matching else "wrong" if typed else "missing"))
    if decision.reason is Reason.CODE_WRONG:
        count_guess(door, network)
    if not isinstance(decision.result, Enter):
        note_refusal(room=room, visitor=door.visitor, decision=decision)
        return decision, None
    secret = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    session.add(
        Entry(
            room_uuid=room.uuid,
            secret_hash=vault.lookup_hash(secret, purpose="entry"),
            token_uuid=visitor.token.uuid if visitor.token else None,
            user_uuid=visitor.member.uuid if visitor.member else None,
            access_code=matching,
            scope_words=None if visitor.scopes is None else sorted(visitor.scopes),
            grant_uuid=grant_uuid,
            name=name,
            expires_at=at + LIFE,
        )
    )
    session.flush()
    return decision, secret


def find_entry(room: Room, secret: str) -> Entry | None:
    """This room's entry with that secret, also one that is spent."""
    if not secret.startswith(_PREFIX):
        return None
    hashes = vault.lookup_hashes(secret, purpose="entry")
    return session.scalar(_entries(room).where(Entry.secret_hash.in_(hashes)))


def find_opened(room: Room, entry_uuid: object) -> Entry | None:
    """This room's entry that an admission cookie names."""
    return session.scalar(_entries(room).where(Entry.uuid == entry_uuid)) if entry_uuid else None


def opens(entry: Entry, at: datetime) -> bool:
    """Whether it can still be opened."""
    return entry.stands(at) and at < entry.expires_at


def can_be_used(entry: Entry, at: datetime) -> bool:
    """Whether the button behind it can still be pressed."""
    return entry.stands(at) and at < entry.expires_at + PATIENCE


def use_entry(*, room: Room, entry: Entry, visitor: Visitor, network: str) -> Participation:
    """Come in by the entry, as the `visitor` that it makes on this device.

    Raises `Spent`, `Throttled`, or `Declined`: everything but the code is judged again. The code counts
    for as long as it is valid and the role asks for one.
    """
    door = at_locked_door(room, visitor, network=network)
    at = now()
    taken = session.execute(
        sa.update(Entry)
        .where(Entry.uuid == entry.uuid, Entry.used_at.is_(None), Entry.expires_at > at - PATIENCE)
        .values(used_at=at)
        .returning(Entry.uuid)
    ).first()
    if taken is None:
        raise Spent
    code = entry.access_code
    proven = code is not None and code.role is visitor.role and not code.expired(at)
    case = case_of(door.room, door.visitor, how=door.how, at=at)
    decision = decide(replace(case, code="right" if proven else "missing"))
    counted = code if proven and decision.case.code_needed else None
    return come_in(door, decision, name=entry.name, code=counted, network=network, at=at)


def sweep_entries() -> int:
    """Housekeeping: entries that nobody asks about any more."""
    swept = session.execute(sa.delete(Entry).where(Entry.expires_at < now() - KEPT).returning(Entry.uuid))
    return len(swept.all())


def _entries(room: Room) -> sa.Select[Entry]:
    return (
        sa.select(Entry)
        .where(Entry.room_uuid == room.uuid)
        .options(
            joinedload(Entry.token),
            joinedload(Entry.grant),
            joinedload(Entry.access_code),
            joinedload(Entry.user).joinedload(User.platform_roles),
        )
        .execution_options(populate_existing=True)
    )
