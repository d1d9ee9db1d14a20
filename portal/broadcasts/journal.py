"""The journal as a process keeps it for its viewers, so that two hundred who follow cost hardly more than one.

Each viewer fetches the playlist once a second. It is the same for all of them: it is rendered anew when it is older
than `FRESH`, by two short statements that read what has been added since. So no viewer is ever told of a segment later
than that, and how much the database is asked does not depend on how many watch.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.broadcasts.models import Broadcast, BroadcastState, JournalSegment
from portal.broadcasts.playlists import Segment, playlist, window
from portal.db import session

FRESH = 0.4
"""Seconds for which a playlist is sent without asking the database."""
MOST_RUNS = 500
_FORGOTTEN_AFTER = 60.0


@dataclass(frozen=True)
class BroadcastNow:
    """How a broadcast is at this moment: its state and since when, and how many segments there are."""

    state: BroadcastState
    since: datetime
    segments: int
    segment_milliseconds: int
    dvr_minutes: int


@dataclass
class _Kept:
    """What is known of one run in this process."""

    read_at: float
    told: BroadcastNow
    segments: list[Segment] = field(default_factory=list)
    text: str = ""


class Journals:
    """The journals of the runs that are followed by way of this process. `clock` tells seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[UUID, _Kept] = {}

    def now(self, session_uuid: UUID) -> BroadcastNow | None:
        """How the broadcast of this run is; None if there is none."""
        kept = self._fresh(session_uuid)
        return kept.told if kept is not None else None

    def playlist(self, session_uuid: UUID) -> str | None:
        """What viewers may play of this run now; None if there is nothing yet."""
        kept = self._fresh(session_uuid)
        return kept.text or None if kept is not None else None

    def _fresh(self, session_uuid: UUID) -> _Kept | None:
        at = self._clock()
        kept = self._kept.get(session_uuid)
        if kept is not None and at - kept.read_at < FRESH:
            return kept
        told = _read_state(session_uuid)
        if told is None:
            self._kept.pop(session_uuid, None)
            return None
        if kept is None:
            self._make_room(at)
            kept = self._kept.setdefault(session_uuid, _Kept(at, told))
        kept.read_at = at
        known = kept.segments[-1].sequence + 1 if kept.segments else 0
        if told.segments > known or told != kept.told or not kept.text:
            milliseconds = told.dvr_minutes * 60_000
            fresh = _read_segments(session_uuid, known) if told.segments > known else []
            following = [one for one in fresh if not kept.segments or one.sequence > kept.segments[-1].sequence]
            kept.segments = list(window([*kept.segments, *following], milliseconds=milliseconds))
            kept.told, kept.text = told, _rendered(told, kept.segments)
        return kept

    def _make_room(self, at: float) -> None:
        if len(self._kept) >= MOST_RUNS:
            self._kept = {run: one for run, one in self._kept.items() if at - one.read_at < _FORGOTTEN_AFTER}
        if len(self._kept) >= MOST_RUNS:
            self._kept = {}


def _rendered(told: BroadcastNow, segments: list[Segment]) -> str:
    if not segments:
        return ""
    return playlist(segments, target_milliseconds=told.segment_milliseconds, ended=told.state is BroadcastState.ENDED)


_STATE = sa.select(
    Broadcast.state, Broadcast.since, Broadcast.segments, Broadcast.segment_milliseconds, Broadcast.dvr_minutes
)
_SEGMENTS = sa.select(
    JournalSegment.sequence, JournalSegment.name, JournalSegment.milliseconds, JournalSegment.at, JournalSegment.breaks
).order_by(JournalSegment.sequence)


def _read_state(session_uuid: UUID) -> BroadcastNow | None:
    row = session.execute(_STATE.where(Broadcast.session_uuid == session_uuid)).first()
    return BroadcastNow(*row) if row is not None else None


def _read_segments(session_uuid: UUID, first: int) -> list[Segment]:
    rows = session.execute(
        _SEGMENTS.where(JournalSegment.session_uuid == session_uuid, JournalSegment.sequence >= first)
    )
    return [Segment(*row) for row in rows]


def whole_playlist(session_uuid: UUID) -> str | None:
    """The playlist of all that this run has produced, from its beginning; None if it has produced nothing."""
    told = _read_state(session_uuid)
    segments = _read_segments(session_uuid, 0) if told is not None else []
    if told is None or not segments:
        return None
    ended = told.state is BroadcastState.ENDED
    return playlist(segments, target_milliseconds=told.segment_milliseconds, ended=ended, whole=True)
