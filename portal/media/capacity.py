"""Whether another recording of a room is made: only while there are fewer than plan and room allow.

A quota refuses to start something and takes nothing away: once there are `max_recordings`, new runs are held without
being recorded, and whoever looks after the room reads why. What is being recorded counts once its service tells of it;
so runs that go on at the same time can bring more than are allowed, to which `limits.py` sees.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.column_types import constant, json_values
from portal.db import session
from portal.errors import Message
from portal.media.limits import counted, used_number
from portal.media.models import Recording
from portal.providers.base import RecordingMode
from portal.rooms.features import grants
from portal.rooms.models import Room
from portal.rooms.protocols import RoomLike
from portal.status.models import RoomSession
from portal.status.service_calls import recording_mode
from portal.subscriptions.feature_catalog import MAX_RECORDINGS, RECORDING
from portal.subscriptions.models import SubscriptionFeature
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.services import adapter_of

Counts = Sequence[int]
"""How many recordings a room has, and how many all rooms of its subscription have: 0 if the plan limits none."""

_BESIDE = aliased(Room)


def _counts() -> sa.ColumnElement[Any]:
    """The `Counts` of a `Room`, as one JSON list."""
    limited = sa.exists().where(*_in_plan(MAX_RECORDINGS), SubscriptionFeature.number.is_not(None)).correlate(Room)
    in_room = sa.select(sa.func.count()).where(Recording.room_uuid == Room.uuid, *counted()).correlate(Room)
    in_subscription = (
        sa.select(sa.func.count())
        .select_from(Recording)
        .join(_BESIDE, _BESIDE.uuid == Recording.room_uuid)
        .where(_BESIDE.subscription_uuid == Room.subscription_uuid, _BESIDE.trashed_at.is_(None), *counted())
        .correlate(Room)
    )
    of_plan = sa.case((limited, in_subscription.scalar_subquery()), else_=constant(0))
    return json_values(in_room.scalar_subquery(), of_plan)


def counts_column() -> sa.ColumnElement[Any]:
    """The `Counts` of a `Room`, for a SELECT with its running `RoomSession`; null where they decide nothing.

    They decide of runs that are to start, in rooms whose plan grants recording: so most rooms cost no counting.
    """
    granted = sa.exists().where(*_in_plan(RECORDING), SubscriptionFeature.switch.is_(True)).correlate(Room)
    return sa.case((sa.and_(RoomSession.uuid.is_(None), granted), _counts()))


def _in_plan(code: str) -> tuple[sa.ColumnElement[bool], ...]:
    return SubscriptionFeature.subscription_uuid == Room.subscription_uuid, SubscriptionFeature.code == constant(code)


_COUNTS_OF_ROOM = sa.select(_counts()).where(Room.uuid == sa.bindparam("room", type_=sa.Uuid()))


def has_place_for_recording(room: RoomLike) -> bool:
    """Whether a recording of a run that starts now has a place. One statement, where plan or room limit recordings."""
    return _why_full(room, _counts_of(room)) is None


def recording_ahead(
    room: RoomLike, provider: ProviderLike, *, of_run: RecordingMode | None, counts: Counts | None
) -> RecordingMode:
    """Whether who enters now may be recorded: as the running run began, else as one would that starts now.

    `of_run`: what is noted of the running run. `counts` are those of `counts_column`. No statement.
    """
    if of_run is not None:
        return of_run
    return recording_mode(room, provider, has_place=_why_full(room, counts) is None)


def find_recording_ahead(room: RoomLike, provider: ProviderLike) -> RecordingMode:
    """What `recording_ahead` says, by up to two statements; by none for a service that records nothing."""
    if RECORDING not in adapter_of(provider).features:
        return RecordingMode.OFF
    running = sa.select(RoomSession.recording).where(RoomSession.room_uuid == room.uuid, RoomSession.ended_at.is_(None))
    run = session.execute(running).first()
    counts = _counts_of(room) if run is None else None
    return recording_ahead(room, provider, of_run=run.recording if run is not None else None, counts=counts)


def why_not_recorded(room: RoomLike) -> Message | None:
    """Why new runs of the room are not recorded for want of a place; None if they are, or would not be anyhow."""
    if recording_mode(room, room.subscription.provider, has_place=True) is RecordingMode.OFF:
        return None
    return _why_full(room, _counts_of(room))


def _counts_of(room: RoomLike) -> Counts | None:
    """The counts; None where nothing depends on them."""
    plan = room.subscription.values
    if not grants(plan, RECORDING) or used_number(plan, room.room_features, MAX_RECORDINGS) is None:
        return None
    counts: Counts | None = session.execute(_COUNTS_OF_ROOM, {"room": room.uuid}).scalar()
    return counts


def _why_full(room: RoomLike, counts: Counts | None) -> Message | None:
    if counts is None:
        return None
    plan = room.subscription.values
    in_room, in_subscription = counts
    of_room, of_plan = used_number(plan, room.room_features, MAX_RECORDINGS), used_number(plan, {}, MAX_RECORDINGS)
    if of_plan is not None and in_subscription >= of_plan:
        return _full_plan(of_plan)
    return _full_room(of_room) if of_room is not None and in_room >= of_room else None


def _full_plan(most: int) -> Message:
    if not most:
        return Message("New sessions are not recorded: the plan allows no recordings. Ask for more.")
    return Message.plural(
        "New sessions are not recorded: the one recording of this plan is in use. Delete it first, or ask for more.",
        "New sessions are not recorded: all %(n)d recordings of this plan are in use. "
        "Delete one first, or ask for more.",
        n=most,
    )


def _full_room(most: int) -> Message:
    if not most:
        return Message("New sessions are not recorded: this room may keep no recordings. Its settings say so.")
    return Message.plural(
        "New sessions are not recorded: this room has the one recording that it may keep. "
        "Delete it first, or allow more in its settings.",
        "New sessions are not recorded: this room has all %(n)d recordings that it may keep. "
        "Delete one first, or allow more in its settings.",
        n=most,
    )
