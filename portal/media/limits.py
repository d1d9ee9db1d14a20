"""How long recordings are kept, and how many: what a plan grants, narrowed by the room.

`record_expiration` counts days from when a recording could first be watched, `max_recordings` the recordings of a room,
and those of all rooms of the subscription together; the newest are kept. A plan that says nothing of them limits
neither. Both act by `expires_at`, so that everybody sees what goes, and when. A limit that comes later, because plan or
room was changed or there are too many, leaves a week to save what it takes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from portal.clock import now
from portal.db import reading, session, transaction
from portal.errors import NotFound
from portal.media.models import Recording
from portal.media.operations import delete_recording, lock_recording
from portal.providers.base import RecordingState
from portal.rooms.features import used_limit
from portal.rooms.models import Room
from portal.rooms.protocols import RoomLike
from portal.subscriptions.feature_catalog import Value
from portal.subscriptions.models import Subscription

LEFT_TO_SAVE = timedelta(days=7)
EXPIRING_AT_ONCE = 1_000


def first_expiry(room: RoomLike, ready_at: datetime) -> datetime | None:
    """When a recording of this room that is ready since `ready_at` expires by its age; None: never."""
    days = used_number(room.subscription.values, room.room_features, "record_expiration")
    return None if days is None else _after(ready_at, days)


def enforce_limits() -> int:
    """Set when recordings expire, and delete those that have. Returns how many were deleted.

    Each subscription, and each deletion, has a transaction of its own, so that nobody waits long for them.
    """
    with reading(), transaction():
        subscriptions = session.scalars(
            sa.select(Room.subscription_uuid).join(Recording, Recording.room_uuid == Room.uuid).distinct()
        ).all()
    for subscription_uuid in subscriptions:
        with transaction():
            set_expiries(subscription_uuid)
    with reading(), transaction():
        over = sa.select(Recording.uuid).where(Recording.deleted_at.is_(None), Recording.expires_at <= now())
        expired = session.scalars(over.order_by(Recording.expires_at).limit(EXPIRING_AT_ONCE)).all()
    return sum(_expire(recording_uuid) for recording_uuid in expired)


def set_expiries(subscription_uuid: UUID) -> None:
    """Set when the recordings of all rooms of this subscription expire, by what is granted now.

    Rooms in the trash do not count, and keep what they have.
    """
    subscription = session.get(Subscription, subscription_uuid)
    if subscription is None:
        return
    recordings = session.scalars(
        sa.select(Recording)
        .join(Recording.room)
        .options(contains_eager(Recording.room))
        .where(
            Room.subscription_uuid == subscription_uuid,
            Room.trashed_at.is_(None),
            Recording.deleted_at.is_(None),
            Recording.state != RecordingState.FAILED,
        )
        .order_by(Recording.started_at.desc(), Recording.uuid.desc())
    )
    at, plan = now(), subscription.values
    most = used_number(plan, {}, "max_recordings")
    total, in_room = 0, Counter[UUID]()
    for recording in recordings:
        room = recording.room
        if room is None:  # which the query leaves out
            continue
        total += 1
        in_room[room.uuid] += 1
        room_most = used_number(plan, room.room_features, "max_recordings")
        days = used_number(plan, room.room_features, "record_expiration")
        by_age = None if days is None or recording.ready_at is None else _after(recording.ready_at, days)
        too_many = _exceeds(total, most) or _exceeds(in_room[room.uuid], room_most)
        expires_at = _earliest([by_age, at if too_many else None])
        recording.expires_at = _with_time_to_save(recording.expires_at, expires_at, at)


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
