"""How long recordings are kept, and how many: what a plan grants, narrowed by the room.

`record_expiration` counts days from when a recording could first be watched, `max_recordings` the recordings of a room,
and those of all rooms of the subscription together. Once there are so many, `capacity.py` has no more made; what is too
many all the same, because less is granted by now or several runs went on at a time, goes, and the newest are kept. A
plan that says nothing of them limits neither. Both act by `expires_at`, so that everybody sees what goes, and when. A
limit that comes later, because plan or room was changed or there are too many, leaves a week to save what it takes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.clock import now
from portal.column_types import constant
from portal.db import reading, session, transaction
from portal.errors import NotFound
from portal.keyset import Position, keyset
from portal.media.models import Recording
from portal.media.operations import delete_recording, lock_recording
from portal.media.queries import NEWEST_RECORDINGS
from portal.providers.base import RecordingState
from portal.rooms.features import used_limit
from portal.rooms.models import Room
from portal.rooms.protocols import RoomLike
from portal.subscriptions.feature_catalog import MAX_RECORDINGS, Value
from portal.subscriptions.models import Subscription

LEFT_TO_SAVE = timedelta(days=7)
EXPIRING_AT_ONCE, JUDGED_AT_ONCE = 1_000, 500


def first_expiry(room: RoomLike, ready_at: datetime) -> datetime | None:
    """When a recording of this room that is ready since `ready_at` expires by its age; None: never."""
    days = used_number(room.subscription.values, room.room_features, "record_expiration")
    return None if days is None else _after(ready_at, days)


def enforce_limits() -> int:
    """Set when recordings expire, and delete those that have. Returns how many were deleted.

    Some recordings of a subscription, and each deletion, have a transaction of their own: nobody waits long for them.
    """
    with reading(), transaction():
        subscriptions = session.scalars(
            sa.select(Room.subscription_uuid).join(Recording, Recording.room_uuid == Room.uuid).distinct()
        ).all()
    for subscription_uuid in subscriptions:
        set_expiries(subscription_uuid)
    with reading(), transaction():
        over = sa.select(Recording.uuid).where(Recording.deleted_at.is_(None), Recording.expires_at <= now())
        expired = session.scalars(over.order_by(Recording.expires_at).limit(EXPIRING_AT_ONCE)).all()
    return sum(_expire(recording_uuid) for recording_uuid in expired)


def set_expiries(subscription_uuid: UUID) -> None:
    """Set when the recordings of all rooms of this subscription expire, by what is granted now.

    Rooms in the trash do not count, and keep what they have. So many as one subscription may have are neither held in
    memory nor locked at once: they are judged newest first, some at a time, each time in a transaction of its own.
    """
    tally, position = _Tally(), None
    while (position := _set_some(subscription_uuid, tally, position)) is not None:
        pass


@dataclass
class _Tally:
    """How many recordings were counted so far, in all and by room."""

    total: int = 0
    in_room: Counter[UUID] = field(default_factory=Counter)


def _set_some(subscription_uuid: UUID, tally: _Tally, after: Position | None) -> Position | None:
    """Go on after that position in the order of `NEWEST_RECORDINGS`. Returns how far it went; None at the end."""
    with transaction():
        subscription = session.get(Subscription, subscription_uuid)
        if subscription is None:
            return None
        rows = session.execute(keyset(_judged(subscription_uuid), NEWEST_RECORDINGS, after).limit(JUDGED_AT_ONCE)).all()
        at, plan = now(), subscription.values
        most = used_number(plan, {}, MAX_RECORDINGS)
        changes = []
        for row in rows:
            tally.total += 1
            tally.in_room[row.room_uuid] += 1
            room_most = used_number(plan, row.room_features, MAX_RECORDINGS)
            days = used_number(plan, row.room_features, "record_expiration")
            by_age = None if days is None or row.ready_at is None else _after(row.ready_at, days)
            too_many = _exceeds(tally.total, most) or _exceeds(tally.in_room[row.room_uuid], room_most)
            wanted = _with_time_to_save(row.expires_at, _earliest([by_age, at if too_many else None]), at)
            if wanted != row.expires_at:
                changes.append({"recording": row.uuid, "expires": wanted})
        if changes:
            session.connection().execute(_SET_EXPIRY, changes)
    return (rows[-1].started_at, rows[-1].uuid) if len(rows) == JUDGED_AT_ONCE else None


def _judged(subscription_uuid: UUID) -> sa.Select[*tuple[Any, ...]]:
    of_recording = (Recording.uuid, Recording.room_uuid, Recording.started_at, Recording.ready_at, Recording.expires_at)
    return (
        sa.select(*of_recording, Room.room_features)
        .join(Room, Room.uuid == Recording.room_uuid)
        .where(Room.subscription_uuid == subscription_uuid, Room.trashed_at.is_(None), *counted())
    )


_RECORDINGS: Any = Recording.__table__
_SET_EXPIRY = (
    sa.update(_RECORDINGS)
    .where(_RECORDINGS.c.uuid == sa.bindparam("recording"), _RECORDINGS.c.deleted_at.is_(None))
    .values(expires_at=sa.bindparam("expires"))
)


def counted() -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions on a `Recording` that counts against `max_recordings`, if its room is not in the trash."""
    return Recording.deleted_at.is_(None), Recording.state != constant(RecordingState.FAILED)


def used_number(plan: Mapping[str, Value], room_features: Mapping[str, Any], code: str) -> int | None:
    """The number in force for the feature; None for unlimited, also if the plan says nothing of it."""
    return used_limit(plan, room_features, code) if code in plan else None


def _exceeds(number: int, most: int | None) -> bool:
    return most is not None and number > most


def _earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _with_time_to_save(stored: datetime | None, wanted: datetime | None, at: datetime) -> datetime | None:
    """`wanted`, or a later time if it is nearer than what was said before: then a week is left, and no more."""
    if wanted is None or (stored is not None and stored <= wanted):
        return wanted
    left = max(wanted, at + LEFT_TO_SAVE)
    return left if stored is None else min(stored, left)


def _after(moment: datetime, days: int) -> datetime | None:
    """So many days later; None if the calendar has no such day."""
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return None


def _expire(recording_uuid: UUID) -> bool:
    """Delete a recording if it is still to go. Returns whether it was."""
    try:
        with transaction():
            recording = session.get(Recording, recording_uuid)
            if recording is None:
                return False
            lock_recording(recording)
            if recording.expires_at is None or recording.expires_at > now():
                return False
            delete_recording(recording, by=None)
    except NotFound:
        return False
    return True
