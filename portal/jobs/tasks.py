"""Running a task: the work, which holds no transaction, and beside it a heartbeat in short transactions."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from flask import current_app

from portal.db import session, transaction
from portal.errors import Message
from portal.jobs.progress import Progress, TaskFailed, TaskStopped
from portal.tasks import operations
from portal.tasks.operations import ClaimedTask

log = structlog.get_logger()

HEARTBEAT_SECONDS = 3.0

KINDS: dict[str, Callable[[UUID, Progress], None]] = {}
"""Kind of a task → the function that does its work, given the uuid of the row to work on and a `Progress`.

It is called in an app context, makes its own short transactions, and may be called again from the start at any time.
"""


def run(task_uuid: str) -> None:
    """Run the task, unless another worker has it or it has ended. Needs an app context."""
    with transaction():
        claimed = operations.claim(UUID(task_uuid))
    if claimed is None:
        return
    progress = Progress()
    with heartbeat(claimed, progress):
        failed = _work(claimed, progress)
    with transaction():
        if failed is None:
            operations.finish(claimed)
        else:
            operations.fail(claimed, message=failed.message, retry=not failed.permanent)


def _work(claimed: ClaimedTask, progress: Progress) -> TaskFailed | None:
    """Do the work. Returns why it failed, or None."""
    work = KINDS.get(claimed.kind)
    if work is None:
        log.error("nobody knows this kind of task", kind=claimed.kind)
        return TaskFailed(Message("The portal does not know this kind of work."), permanent=False)
    try:
        work(claimed.subject_uuid, progress)
    except TaskStopped:
        return TaskFailed(Message("It was interrupted."), permanent=False)
    except TaskFailed as failed:
        return failed
    except Exception as error:
        log.error("a task failed", kind=claimed.kind, error=type(error).__name__, exc_info=error)
        ours = Message("Something went wrong here. It is our fault and has been written down.")
        return TaskFailed(ours, permanent=False)
    finally:
        session.remove()
    return None


@contextmanager
def heartbeat(claimed: ClaimedTask, progress: Progress) -> Iterator[None]:
    """Renew the lease in a thread while the block runs, and stop the work if that is not possible.

    While the database is away, the work goes on until the lease has run out: only then may another worker claim it.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    over = threading.Event()

    def beat() -> None:
        renewed_at = time.monotonic()
        while not over.wait(HEARTBEAT_SECONDS):
            begun_at = time.monotonic()
            try:
                with app.app_context(), transaction():
                    goes_on = operations.heartbeat(claimed, progress=progress.percent, message=progress.message)
                renewed_at = begun_at
            except Exception as error:
                log.warning("a heartbeat failed, trying again", error=type(error).__name__, exc_info=error)
                goes_on = time.monotonic() - renewed_at < operations.LEASE.total_seconds()
            if not goes_on:
                progress.stop()

    thread = threading.Thread(target=beat, name=f"task-{claimed.worker}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
