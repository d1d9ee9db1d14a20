"""Asking services how the runs of their rooms go on: what the poller does about rooms that are due.

No lock, transaction or connection is held while a service is asked. What it answers is written afterwards, in
short transactions. A service that is slow, dead or wrong harms its own rooms only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import now
from portal.db import session, transaction
from portal.providers.base import (
    LiveState,
    ReportsStatus,
    RunStatus,
    Snapshot,
    WatchedRoom,
)
from portal.providers.counts import count_columns
from portal.rooms.models import Room
from portal.status.models import Driver, RoomSession, RoomStatus, Source
from portal.status.recording import LOOK_IDLE, record, record_missed
from portal.subscriptions.models import Subscription
from portal.subscriptions.provider_health import record_answer, record_counts, record_failure
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import bound_service

log = structlog.get_logger()

LOOK_LEASE = timedelta(minutes=2)
"""How long rooms belong to the poller that has claimed them; after that another one may claim them."""
LOOK_IDLE_AGAIN = timedelta(minutes=15)
"""So long after an idle room got no answer is its service asked about it again."""
ROOMS_AT_ONCE = 1_000
ASK = "ask-provider"
"""The job that asks a service about its rooms that are due; its id is the uuid of the provider row."""


@dataclass(frozen=True)
class _Claimed:
    """A room that this poller has claimed: the service's name for its run, and the stored state."""

    room_uuid: UUID
    external: str
    state: LiveState
    stale: bool

    @property
    def quiet(self) -> bool:
        """Whether nothing goes on in it, and no run is known."""
        return self.state is LiveState.IDLE and not self.external


def providers_to_ask() -> list[UUID]:
    """The uuids of providers with rooms about which their service should be asked now."""
    return list(session.scalars(_select_due(_due(now()), _HOLDER).distinct()))


def ask_provider(provider_uuid: UUID) -> int:
    """Ask the service of this provider once about all its rooms that are due. Returns how many those were.

    Several pollers may call this at once: rooms are claimed by an UPDATE that only one of them wins.
    """
    asked_at = now()
    with transaction():
        provider = session.get(ServiceProvider, provider_uuid)
        rooms = _claim(provider_uuid, asked_at) if provider is not None else []
    if provider is None or not rooms:
        return 0
    try:
        service = bound_service(provider)
        if not isinstance(service, ReportsStatus):
            with transaction():
                _set_all(rooms, next_look_at=None)
            return 0
        told = service.look([WatchedRoom(str(room.room_uuid), room.external) for room in rooms])
        found, counts = told.runs, count_columns(told.counts)
    except Exception as error:  # noqa: BLE001  (whatever it was: its rooms alone pay for it)
        log.warning("a service does not tell its status", provider=provider.id, error=type(error).__name__)
        with transaction():
            record_failure(provider.uuid, error, now())
        _record_all_missed(provider, rooms)
        return len(rooms)
    with transaction():
        record_answer(provider.uuid, asked_at)
        record_counts(provider, counts, asked_at)
    _record_all(provider, rooms, found, asked_at)
    return len(rooms)


def _record_all(provider: ServiceProvider, rooms: Sequence[_Claimed], found: Any, asked_at: datetime) -> None:
    """Record the answer of a service: rooms that stay idle by one statement, the others one by one.

    What is told of one room so that it cannot be recorded counts as no answer about that room.
    """
    quiet = [room for room in rooms if room.quiet and not room.stale and str(room.room_uuid) not in found]
    if quiet:
        with transaction():
            _set_all(quiet, checked_at=asked_at, next_look_at=asked_at + LOOK_IDLE, misses=0, source=Source.POLL)
    over = Snapshot(state=LiveState.IDLE, checked_at=asked_at)
    for room in rooms:
        if room in quiet:
            continue
        try:
            run = found.get(str(room.room_uuid)) or RunStatus(room.external, over)
            with transaction():
                record(room.room_uuid, run.snapshot, source=Source.POLL, provider=provider, external=run.external)
        except Exception as error:  # noqa: BLE001  (what is said of one room keeps no other from being recorded)
            log.warning("a service tells nonsense of a room", provider=provider.id, error=type(error).__name__)
            _record_all_missed(provider, [room])


def _record_all_missed(provider: ServiceProvider, rooms: Sequence[_Claimed]) -> None:
    """Record that these rooms got no answer: idle ones by one statement, the others one by one."""
    at = now()
    quiet = [room for room in rooms if room.quiet]
    if quiet:
        with transaction():
            _set_all(quiet, stale=True, misses=RoomStatus.misses + 1, next_look_at=at + LOOK_IDLE_AGAIN)
    for room in rooms:
        if not room.quiet:
            with transaction():
                record_missed(room.room_uuid, provider=provider, at=at)


_HOLDER = sa.func.coalesce(RoomSession.provider_uuid, Subscription.provider_uuid)


def _due(at: datetime) -> sa.CTE:
    """The statuses of rooms whose service should be asked.

    Materialized: of a moment that it does not know yet, PostgreSQL expects that a third of all statuses lies before it,
    and would read every room each second.
    """
    return (
        sa.select(RoomStatus.room_uuid, RoomStatus.state, RoomStatus.stale)
        .where(RoomStatus.next_look_at <= at)
        .cte("due")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )


def _select_due(due: sa.CTE, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Select these columns for those of the due rooms whose run, if there is one, their service tells of."""
    return (
        sa.select(*columns)
        .select_from(due)
        .join(Room, Room.uuid == due.c.room_uuid)
        .join(Subscription, Subscription.uuid == Room.subscription_uuid)
        .outerjoin(RoomSession, sa.and_(RoomSession.room_uuid == Room.uuid, RoomSession.ended_at.is_(None)))
        .where(sa.or_(RoomSession.driver.is_(None), RoomSession.driver == Driver.PROVIDER))
    )


def _claim(provider_uuid: UUID, at: datetime) -> list[_Claimed]:
    statuses = _due(at)
    query = (
        _select_due(
            statuses,
            statuses.c.room_uuid,
            sa.func.coalesce(RoomSession.external, ""),
            statuses.c.state,
            statuses.c.stale,
        )
        .where(_HOLDER.is_not_distinct_from(provider_uuid))
        .order_by(statuses.c.room_uuid)
        .limit(ROOMS_AT_ONCE)
    )
    due = {row[0]: _Claimed(*row) for row in session.execute(query)}
    claimed = session.scalars(
        sa.update(RoomStatus)
        .where(RoomStatus.room_uuid.in_(list(due)), RoomStatus.next_look_at <= at)
        .values(next_look_at=at + LOOK_LEASE)
        .returning(RoomStatus.room_uuid)
        .execution_options(synchronize_session=False)
    )
    return [due[room_uuid] for room_uuid in sorted(claimed)]


def _set_all(rooms: Sequence[_Claimed], **values: Any) -> None:
    """Set the same values in the statuses of these rooms, unless something has come to go on in an idle one."""
    states = {room.state for room in rooms}
    session.execute(
        sa.update(RoomStatus)
        .where(RoomStatus.room_uuid.in_([room.room_uuid for room in rooms]), RoomStatus.state.in_(states))
        .values(values)
        .execution_options(synchronize_session=False)
    )
