"""The worker of one broadcast: it holds the lease, keeps a child that makes segments, and decides how far the run is.

Nothing of it lives in the process alone: what came is in files, what was made is in the journal, and how far it is in
the database. So any worker can go on where another one was killed, at the cost of one break.
"""

import threading
import time
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta

from portal.broadcasts import leases, producing
from portal.broadcasts.connections import received
from portal.broadcasts.hosting import topic_of
from portal.broadcasts.leases import HEARTBEAT_SECONDS, ClaimedBroadcast
from portal.broadcasts.leftovers import delete_chunks
from portal.broadcasts.models import BroadcastState, ConnectionEnding
from portal.broadcasts.presence import followers
from portal.broadcasts.producing import MadeSegment, Producing, Sending
from portal.broadcasts.telling import Pace, moderators_of, tell, tell_ended
from portal.channels import channels
from portal.clock import now
from portal.db import reading, transaction
from portal.engines.ingest import Ingest, IngestedSegment, IngestJob, can_copy
from portal.engines.tool import find_tool
from portal.status.maintenance import UNUSED_RUN_TIME
from portal.storage import storage

TICK = 0.1
LOOK_SECONDS = 1.0
TELL_SECONDS = 4.0
QUIET = timedelta(seconds=4)
"""After so long without a byte the broadcast counts as interrupted."""
SETTLE_SECONDS = 10.0
"""How long the child may take for what has come when nothing more will."""
NOTHING_SECONDS = 15.0
"""How long the child may take for the first segment."""
LINGER_SECONDS = 6.0
"""How long viewers may still fetch the end of the playlist before the run ends, and with it their participations."""
_MEASURED = 10


class BroadcastWorker:
    """One claim of one broadcast."""

    def __init__(self, claimed: ClaimedBroadcast, *, ending: threading.Event) -> None:
        self._claimed, self._ending = claimed, ending
        self._engine: _Engine | None = None
        self._looked_at = self._told_at = self._renewed_at = 0.0
        self._told: BroadcastState | None = None
        self._recent: deque[MadeSegment] = deque(maxlen=_MEASURED)

    def run(self) -> None:
        """Work until the run is over, the lease is lost, or the process ends."""
        try:
            with channels().watch(topic_of(self._claimed.session_uuid)) as watch:
                while not self._ending.is_set() and self._turn():
                    if watch.wait(TICK):
                        self._looked_at = 0.0
        finally:
            if self._engine is not None:
                self._engine.discard()

    def _turn(self) -> bool:
        """One turn. False when there is nothing more to do."""
        at = time.monotonic()
        if at - self._renewed_at >= HEARTBEAT_SECONDS:
            with transaction():
                if not leases.renew(self._claimed):
                    return False
            self._renewed_at = at
        if self._engine is not None and not self._publish(self._engine):
            return False
        if at - self._looked_at < LOOK_SECONDS:
            return True
        self._looked_at = at
        with reading(), transaction():
            found = producing.look(self._claimed)
        if found is None:
            return False
        return self._follow(found)

    def _follow(self, found: Producing) -> bool:
        over = found.state in {BroadcastState.ENDING, BroadcastState.ENDED}
        if found.sending is not None and (found.run_ended or over):
            with transaction():
                producing.give_up(self._claimed, found.sending.uuid, ConnectionEnding.LEFT)
            found = replace(found, sending=None)
        if found.run_ended:
            self._finish()
            return False
        self._keep_engine(found)
        state = self._state(found)
        if state is BroadcastState.ENDED and found.state is BroadcastState.ENDED:
            if now() - found.since >= timedelta(seconds=LINGER_SECONDS):
                with transaction():
                    tell_ended(self._claimed.session_uuid)
                self._finish()
                return False
        elif state is not found.state:
            since = self._quiet_since(found) if state is BroadcastState.INTERRUPTED else None
            with transaction():
                producing.set_state(self._claimed, state, since=since)
        self._tell(found, state)
        return True

    def _state(self, found: Producing) -> BroadcastState:
        """How far the broadcast is by what has come, and when."""
        busy = self._engine is not None
        match found.state:
            case BroadcastState.ENDED:
                return BroadcastState.ENDED
            case BroadcastState.ENDING:
                settled = not busy or now() - found.since > timedelta(seconds=SETTLE_SECONDS)
                return BroadcastState.ENDED if settled else BroadcastState.ENDING
        quiet = now() - (self._quiet_since(found) or found.since)
        if found.state is BroadcastState.STARTING:
            return BroadcastState.STARTING if self._may_still_start(found, quiet) else BroadcastState.ENDING
        if quiet > max(found.grace, QUIET):
            return BroadcastState.ENDING
        return BroadcastState.INTERRUPTED if quiet > QUIET or found.sending is None else BroadcastState.LIVE

    def _may_still_start(self, found: Producing, quiet: timedelta) -> bool:
        """Whether a moderator is in the studio, from which nothing has come yet, or has left it a moment ago.

        A run that a program has started waits longer for the first one.
        """
        with reading(), transaction():
            waits, came = moderators_of(self._claimed.session_uuid, followers(found.room_uuid))
        return waits or quiet <= (max(found.grace, leases.LEASE) if came else UNUSED_RUN_TIME)

    @staticmethod
    def _quiet_since(found: Producing) -> datetime | None:
        """Since when nothing has come; None if nobody has sent yet."""
        return found.sending.last_byte_at if found.sending is not None else found.quiet_since

    def _keep_engine(self, found: Producing) -> None:
        """Have a child for the open connection, and let that of another one end with what it has got."""
        engine, sending = self._engine, found.sending
        if engine is not None and (sending is None or sending.uuid != engine.sending.uuid):
            engine.complete()
        elif engine is None and sending is not None and received(sending.uuid):
            self._engine = _Engine(sending, found.segment_milliseconds, copies=can_copy(sending.mime))

    def _publish(self, engine: "_Engine") -> bool:
        """Put what was made where viewers fetch it, and into the journal. False if the lease is lost."""
        running = engine.ingest.running
        if engine.ingest.mistaken and not engine.published:
            self._engine = engine.made_anew()
            return True
        made = engine.take(self._claimed)
        if made:
            self._recent.extend(made)
            with transaction():
                if not producing.append(self._claimed, engine.sending.uuid, made):
                    return False
            if engine.published == len(made):
                self._looked_at = 0.0  # it is live now
        if not running and not made:
            self._over(engine)
        elif engine.gives_nothing:
            engine.ingest.end()
        return True

    def _over(self, engine: "_Engine") -> None:
        """The child has ended: because its connection has, or by what came, or because somebody ended it."""
        ending = ConnectionEnding.BROKEN if engine.published else ConnectionEnding.UNUSABLE
        with transaction():
            producing.give_up(self._claimed, engine.sending.uuid, ending, engine.error)
        engine.discard()
        delete_chunks(engine.sending.uuid)
        self._engine, self._looked_at = None, 0.0

    def _tell(self, found: Producing, state: BroadcastState) -> None:
        at = time.monotonic()
        if state is self._told and at - self._told_at < TELL_SECONDS:
            return
        self._told, self._told_at = state, at
        who = followers(found.room_uuid)
        since = self._quiet_since(found) or found.since
        with transaction():
            tell(self._claimed.session_uuid, state, since, self._pace(found), who)

    def _pace(self, found: Producing) -> Pace:
        length = sum(one.milliseconds for one in self._recent)
        if not length or self._engine is None:
            return Pace()
        behind = received(self._engine.sending.uuid) - self._engine.ingest.fed
        rate = sum(one.size for one in self._recent) * 8 // length
        return Pace(rate, round(max(0, behind) * 8 / 1000 / max(1, rate)))

    def _finish(self) -> None:
        with transaction():
            producing.set_state(self._claimed, BroadcastState.ENDED)
            leases.finish(self._claimed)


