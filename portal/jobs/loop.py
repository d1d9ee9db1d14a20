"""The presence sweep, a loop in every web process: closes participations without heartbeats, and overdue runs.

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
from portal.status.operations import close_lapsed

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
    if turn % LOOK_EVERY == LOOK_EVERY - 1:
        look(app)
    if turn % OVERDUE_EVERY == OVERDUE_EVERY - 1:
        close_overdue(app)


def start(app: Flask) -> None:
    """Close participations that a crash left open. With Redis they only get a deadline, as other processes may run."""
    if channels().shared:
        reconcile(app)
        return
    with app.app_context():
        left = maintenance.unattended(_open_places())
        if left:
            with transaction():
                close_lapsed(left)
            log.info("closed participations that a crash left open", count=len(left))


def sweep(app: Flask) -> int:
    """Close lapsed participations. Returns how many. If the database fails, they lapse again in a second."""
    gone = [(group, member) for group, member in channels().take_lapsed() if not is_waiting_group(group)]
    if not gone:
        return 0
    try:
        with app.app_context(), transaction():
            return close_lapsed(gone)
    except SQLAlchemyError:
        for group, member in gone:
            channels().expect_present(group, member, AGAIN_SECONDS)
        raise


def reconcile(app: Flask) -> None:
    """Give a deadline to participants who are in by the database and unknown to the channels."""
    with app.app_context():
        maintenance.expect_heartbeat(maintenance.unattended(_open_places()))


def look(app: Flask) -> None:
    """Set `checked_at` of live rooms in which somebody's page sends heartbeats, so that pages show a fresh status."""
    with app.app_context():
        with reading(), transaction():
            rooms = maintenance.live_rooms_to_check()
        attended = [uuid for uuid in rooms if channels().presence(str(uuid))]
        if attended:
            with transaction():
                maintenance.mark_checked(attended)


def close_overdue(app: Flask) -> int:
    """Close rooms that have run for as long as their plan or owner allows, or to which nobody came.

    Each overdue one in its own transaction.
    """
    closed = 0
    with app.app_context():
        with reading(), transaction():
            runs = maintenance.overdue_runs()
        for run_uuid in runs:
            with transaction():
                closed += maintenance.close_overdue(run_uuid)
        with transaction():
            maintenance.end_unused_runs()
            maintenance.end_silent_runs()
    return closed


def _open_places() -> list[maintenance.GroupMember]:
    with reading(), transaction():
        return maintenance.open_participations()
