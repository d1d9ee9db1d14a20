"""The presence sweep, a loop in every web process: notices who sends no heartbeats, and closes overdue runs.

Each lapsed participant is claimed by one process only, so any number of them may sweep. The loop never
ends, whatever fails in one turn of it: nobody would notice, and people who have left would stay in for ever.
"""

import time

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from portal.admission.waiting import is_waiting_group
from portal.channels import channels
from portal.db import reading, transaction
from portal.jobs import poller
from portal.status import maintenance
from portal.status.moderators import end_without_moderator, runs_without_moderator
from portal.status.presence import handle_lapsed
from portal.watching.views import settle

log = structlog.get_logger()

EVERY_SECONDS = 1.0
OVERDUE_EVERY = 10  # turns
LOOK_EVERY = 10
RECONCILE_EVERY = 30
AGAIN_SECONDS = 1.0


def run(app: Flask) -> None:
    """Sweep until the process ends. The first turn repairs what a crash left, as soon as the database answers."""
    started, turn = False, 0
    while True:
        try:
            if not started:
                start(app)
                started = True
            one_turn(app, turn)
        except Exception as error:
            log.warning("sweeping failed, trying again", error=type(error).__name__, exc_info=error)
        turn += 1
        time.sleep(EVERY_SECONDS)


def one_turn(app: Flask, turn: int) -> None:
    """Sweep, which is done each second, and do what is done less often if this `turn` is one for it."""
    sweep(app)
    poller.enqueue_asks(app)
    if turn % RECONCILE_EVERY == RECONCILE_EVERY - 1:
        reconcile(app)
        settle_views(app)
    if turn % LOOK_EVERY == LOOK_EVERY - 1:
        look(app)
    if turn % OVERDUE_EVERY == OVERDUE_EVERY - 1:
        close_overdue(app)


def start(app: Flask) -> None:
    """Expect heartbeats for participations that a stop or a crash left open: their pages come back by themselves."""
    expected = reconcile(app)
    if expected:
        log.info("expecting people back who were in when the portal stopped", count=expected)


def sweep(app: Flask) -> int:
    """Handle lapsed participants. Returns how many are out. If the database fails, they lapse again in a second."""
    lapsed = [one for one in channels().take_lapsed() if not is_waiting_group(one.group)]
    if not lapsed:
        return 0
    try:
        with app.app_context(), transaction():
            return handle_lapsed(lapsed)
    except SQLAlchemyError:
        for one in lapsed:
            channels().set_present(one.group, one.member, one.value, AGAIN_SECONDS, instead_of={})
        raise


def reconcile(app: Flask) -> int:
    """Give a deadline to participants who are in by the database and unknown to the channels. Returns how many."""
    with app.app_context():
        unattended = maintenance.unattended(_open_places())
        maintenance.expect_heartbeat(unattended)
    return len(unattended)


def look(app: Flask) -> None:
    """Set `checked_at` of live rooms in which somebody's page sends heartbeats, so that pages show a fresh status."""
    with app.app_context():
        with reading(), transaction():
            rooms = maintenance.live_rooms_to_check()
        attended = [uuid for uuid in rooms if channels().presence(str(uuid))]
        if attended:
            with transaction():
                maintenance.mark_checked(attended)


def settle_views(app: Flask) -> None:
    """Add to the videos what people have watched of them since the last time."""
    with app.app_context(), transaction():
        settle()


def close_overdue(app: Flask) -> int:
    """Close rooms that have run for as long as their plan or owner allows, without a moderator, or without anybody.

    Each overdue one in its own transaction.
    """
    closed = 0
    with app.app_context():
        with reading(), transaction():
            runs = maintenance.overdue_runs()
            forsaken = runs_without_moderator()
        for run_uuid in runs:
            with transaction():
                closed += maintenance.close_overdue(run_uuid)
        for run_uuid in forsaken:
            with transaction():
                closed += end_without_moderator(run_uuid)
        with transaction():
            maintenance.end_unused_runs()
            maintenance.end_silent_runs()
    return closed


def _open_places() -> list[maintenance.GroupMember]:
    with reading(), transaction():
        return maintenance.open_participations()
