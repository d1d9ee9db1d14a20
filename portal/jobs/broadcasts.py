"""The workers of broadcasts: each makes segments of one run for as long as that lasts, and tells how it goes.

They run beside whatever else the process does, as the workers of the queue of media do. A loop looks for broadcasts
without a worker; each gets a thread, or a greenlet where gevent runs the process.
"""

import os
import threading
import time

import structlog
from flask import Flask

from portal.broadcasts import leases
from portal.broadcasts.hosting import BROADCASTS_TOPIC
from portal.broadcasts.leases import ClaimedBroadcast
from portal.channels import channels
from portal.db import reading, session, transaction
from portal.jobs.broadcast_worker import BroadcastWorker

log = structlog.get_logger()

BROADCASTS_A_CORE = 4
"""How many a process works on for each core of its machine. Taking a picture as it is costs little of one."""
LOOK_SECONDS = 2.0
ENDING_SECONDS = 5.0
AGAIN_SECONDS = 1.0

_ending = threading.Event()
_workers: list[threading.Thread] = []


def start(app: Flask) -> threading.Thread:
    """Look for broadcasts without a worker, until the process ends."""
    loop = threading.Thread(target=run, args=(app,), name="broadcasts", daemon=True)
    loop.start()
    return loop


def stop() -> None:
    """Have the workers give their broadcasts back, so that another process goes on at once. This one ends."""
    _ending.set()
    channels().nudge(BROADCASTS_TOPIC)
    until = time.monotonic() + ENDING_SECONDS
    for worker in list(_workers):
        worker.join(max(0.0, until - time.monotonic()))


def run(app: Flask) -> None:
    """Look until the process ends, whatever fails in one turn."""
    while not _ending.is_set():
        try:
            with channels().watch(BROADCASTS_TOPIC) as watch:
                while not _ending.is_set():
                    work_on_due(app)
                    watch.wait(LOOK_SECONDS)
        except Exception as error:
            log.warning("looking for broadcasts failed, trying again", error=type(error).__name__, exc_info=error)
            _ending.wait(AGAIN_SECONDS)


def work_on_due(app: Flask) -> None:
    """Give each broadcast that has no worker one of this process, as long as it can have more."""
    _workers[:] = [one for one in _workers if one.is_alive()]
    with app.app_context():
        try:
            with reading(), transaction():
                due = leases.due()
            free = max(0, most_here() - len(_workers))
            for session_uuid in due[free:]:
                with transaction():
                    leases.give_up_unclaimed(session_uuid)
            for session_uuid in due[:free]:
                with transaction():
                    claimed = leases.claim(session_uuid)
                if claimed is not None:
                    worker = threading.Thread(target=_work, args=(app, claimed), name="broadcast", daemon=True)
                    _workers.append(worker)
                    worker.start()
        finally:
            session.remove()


def most_here() -> int:
    """How many broadcasts this process works on at most."""
    return BROADCASTS_A_CORE * (os.cpu_count() or 1)


def _work(app: Flask, claimed: ClaimedBroadcast) -> None:
    with app.app_context():
        try:
            BroadcastWorker(claimed, ending=_ending).run()
        except Exception as error:
            log.error("a broadcast's worker failed", error=type(error).__name__, exc_info=error)
            _ending.wait(AGAIN_SECONDS)
        finally:
            session.remove()
            _give_back(claimed)


def _give_back(claimed: ClaimedBroadcast) -> None:
    """Unless it has ended, let another worker go on at once. If the database is away, the lease runs out."""
    try:
        with transaction():
            leases.give_back(claimed)
        channels().nudge(BROADCASTS_TOPIC)
    except Exception as error:  # noqa: BLE001  (whatever it was)
        log.warning("a lease was not given back", error=type(error).__name__)
    finally:
        session.remove()
