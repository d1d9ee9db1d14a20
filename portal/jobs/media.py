"""The workers of the queue of media: each works on one task at a time, for as long as that takes.

They run beside whatever else the process does: as greenlets of the web process where that works on jobs, else as
threads of `portal jobs`. `MEDIA_WORKERS` says how many. They never end, whatever fails in one turn.
"""

import threading
import time
from collections.abc import Callable

import structlog
from flask import Flask

from portal.channels import channels
from portal.db import reading, session, transaction
from portal.errors import Message
from portal.jobs import preparing
from portal.jobs.progress import Progress
from portal.jobs.tasks import heartbeat
from portal.tasks import operations
from portal.tasks.media_line import MEDIA_TOPIC, due_media
from portal.tasks.models import TaskState
from portal.tasks.operations import ClaimedTask
from portal.videos.leftovers import sweep_workshops
from portal.videos.preparation import PREPARE
from portal.videos.publishing import settle_lost

log = structlog.get_logger()

LOOK_SECONDS = 2.0
"""How long an idle worker waits at most before it looks again: for what a dead one has left, or what a nudge lost."""

KINDS: dict[str, Callable[[ClaimedTask, Progress], None]] = {PREPARE: preparing.prepare}
"""Kind of a task → the function that does its work and ends it. It is called in an app context."""


ENDING_SECONDS = 3.0
"""How long a process that is told to end waits for its workers to give back what they work on."""

_ending = threading.Event()
_workers: list[threading.Thread] = []
_under_way: set[Progress] = set()


def start(app: Flask, workers: int) -> None:
    """Start so many workers: greenlets where gevent runs the process, else threads."""
    for number in range(workers):
        worker = threading.Thread(target=run, args=(app,), name=f"media-{number}", daemon=True)
        _workers.append(worker)
        worker.start()


def stop() -> None:
    """Have the workers give back what they work on, so that another process begins it at once. This one ends."""
    _ending.set()
    for progress in list(_under_way):
        progress.give_back()
    channels().nudge(MEDIA_TOPIC)
    until = time.monotonic() + ENDING_SECONDS
    for worker in _workers:
        worker.join(max(0.0, until - time.monotonic()))


def run(app: Flask) -> None:
    """Work until the process ends. The first turn removes what a crash left, as soon as the database answers."""
    started = False
    while not _ending.is_set():
        try:
            with channels().watch(MEDIA_TOPIC) as watch:
                if not started:
                    with app.app_context():
                        tidy_up()
                    started = True
                while not _ending.is_set():
                    if not work_once(app):
                        watch.wait(LOOK_SECONDS)
        except Exception as error:
            log.warning("a media worker failed, trying again", error=type(error).__name__, exc_info=error)
            _ending.wait(LOOK_SECONDS)


def tidy_up() -> None:
    """Delete the folders of workers that have died, and let videos fail whose task has ended without them."""
    sweep_workshops()
    settle_lost()


def work_once(app: Flask) -> bool:
    """Work on the next task until it has ended, in an app context of its own. False if none waits."""
    with app.app_context():
        claimed = take()
        if claimed is None:
            return False
        progress = Progress()
        _under_way.add(progress)
        try:
            with heartbeat(claimed, progress):
                _work(claimed, progress)
        finally:
            _under_way.discard(progress)
            session.remove()
    return True


def take() -> ClaimedTask | None:
    """Claim the task that is next; None if none waits. What has been begun too often ends here, with its video."""
    with reading(), transaction():
        due = due_media()
    for one in due:
        with transaction():
            claimed = operations.claim(one.uuid)
        if one.state is TaskState.RUNNING:  # its worker has died
            sweep_workshops()
        if claimed is not None:
            return claimed
        settle_lost()
    return None


def _work(claimed: ClaimedTask, progress: Progress) -> None:
    work = KINDS.get(claimed.kind)
    if work is not None:
        work(claimed, progress)
        return
    log.error("nobody knows this kind of task", kind=claimed.kind)
    with transaction():
        operations.fail(claimed, message=Message("The portal does not know this kind of work."), retry=False)
