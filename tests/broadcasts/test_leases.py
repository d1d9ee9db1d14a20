"""Which worker makes segments: one at a time, another after a clean stop at once, after a death when it is sure."""

import os
import socket
import subprocess
from datetime import timedelta
from uuid import UUID

import pytest

from portal.broadcasts import leases, producing
from portal.broadcasts.models import BroadcastState, ConnectionEnding, JournalSegment
from portal.broadcasts.producing import MadeSegment
from portal.clock import now
from portal.db import session, transaction
from portal.rooms.models import Role
from tests.conftest import BOTH
from tests.live_room import Stage, Studio

MADE = MadeSegment("1_00000.ts", 1000, 5)


@pytest.fixture
def studio(stage: Stage) -> Studio:
    studio = Studio(stage, stage.come(Role.MODERATOR))
    studio.go_live()
    return studio


@pytest.fixture
def run(stage: Stage, studio: Studio) -> UUID:
    with stage.app.app_context(), transaction():
        return stage.run().uuid


@BOTH
def test_one_worker_holds_a_broadcast_and_gives_it_back(stage: Stage, run: UUID) -> None:
    with stage.app.app_context():
        with transaction():
            assert leases.due() == [run]
            first = leases.claim(run)
        with transaction():
            assert first is not None
            assert leases.due() == []
            assert leases.claim(run) is None
            assert leases.renew(first)
            leases.give_back(first)
        with transaction():
            assert leases.due() == [run]
            second = leases.claim(run)
            assert second is not None
            assert not leases.renew(first)
            leases.finish(first)
        with transaction():
            leases.finish(second)
        with transaction():
            leases.give_back(second)
            assert leases.due() == []
            assert leases.claim(run) is None


@BOTH
def test_a_lease_that_has_run_out_is_taken_over_and_the_broadcaster_opens_another_connection(
    stage: Stage, run: UUID
) -> None:
    with stage.app.app_context():
        with transaction():
            first = leases.claim(run)
            assert first is not None
            assert stage.connections()[0].ended_at is None  # nobody had begun with it
        with transaction():
            stage.broadcast().lease_until = now() - timedelta(seconds=1)
        with transaction():
            connection = stage.connections()[0].uuid
            assert leases.claim(run) is not None
        with transaction():
            assert stage.connections()[0].ending is ConnectionEnding.RESTARTED
            assert not producing.append(first, connection, [MADE])
            producing.set_state(first, BroadcastState.ENDED)
            assert stage.broadcast().state is BroadcastState.STARTING
            assert stage.broadcast().segments == 0


def dead_process() -> int:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("host", "process", "taken"),
    [
        (socket.gethostname(), dead_process(), True),
        (socket.gethostname(), os.getpid(), True),  # another process that had our number, before a restart
        (socket.gethostname(), os.getppid(), False),
        ("another-machine", dead_process(), False),
    ],
    ids=["dead here", "our number", "alive here", "elsewhere"],
)
def test_of_a_worker_that_died_on_this_machine_nobody_waits_for_the_lease(
    stage: Stage, run: UUID, host: str, process: int, taken: bool
) -> None:
    with stage.app.app_context():
        with transaction():
            broadcast = stage.broadcast()
            broadcast.lease_host, broadcast.lease_worker = host, f"{process}.abc"
            broadcast.lease_until = now() + timedelta(seconds=20)
        with transaction():
            assert (leases.due() == [run]) is taken
            assert (leases.claim(run) is not None) is taken


@BOTH
def test_segments_follow_one_another_in_time_and_a_new_connection_is_a_break(
    stage: Stage, studio: Studio, run: UUID
) -> None:
    with stage.app.app_context():
        with transaction():
            claimed = leases.claim(run)
            assert claimed is not None
            first = stage.connections()[0].uuid
            assert producing.append(claimed, first, [MADE, MadeSegment("1_00001.ts", 500, 7)])
        assert studio.go_live().status_code == 201
        with transaction():
            second = stage.connections()[1].uuid
            assert producing.append(claimed, second, [MadeSegment("2_00000.ts", 2000, 1)])
        with transaction():
            assert producing.append(claimed, second, [MadeSegment("2_00001.ts", 2000, 1)])
        with transaction():
            rows = session.query(JournalSegment).order_by(JournalSegment.sequence).all()
            assert [(one.sequence, one.breaks) for one in rows] == [(0, 0), (1, 0), (2, 1), (3, 1)]
            assert rows[1].at - rows[0].at == timedelta(seconds=1)
            assert rows[2].at >= rows[1].at + timedelta(milliseconds=500)
            assert rows[3].at - rows[2].at == timedelta(seconds=2)
            found = stage.broadcast()
            assert (found.segments, found.breaks, found.size, found.state) == (4, 1, 14, BroadcastState.LIVE)


@pytest.mark.parametrize(
    ("before", "then", "after"),
    [
        (BroadcastState.LIVE, BroadcastState.INTERRUPTED, BroadcastState.INTERRUPTED),
        (BroadcastState.ENDING, BroadcastState.LIVE, BroadcastState.ENDING),
        (BroadcastState.ENDING, BroadcastState.ENDED, BroadcastState.ENDED),
        (BroadcastState.ENDED, BroadcastState.ENDING, BroadcastState.ENDED),
    ],
)
def test_what_ends_does_not_come_back(
    stage: Stage, run: UUID, before: BroadcastState, then: BroadcastState, after: BroadcastState
) -> None:
    with stage.app.app_context():
        with transaction():
            claimed = leases.claim(run)
            stage.broadcast().state = before
        with transaction():
            assert claimed is not None
            producing.set_state(claimed, then)
        with transaction():
            assert stage.broadcast().state is after
