"""Calling the services behind rooms: to start a run, to end one, and to ask how their runs go on (the poller).

No lock, transaction or connection is held while a service is called. What it answers is written afterwards, in
short transactions. A service that is slow, dead or wrong harms its own rooms only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import now
from portal.db import session, transaction, without_transaction
from portal.errors import Message, Unavailable
from portal.people.actor import Actor
from portal.providers.base import (
    LiveState,
    ProviderError,
    ReportsStatus,
    RunRequest,
    RunStatus,
    Snapshot,
    Startable,
    WatchedRoom,
)
from portal.public_url import public_url
from portal.rooms.features import features_of
from portal.rooms.models import Room
from portal.rooms.protocols import RoomLike
from portal.rooms.settings import declared, setting_of
from portal.status.models import Driver, RoomSession, RoomStatus, Source
from portal.status.recording import LOOK_IDLE, is_name, record, record_missed
from portal.status.runs import require_usable, start_session
from portal.status.services import provider_of, require_new_runs, running_provider_uuid
from portal.subscriptions.models import Subscription
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.provider_health import record_answer, record_failure
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import bound_service

log = structlog.get_logger()

LOOK_LEASE = timedelta(minutes=2)
"""How long rooms belong to the poller that has claimed them; after that another one may claim them."""
LOOK_IDLE_AGAIN = timedelta(minutes=15)
"""So long after an idle room got no answer is its service asked about it again."""
ROOMS_AT_ONCE = 1_000
LONGEST_ENDING = timedelta(hours=1)
"""So long is a service told again that a run was ended here; then it has to find out by itself."""
ASK = "ask-provider"
"""The job that asks a service about its rooms that are due; its id is the uuid of the provider row."""


class RoomNotOpened(Unavailable):
    """The service behind the room refused or failed to open it. Nobody has entered."""

    default = Message("This room cannot be opened right now. Try again in a moment.")


def run_request(room: RoomLike, provider: ProviderLike) -> RunRequest:
    """What the service of this provider is told to start a run of the room."""
    return RunRequest(
        room_key=str(room.uuid),
        room_name=room.room_name,
        settings={
            name: setting_of(room, name, provider.provider_type)
            for name in declared(room.room_type, provider.provider_type)
        },
        limits={row.code: row.used_value for row in features_of(room)},
        callback_url=public_url(f"/hooks/{provider.id}"),
        return_url=public_url(f"/rooms/{room.id}/-/left"),
    )


def start_at_service(service: Startable, request: RunRequest, *, provider: ProviderLike) -> str:
    """Have the service start a run, or find the one that goes on. Returns its name for it. Raises `RoomNotOpened`."""
    try:
        with without_transaction():
            external = service.start(request)
    except Exception as error:
        raise refusal_of(error, provider) from error
    if not is_name(external):
        raise refusal_of(ProviderError("the run got no name that can be kept", permanent=True), provider)
    return external


def refusal_of(error: Exception, provider: ProviderLike) -> RoomNotOpened:
    """The refusal to raise for an error of a service, which is written to the log, and to the provider's health."""
    permanent = error.permanent if isinstance(error, ProviderError) else None
    log.warning("a service did not open a room", provider=provider.id, permanent=permanent, error=type(error).__name__)
    refused = RoomNotOpened()
    refused.after_rollback = partial(record_failure, provider.uuid, error, now(), is_down=not permanent)
    return refused


def start_room(room: Room, *, by: Actor | None) -> RoomSession:
    """Start a run of the room, at its service if that drives its runs. Raises `Conflict` or `RoomNotOpened`."""
    running = running_provider_uuid(room)
    provider = provider_of(room, running)
    try:
        service = bound_service(provider)
    except ProviderError as error:
        raise refusal_of(error, provider) from error
    if not isinstance(service, Startable):
        return start_session(room, by=by)
    require_usable(room)
    if running is None:
        require_new_runs(provider)
    external = start_at_service(service, run_request(room, provider), provider=provider)
    return start_session(room, by=by, provider=provider, external=external)


def end_at_service(run_uuid: UUID) -> None:
    """Tell the service of a run that it was ended here. If that fails, the sweep tries again."""
    with transaction():
        run = session.get(RoomSession, run_uuid)
        provider = run.provider if run is not None else None
        if run is None or provider is None or not run.end_wanted:
            return
        successor = sa.exists().where(
            RoomSession.provider_uuid == run.provider_uuid,
            RoomSession.external == run.external,
            RoomSession.ended_at.is_(None),
        )
        goes_on = bool(session.scalar(sa.select(successor)))
    try:
        service = bound_service(provider)
        if goes_on:
            log.info("a run goes on at its service under the name of one that was ended", provider=provider.id)
        elif isinstance(service, Startable):
            service.end(run.external)
    except Exception as error:  # noqa: BLE001  (the sweep tries again)
        log.warning("a service did not end a run", provider=provider.id, error=type(error).__name__)
        permanent = isinstance(error, ProviderError) and error.permanent
        with transaction():
            record_failure(provider.uuid, error, now(), is_down=not permanent)
        if not permanent:
            return
    with transaction():
        session.execute(sa.update(RoomSession).where(RoomSession.uuid == run_uuid).values(end_wanted=False))


def runs_to_end() -> list[UUID]:
    """The runs that were ended here within the last hour, and whose service has still to be told."""
    wanted = (RoomSession.end_wanted.is_(True), RoomSession.ended_at > now() - LONGEST_ENDING)
    return list(session.scalars(sa.select(RoomSession.uuid).where(*wanted)))


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
        found = service.look([WatchedRoom(str(room.room_uuid), room.external) for room in rooms])
    except Exception as error:  # noqa: BLE001  (whatever it was: its rooms alone pay for it)
        log.warning("a service does not tell its status", provider=provider.id, error=type(error).__name__)
        with transaction():
            record_failure(provider.uuid, error, now())
        _record_all_missed(provider, rooms)
        return len(rooms)
    with transaction():
        record_answer(provider.uuid, asked_at)
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
