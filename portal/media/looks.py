"""When a service is asked about the recordings of a room: often after a run has ended, then ever more seldom.

Services need minutes to hours to prepare a recording, sometimes days. Some say when one is ready; the question finds
what they forget to say.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import Auditable, AuditLine
from portal.clock import now
from portal.db import session
from portal.enqueueing import enqueue
from portal.media.models import Recording, RecordingLook
from portal.status.locking import lock_room
from portal.status.models import Driver, RoomSession
from portal.subscriptions.feature_catalog import RECORDING
from portal.subscriptions.services import adapter_of

LOOK = "look-for-recordings"
"""The job that asks a service for recordings of rooms that are due; its id is the uuid of the provider row."""

FIRST_LOOK, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
NEW_FOR = timedelta(days=7)
"""So long after a run has ended its service is asked for a recording of it."""
ROUTINE = timedelta(days=1)
"""After that it is asked once a day whether it still has those that are known."""
LOOK_LEASE = timedelta(minutes=10)
"""How long rooms belong to the job that has claimed them; after that another one may claim them."""
ROOMS_AT_ONCE = 100


def expect_recordings(lines: Sequence[tuple[AuditLine, Auditable]], _webhooks: int | None) -> None:
    """Have services asked for recordings of runs that end, as the audit's lines say.

    Only of those that a service drove which can record. `create_app` subscribes this function to the audit.
    """
    if lines[0][0].action != "room.ended":
        return
    for _line, run in lines:
        if isinstance(run, RoomSession) and _may_be_recorded(run):
            _expect(run)


def _may_be_recorded(run: RoomSession) -> bool:
    if run.driver is not Driver.PROVIDER or run.provider is None:
        return False
    return RECORDING in adapter_of(run.provider).features


def _expect(run: RoomSession) -> None:
    """The room is locked, so nobody else makes the row."""
    if run.provider_uuid is None:
        return
    look = _look_at(run.room_uuid, run.provider_uuid)
    look.since = look.next_look_at = now()
    enqueue(LOOK, str(run.provider_uuid), FIRST_LOOK.total_seconds())


def _look_at(room_uuid: UUID, provider_uuid: UUID) -> RecordingLook:
    """The row of this room and provider, which is made if there is none."""
    look = session.get(RecordingLook, (room_uuid, provider_uuid), populate_existing=True)
    if look is None:
        look = RecordingLook(room_uuid=room_uuid, provider_uuid=provider_uuid, since=now())
        session.add(look)
    return look


def look_soon(provider_uuid: UUID, room_uuids: Collection[UUID]) -> None:
    """Have the service of this provider asked at once about these rooms, of which it has told something.

    Rooms that had no run there are passed over.
    """
    if not room_uuids:
        return
    at, ran = now(), sa.select(RoomSession.room_uuid).where(RoomSession.provider_uuid == provider_uuid)
    for room_uuid in sorted(session.scalars(ran.where(RoomSession.room_uuid.in_(room_uuids)).distinct())):
        if lock_room(room_uuid) is not None:  # so nobody else makes the row
            _look_at(room_uuid, provider_uuid).next_look_at = at
    enqueue(LOOK, str(provider_uuid))


def providers_to_look_at() -> list[UUID]:
    """The uuids of providers whose service should be asked now for recordings of some room."""
    due = sa.select(RecordingLook.provider_uuid).where(RecordingLook.next_look_at <= now())
    return list(session.scalars(due.distinct()))


def claim_looks(provider_uuid: UUID, at: datetime) -> list[UUID]:
    """Claim rooms about which this provider's service should be asked. Several jobs may call this at once."""
    due = (
        sa.select(RecordingLook.room_uuid)
        .where(RecordingLook.provider_uuid == provider_uuid, RecordingLook.next_look_at <= at)
        .order_by(RecordingLook.next_look_at)
        .limit(ROOMS_AT_ONCE)
    )
    claimed = session.scalars(
        sa.update(RecordingLook)
        .where(
            RecordingLook.provider_uuid == provider_uuid,
            RecordingLook.room_uuid.in_(list(session.scalars(due))),
            RecordingLook.next_look_at <= at,
        )
        .values(next_look_at=at + LOOK_LEASE)
        .returning(RecordingLook.room_uuid)
        .execution_options(synchronize_session=False)
    )
    return sorted(claimed)


def schedule_next_look(room_uuid: UUID, provider_uuid: UUID, at: datetime) -> None:
    """Set when this service is asked again about this room, which was asked at `at`; never, if nothing is expected.

    A run that has ended, or a hint that came, meanwhile keeps its own time.
    """
    look = session.get(RecordingLook, (room_uuid, provider_uuid), populate_existing=True)
    if look is None or look.next_look_at < at + LOOK_LEASE:
        return
    age = at - look.since
    if age <= NEW_FOR:
        look.next_look_at = at + min(max(age / 2, FIRST_LOOK), LONGEST_WAIT)
        return
    kept = sa.exists().where(Recording.room_uuid == room_uuid, Recording.provider_uuid == provider_uuid)
    if session.scalar(sa.select(kept)):
        look.next_look_at = at + ROUTINE
    else:
        session.delete(look)
