"""Recording what is known about a room in its one stored status, and what that means for its run.

Presence on the portal's own pages, callbacks and polls of services all give a `Snapshot`. Whether the run began, goes
on or has ended is decided under the room's lock, so they may come in any order. A snapshot that is older than the
stored one changes nothing. What a service says is limited before it is stored: it may be wrong, but it cannot fill the
database or deceive by a name.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.clock import now
from portal.db import session
from portal.enqueueing import enqueue
from portal.identifiers import new_id, new_uuid
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import printable
from portal.providers.base import LiveState, RecordingMode, Snapshot
from portal.providers.counts import bounded, count_columns
from portal.rooms.models import Room
from portal.rooms.operations import nudge_watchers
from portal.rooms.protocols import RoomLike
from portal.status.endings import END_AT_SERVICE, close_people, end_run_here
from portal.status.locking import LockedRoom, lock_room, read_locked_room
from portal.status.models import (
    EXTERNAL_LENGTH,
    HAPPENING,
    Driver,
    Ending,
    Participation,
    RoomSession,
    RoomStatus,
    Source,
)
from portal.subscriptions.protocols import ProviderLike

REGISTER = "register-callbacks"
"""The job that asks a service for callbacks about runs that go on; its id is the uuid of the provider row."""

NAMES_KEPT = 20
LOOK_LIVE, LOOK_IDLE = timedelta(seconds=15), timedelta(hours=1)
LONGEST_BACKOFF = timedelta(minutes=5)
MISSES_UNTIL_UNKNOWN = 3
LONGEST_SILENCE = timedelta(hours=1)
"""How long a service may give no answer before its run counts as ended."""
ENDING_TIME = timedelta(minutes=2)
"""How long a service may still report a run that was ended here: ending takes a while there."""
ON_THE_WAY = timedelta(seconds=60)
"""How long somebody who has entered here may be missing in the service's reports: his browser is on its way there."""


def record(
    room_uuid: UUID, snapshot: Snapshot, *, source: Source, provider: ProviderLike, external: str
) -> RoomStatus | None:
    """Record what the service of `provider` says about the room's run that it calls `external`.

    A run that the portal does not know is opened; a running one with another name is ended. Returns the stored status;
    None if there is no such room any more, or if its running run belongs to another provider or to our own pages.
    """
    if snapshot.state in HAPPENING and not is_name(external):
        raise ValueError("this is no name of a run")
    snapshot = _not_of_the_future(snapshot)
    if snapshot.state is LiveState.UNKNOWN:
        record_missed(room_uuid, provider=provider, at=snapshot.checked_at)
        return session.get(RoomStatus, room_uuid)
    room = lock_room(room_uuid)
    if room is None:
        return None
    here = read_locked_room(room)
    if here.run is not None and (here.run.driver is not Driver.PROVIDER or here.run.provider_uuid != provider.uuid):
        return None
    if here.status is not None and snapshot.checked_at < here.status.checked_at:
        return here.status
    if not _follow(here, room, snapshot, provider=provider, external=external):
        return here.status
    record_locked(here, snapshot, source=source)
    if here.status is not None:
        here.status.next_look_at = snapshot.checked_at + (LOOK_LIVE if snapshot.state in HAPPENING else LOOK_IDLE)
    session.flush()
    return here.status


def is_name(external: object) -> bool:
    """Whether a service may call a run so: a text that can be printed and stored."""
    return isinstance(external, str) and 1 <= len(external) <= EXTERNAL_LENGTH and external.isprintable()


def record_missed(room_uuid: UUID, *, provider: ProviderLike, at: datetime) -> None:
    """Record that the service gave no answer when it was asked about the room at `at`.

    The stored status becomes stale, after several misses its state is unknown, and after `LONGEST_SILENCE` the run is
    ended.
    """
    room = lock_room(room_uuid)
    if room is None:
        return
    here = read_locked_room(room)
    if here.status is None or (here.run is not None and here.run.provider_uuid != provider.uuid):
        return
    status = here.status
    status.misses += 1
    status.next_look_at = at + min(LOOK_LIVE * 2 ** min(status.misses - 1, 8), LONGEST_BACKOFF)
    if here.run is not None and at - status.checked_at >= LONGEST_SILENCE:
        end_run_here(here, ending=Ending.LOST, at=at)
        _store(here, Snapshot(state=LiveState.IDLE, checked_at=status.checked_at), source=status.source)
    changed = not status.stale
    status.stale = True
    if status.misses >= MISSES_UNTIL_UNKNOWN and here.run is not None and status.state is not LiveState.UNKNOWN:
        status.state, changed = LiveState.UNKNOWN, True
    if changed:
        _tell_change(room, status)
    session.flush()


def record_locked(here: LockedRoom, snapshot: Snapshot, *, source: Source) -> None:
    """Store a snapshot as the status of a locked room, and update the run's most people."""
    if here.run is not None:
        here.run.most = max(here.run.most, bounded(snapshot.headline))
    _store(here, snapshot, source=source)


def open_run(
    room: RoomLike,
    *,
    provider: ProviderLike,
    driver: Driver,
    external: str = "",
    most: int = 0,
    recording: RecordingMode | None = None,
    by: Actor | None = None,
) -> RoomSession:
    """Open a run that begins now with this provider, with `most` people in it.

    The caller has locked the room and knows that none is running.
    """
    at = now()
    run = RoomSession(
        uuid=new_uuid(),
        id=new_id(),
        room_uuid=room.uuid,
        started_at=at,
        most=most,
        driver=driver,
        provider_uuid=provider.uuid,
        external=external,
        next_registration_at=at if driver is Driver.PROVIDER else None,
        recording=recording,
    )
    session.add(run)
    if driver is Driver.PROVIDER:
        enqueue(REGISTER, str(provider.uuid))
    record_event("room.started", run, by=by, room=room.uuid, webhooks=room.customer.webhooks)
    return run


