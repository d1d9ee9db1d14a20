"""What the worker of a broadcast writes while its lease counts: segments into the journal, states, and the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.broadcasts.connections import end_connection, last_byte_at, open_connection_of
from portal.broadcasts.leases import ClaimedBroadcast, hold
from portal.broadcasts.models import (
    Broadcast,
    BroadcastConnection,
    BroadcastState,
    ConnectionEnding,
    JournalSegment,
)
from portal.clock import now
from portal.db import session
from portal.status.models import RoomSession

FOLDER = "runs"
"""How the keys of segments begin."""


@dataclass(frozen=True)
class MadeSegment:
    """A segment that lies where viewers fetch it."""

    name: str
    milliseconds: int
    size: int


@dataclass(frozen=True)
class Sending:
    """The open connection of a run, as its worker needs it."""

    uuid: UUID
    id: str
    number: int
    mime: str
    width: int
    height: int
    last_byte_at: datetime


@dataclass(frozen=True)
class Producing:
    """How a broadcast is, as its worker needs it. `quiet_since` is when the last connection ended; None: none did."""

    state: BroadcastState
    since: datetime
    segment_milliseconds: int
    grace: timedelta
    room_uuid: UUID
    run_ended: bool
    sending: Sending | None
    quiet_since: datetime | None


def folder_of(session_uuid: UUID) -> str:
    """The key of the folder of a run's segments."""
    return f"{FOLDER}/{session_uuid}"


def look(claimed: ClaimedBroadcast) -> Producing | None:
    """How the broadcast is now; None if it is another worker's by now."""
    row = session.execute(
        sa.select(Broadcast, RoomSession.room_uuid, RoomSession.ended_at)
        .join(RoomSession, RoomSession.uuid == Broadcast.session_uuid)
        .where(Broadcast.session_uuid == claimed.session_uuid, Broadcast.lease_worker == claimed.worker)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        return None
    broadcast, room_uuid, ended_at = row
    connection = open_connection_of(claimed.session_uuid)
    return Producing(
        state=broadcast.state,
        since=broadcast.since,
        segment_milliseconds=broadcast.segment_milliseconds,
        grace=timedelta(seconds=broadcast.grace_seconds),
        room_uuid=room_uuid,
        run_ended=ended_at is not None,
        sending=_sending(connection) if connection is not None else None,
        quiet_since=_last_ending(claimed.session_uuid) if connection is None else None,
    )


def _sending(one: BroadcastConnection) -> Sending:
    return Sending(one.uuid, one.id, one.number, one.mime, one.width, one.height, last_byte_at(one))


def _last_ending(session_uuid: UUID) -> datetime | None:
    latest = (
        sa.select(BroadcastConnection.ended_at)
        .where(BroadcastConnection.session_uuid == session_uuid)
        .order_by(BroadcastConnection.number.desc())
        .limit(1)
    )
    return session.scalar(latest)


def append(claimed: ClaimedBroadcast, connection_uuid: UUID, made: Sequence[MadeSegment]) -> bool:
    """Append segments of this connection to the journal. False if the lease is another worker's by now.

    The first one of a connection is after a break, unless it is the first of all. Segments of one connection follow one
    another in time without a gap, whenever they were made.
    """
    broadcast = hold(claimed)
    if broadcast is None:
        return False
    before = session.execute(
        sa.select(JournalSegment.connection_uuid, JournalSegment.at, JournalSegment.milliseconds)
        .where(JournalSegment.session_uuid == claimed.session_uuid)
        .order_by(JournalSegment.sequence.desc())
        .limit(1)
    ).first()
    goes_on = before is not None and before.connection_uuid == connection_uuid
    total = sum(one.milliseconds for one in made)
    at = now() - timedelta(milliseconds=total)
    if before is not None:
        end = before.at + timedelta(milliseconds=before.milliseconds)
        at = end if goes_on else max(end, at)
    if before is not None and not goes_on:
        broadcast.breaks += 1
    for one in made:
        session.add(
            JournalSegment(
                session_uuid=claimed.session_uuid,
                sequence=broadcast.segments,
                connection_uuid=connection_uuid,
                name=one.name,
                milliseconds=one.milliseconds,
                at=at,
                breaks=broadcast.breaks,
                size=one.size,
            )
        )
        broadcast.segments += 1
        broadcast.size += one.size
        at += timedelta(milliseconds=one.milliseconds)
    if broadcast.state in {BroadcastState.STARTING, BroadcastState.INTERRUPTED}:
        broadcast.state, broadcast.since = BroadcastState.LIVE, now()
    session.flush()
    return True


def set_state(claimed: ClaimedBroadcast, state: BroadcastState, *, since: datetime | None = None) -> None:
    """Let the broadcast be in this state, unless it ends already, or is another worker's by now."""
    broadcast = hold(claimed)
    if broadcast is None or broadcast.state is state:
        return
    final = {BroadcastState.ENDING: {BroadcastState.ENDED}, BroadcastState.ENDED: set()}
    if state in final.get(broadcast.state, {state}):
        broadcast.state, broadcast.since = state, since or now()
        session.flush()


def give_up(claimed: ClaimedBroadcast, connection_uuid: UUID, ending: ConnectionEnding, error: str = "") -> None:
    """End this connection, of which no more segments can be made."""
    if hold(claimed) is None:
        return
    connection = session.get(BroadcastConnection, connection_uuid, populate_existing=True)
    if connection is not None:
        end_connection(connection, ending, error)