class _Engine:
    """The child that makes segments of one connection, in a folder of its own."""

    def __init__(self, sending: Sending, segment_milliseconds: int, *, copies: bool) -> None:
        self.sending = sending
        self.published = 0
        self._begun_at, self._completed_at = time.monotonic(), 0.0
        self._segment_milliseconds = segment_milliseconds
        self._name = f"live-{sending.id}"
        folder = storage().workshop(self._name)
        source = folder / "source"
        storage().lend(f"uploads/{sending.uuid}", source)
        self.ingest = Ingest(
            IngestJob(
                find_tool(),
                folder,
                source,
                sending.number,
                segment_milliseconds,
                copies,
                sending.width,
                sending.height,
            )
        )

    @property
    def gives_nothing(self) -> bool:
        """Whether it has got something for so long, and made nothing of it, that it never will."""
        return not self.published and time.monotonic() - self._begun_at > NOTHING_SECONDS

    @property
    def error(self) -> str:
        """What was wrong with what came, if nothing could be made of it."""
        return "" if self.published else str(self.ingest.error)

    def take(self, claimed: ClaimedBroadcast) -> list[MadeSegment]:
        """Put what was made where viewers fetch it."""
        made: list[IngestedSegment] = self.ingest.poll()
        if not made:
            return []
        told = [MadeSegment(one.path.name, one.milliseconds, one.path.stat().st_size) for one in made]
        storage().publish_made([one.path for one in made], producing.folder_of(claimed.session_uuid))
        self.published += len(told)
        return told

    def complete(self) -> None:
        """Let the child end with what it has got; by force, if it does not in time."""
        at = time.monotonic()
        self._completed_at = self._completed_at or at
        self.ingest.complete()
        if at - self._completed_at > SETTLE_SECONDS:
            self.ingest.end()

    def made_anew(self) -> "_Engine":
        """Another child for the same connection, which does not take the picture as it is."""
        self.discard()
        return _Engine(self.sending, self._segment_milliseconds, copies=False)

    def discard(self) -> None:
        """End the child, and delete its folder."""
        self.ingest.end()
        storage().delete(f"scratch/{self._name}")