def _may_open(room: Room, provider: ProviderLike, external: str, at: datetime) -> bool:
    """Whether a run that the service tells of, and that does not run here, may run here.

    Not if it was ended here a moment ago, or its service has still to be told so; and not in a room that cannot be
    used now: there its service is told to end it once more.
    """
    same = (
        RoomSession.room_uuid == room.uuid,
        RoomSession.provider_uuid == provider.uuid,
        RoomSession.external == external,
        RoomSession.ended_at.is_not(None),
    )
    known = session.scalars(sa.select(RoomSession).where(*same).order_by(RoomSession.ended_at.desc()).limit(1)).first()
    if known is not None and known.ended_at is not None:
        if known.end_wanted or known.ended_at > at - ENDING_TIME:
            return False
        if not room.usable(at):
            known.end_wanted = True
            session.flush()
            enqueue(END_AT_SERVICE, str(known.uuid))
    return room.usable(at)


def _not_of_the_future(snapshot: Snapshot) -> Snapshot:
    """The snapshot with no time after now: it would make every later one look older."""
    at = now()
    since = None if snapshot.since is None else min(snapshot.since, at)
    return replace(snapshot, checked_at=min(snapshot.checked_at, at), since=since)


def _follow(here: LockedRoom, room: Room, snapshot: Snapshot, *, provider: ProviderLike, external: str) -> bool:
    """Let the run begin, go on or end as the service says. False if it speaks of a run that is over here."""
    happening = snapshot.state in HAPPENING
    if here.run is None or here.run.external != external:
        if not happening and here.run is not None:
            return False
        if happening and not _may_open(room, provider, external, snapshot.checked_at):
            return False
        if here.run is not None:
            end_run_here(here, ending=Ending.CLOSED, at=snapshot.checked_at)
        if happening:
            here.run = open_run(room, provider=provider, driver=Driver.PROVIDER, external=external)
    if here.run is not None and happening:
        _follow_people(here, here.run, snapshot)
    elif here.run is not None:
        end_run_here(here, ending=Ending.LEFT, at=snapshot.checked_at)
    return True


def _follow_people(here: LockedRoom, run: RoomSession, snapshot: Snapshot) -> None:
    """Close the participations of people who have left, and open those again who are in after all."""
    arrived = snapshot.checked_at - ON_THE_WAY
    settled = [one for one in here.people if (one.expected_at or one.entered_at) < arrived]
    if snapshot.present is None:  # it tells how many, not who: those who came first are taken to have left first
        surplus = max(len(here.people) - max(snapshot.headline, 0), 0)
        close_people(here, settled[:surplus], ending=Ending.LEFT, by=None)
        return
    close_people(here, [one for one in settled if one.id not in snapshot.present], ending=Ending.LEFT, by=None)
    _reopen(here, run, snapshot.present)


def _reopen(here: LockedRoom, run: RoomSession, present: frozenset[str]) -> None:
    """Open the participations again of people who were taken to have left, and are in by the service's word."""
    missing = present - {one.id for one in here.people}
    if not missing:
        return
    devices = {one.device for one in here.people}
    closed = session.scalars(
        sa.select(Participation)
        .where(
            Participation.session_uuid == run.uuid,
            Participation.id.in_(missing),
            Participation.ending.in_([Ending.LEFT, Ending.LOST]),
        )
        .order_by(Participation.entered_at)
    ).all()
    for person in closed:
        if person.device not in devices:
            devices.add(person.device)
            person.left_at, person.ending = None, None
            here.people.append(person)
            record_event("participant.joined", person, by=None, room=here.room.uuid, role=person.role.value)
    session.flush()


def _store(here: LockedRoom, snapshot: Snapshot, *, source: Source) -> None:
    stored = here.status
    if stored is None:
        stored = RoomStatus(
            room_uuid=here.room.uuid,
            version=0,
            count=0,
            counts={},
            labels={},
            names=[],
            misses=0,
            stale=False,
            state=LiveState.IDLE,
        )
        session.add(stored)
        here.status = stored
    since = snapshot.since or (stored.since if stored.state is snapshot.state else snapshot.checked_at)
    names = [printable(name, longest=NAME_LENGTH) for name in snapshot.names[:NAMES_KEPT]]
    fresh = status_columns(snapshot) | {"since": since, "names": names}
    changed = fresh != {name: getattr(stored, name) for name in fresh}
    if snapshot.state is LiveState.IDLE and stored.state in {LiveState.LIVE, LiveState.ENDING, LiveState.UNKNOWN}:
        stored.last_live_at = snapshot.checked_at
    for name, value in fresh.items():
        setattr(stored, name, value)
    stored.checked_at, stored.source, stored.misses = snapshot.checked_at, source, 0
    if changed:
        _tell_change(here.room, stored)


def status_columns(snapshot: Snapshot) -> dict[str, Any]:
    """The columns of `RoomStatus` that say what a snapshot says, within their limits, but for `since` and names."""
    return {
        "state": snapshot.state,
        "count": bounded(snapshot.headline),
        **count_columns(snapshot.counts),
        "stale": False,
    }


def _tell_change(room: RoomLike, stored: RoomStatus) -> None:
    """Count one more version, and nudge, after the commit, those who watch the status of this room."""
    stored.version += 1
    nudge_watchers(room)
