"""Starting and ending runs as a whole: by owners and programs, by the clock, and when a room is closed."""

from uuid import UUID

import sqlalchemy as sa

from portal.clock import now
from portal.db import session
from portal.enqueueing import enqueue
from portal.errors import Conflict, Message
from portal.identifiers import Identified
from portal.people.actor import Actor
from portal.providers.base import LiveState, RecordingMode, Snapshot
from portal.rooms.models import Room
from portal.status.endings import END_AT_SERVICE, end_run_here
from portal.status.locking import LockedRoom, lock_room, read_locked_room
from portal.status.models import Driver, Ending, RoomSession, Source
from portal.status.operations import close_in, driven_by_service, look_soon, record_presence
from portal.status.recording import open_run, record_locked
from portal.status.services import require_new_runs
from portal.subscriptions.protocols import ProviderLike


def start_session(
    room: Room,
    *,
    by: Actor | None = None,
    provider: ProviderLike | None = None,
    external: str = "",
    recording: RecordingMode | None = None,
) -> RoomSession:
    """Open a run with nobody in it, whose state is `starting` until somebody enters; or return the running one.

    `provider` and `external` are the service that has started it already and its name for it, and `recording` whether
    it may be recorded; they are left out if the portal drives the run itself. A run that nobody enters ends by itself.
    Raises `Conflict` for a room that cannot be used now.
    """
    lock_room(room.uuid)
    session.refresh(room)
    here = read_locked_room(room)
    if here.run is not None and (not external or here.run.external == external or _runs_elsewhere(here, provider)):
        return here.run
    require_usable(room)
    if here.run is None:
        require_new_runs(provider or room.subscription.provider)
    else:
        end_run_here(here, ending=Ending.CLOSED, at=now())
    here.run = run = open_run(
        room,
        provider=provider or room.subscription.provider,
        driver=Driver.PROVIDER if external else Driver.PRESENCE,
        external=external,
        recording=recording,
        by=by,
    )
    session.flush()
    starting = Snapshot(state=LiveState.STARTING, since=run.started_at, checked_at=run.started_at)
    record_locked(here, starting, source=Source.ENGINE)
    if external:
        look_soon(here)
    session.flush()
    return run


def _runs_elsewhere(here: LockedRoom, provider: ProviderLike | None) -> bool:
    if here.run is None:
        return False
    return not driven_by_service(here) or provider is None or here.run.provider_uuid != provider.uuid


def end_session(room: Identified, *, ending: Ending = Ending.ENDED, by: Actor | None = None) -> int:
    """End the room's running run and close all its participations. Returns how many people were in."""
    locked = lock_room(room.uuid)
    return _end(read_locked_room(locked), ending=ending, by=by) if locked is not None else 0


def end_run(run_uuid: UUID, *, ending: Ending = Ending.CLOSED, if_empty: bool = False, by: Actor | None = None) -> int:
    """End this run, unless it has ended meanwhile; with `if_empty`, only if nobody is in. Returns how many were in."""
    room_uuid = session.scalar(sa.select(RoomSession.room_uuid).where(RoomSession.uuid == run_uuid))
    room = lock_room(room_uuid) if room_uuid is not None else None
    if room is None:
        return 0
    here = read_locked_room(room)
    if here.run is None or here.run.uuid != run_uuid or (if_empty and here.people):
        return 0
    return _end(here, ending=ending, by=by)


def require_usable(room: Room) -> None:
    """Raise `Conflict` unless room, customer, account, subscription and provider all allow a run to start now."""
    if not room.usable(now()):
        raise Conflict(Message("This room cannot be used now: it, its account or its plan is not active."))


def _end(here: LockedRoom, *, ending: Ending, by: Actor | None) -> int:
    run = here.run
    if run is not None and driven_by_service(here):
        gone = end_run_here(here, ending=ending, at=now(), by=by)
        record_locked(here, Snapshot(state=LiveState.IDLE, checked_at=now()), source=Source.ENGINE)
        run.end_wanted = True
        session.flush()
        enqueue(END_AT_SERVICE, str(run.uuid))
        return len(gone)
    count = close_in(here, lambda _person: True, ending=ending, by=by)
    if not count and run is not None:
        record_presence(here, by=by)
        session.flush()
    return count
