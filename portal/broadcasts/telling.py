"""What is told of a broadcast: the status of its room, as its worker knows it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.broadcasts.models import BroadcastState
from portal.broadcasts.presence import Followers
from portal.clock import now
from portal.db import session
from portal.errors import Message
from portal.providers.base import Count, LiveState, Snapshot
from portal.rooms.models import Role
from portal.status.models import Participation, RoomSession, Source
from portal.status.recording import record
from portal.status.services import provider_of

LABELS = {
    "viewers": Message("Viewers"),
    "peak": Message("Most viewers"),
    "bitrate": Message("Kilobits a second"),
    "seconds_behind": Message("Seconds behind"),
    "interrupted": Message("Seconds interrupted"),
}
_STATES = {
    BroadcastState.STARTING: LiveState.STARTING,
    BroadcastState.LIVE: LiveState.LIVE,
    BroadcastState.INTERRUPTED: LiveState.LIVE,
    BroadcastState.ENDING: LiveState.ENDING,
    BroadcastState.ENDED: LiveState.ENDING,
}


@dataclass(frozen=True)
class Pace:
    """How what is sent comes: kilobits a second, and how many seconds the segments are behind. None: not known."""

    bitrate: int | None = None
    seconds_behind: int | None = None


def tell(session_uuid: UUID, state: BroadcastState, since: datetime, pace: Pace, who: Followers) -> bool:
    """Store the status of the room, and close the participations of people who are gone. False: the run has ended."""
    run = session.get(RoomSession, session_uuid, populate_existing=True)
    if run is None or run.ended_at is not None:
        return False
    people = _in(session_uuid)
    viewers = len(who.now & {id for id, role in people if role is not Role.MODERATOR})
    run.most = max(run.most, viewers)
    figures = {"viewers": viewers, "peak": run.most, "bitrate": pace.bitrate, "seconds_behind": pace.seconds_behind}
    if state is BroadcastState.INTERRUPTED:
        figures = {"viewers": viewers, "peak": run.most, "interrupted": int((now() - since).total_seconds())}
    snapshot = Snapshot(
        state=_STATES[state],
        checked_at=now(),
        since=run.started_at,
        headline=viewers,
        counts=tuple(Count(key, LABELS[key], value) for key, value in figures.items()),
        present=who.kept,
    )
    session.flush()
    _record(run, snapshot)
    return True


def tell_ended(session_uuid: UUID) -> None:
    """End the run, with all participations that are still open, and store that the room is idle."""
    run = session.get(RoomSession, session_uuid, populate_existing=True)
    if run is not None and run.ended_at is None:
        _record(run, Snapshot(state=LiveState.IDLE, checked_at=now()))


def moderators_of(session_uuid: UUID, who: Followers) -> tuple[bool, bool]:
    """Whether a moderator of this run keeps his place, and whether there ever was one."""
    moderators = sa.select(Participation.id, Participation.left_at).where(
        Participation.session_uuid == session_uuid, Participation.role == Role.MODERATOR
    )
    found = session.execute(moderators).all()
    return any(left_at is None and id in who.kept for id, left_at in found), bool(found)


def _record(run: RoomSession, snapshot: Snapshot) -> None:
    provider = provider_of(run.room, run.provider_uuid)
    record(run.room_uuid, snapshot, source=Source.ENGINE, provider=provider, external=run.external)


def _in(session_uuid: UUID) -> list[tuple[str, Role]]:
    open_ones = sa.select(Participation.id, Participation.role).where(
        Participation.session_uuid == session_uuid, Participation.left_at.is_(None)
    )
    return [(id, role) for id, role in session.execute(open_ones)]
