"""Creating, claiming, renewing, finishing, failing and cancelling tasks.

A claim is decided under the task's row lock (SQLite: within its one writer), so of two workers one gets it. What a
worker writes later counts only while its claim is the present one: a worker that lost the lease changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.db import literal_limit, lock, on_commit, session
from portal.enqueueing import enqueue
from portal.errors import Conflict, Message
from portal.identifiers import new_id
from portal.people.actor import Actor
from portal.tasks.media_line import MEDIA_TOPIC
from portal.tasks.models import MESSAGE_LENGTH, Task, TaskQueue, TaskState

RUN = "tasks.run"
"""The name of the job that runs one task."""
LEASE = timedelta(seconds=25)  # eight missed heartbeats: see `portal.jobs.tasks`
RETRY_SECONDS = (10, 60, 300, 1200)  # after each attempt that failed
MOST_ATTEMPTS = len(RETRY_SECONDS) + 1
MOST_MEDIA_ATTEMPTS = 3
RETENTION = timedelta(days=30)
SWEPT_AT_ONCE = 100


@dataclass(frozen=True)
class ClaimedTask:
    """A task that a worker has claimed. `worker` tells this claim from every other."""

    uuid: UUID
    kind: str
    subject_uuid: UUID
    worker: str


def create_task(
    *,
    kind: str,
    subject_uuid: UUID,
    by: Actor | None,
    queue: TaskQueue = TaskQueue.ORDINARY,
    turn_of_uuid: UUID | None = None,
) -> Task:
    """Create a task, which a worker begins after the transaction is committed. `by` is None for the portal itself.

    `turn_of_uuid` is the customer whose turn it takes in the queue of media.
    """
    task = Task(
        kind=kind,
        subject_uuid=subject_uuid,
        created_by_uuid=by.uuid if by else None,
        lease_until=now(),
        queue=queue,
        turn_of_uuid=turn_of_uuid,
    )
    session.add(task)
    session.flush()
    record_event("task.created", task, by=by, kind=kind)
    _call_worker(task)
    return task


def due() -> list[UUID]:
    """The uuids of tasks that any worker may claim now: waiting ones that are due, and those whose worker died.

    Those of the queue of media are not among them: see `media_line`.
    """
    return list(
        session.scalars(
            sa.select(Task.uuid)
            .where(Task.lease_until <= now(), Task.queue == TaskQueue.ORDINARY)
            .order_by(Task.lease_until)
            .limit(literal_limit(SWEPT_AT_ONCE))
        )
    )


def claim(task_uuid: UUID) -> ClaimedTask | None:
    """Claim a task for the length of a lease. None if another worker has it, or if it has ended.

    It is ended here if it was cancelled after its worker had died, or if too many workers have died of it.
    """
    at = now()
    task = session.scalar(
        sa.select(Task)
        .where(Task.uuid == task_uuid, Task.lease_until <= at)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if task is None:
        return None
    if task.cancel_requested_at is not None:
        _end(task, TaskState.CANCELLED, at)
        return None
    if task.attempts >= _most_attempts(task):
        _end(task, TaskState.FAILED, at, Message("It was begun several times and never came to an end."))
        return None
    task.state, task.worker, task.lease_until = TaskState.RUNNING, new_id(), at + LEASE
    task.progress, task.message = None, ""
    task.attempts += 1
    task.started_at = task.started_at or at
    _nudge(task)
    return ClaimedTask(task.uuid, task.kind, task.subject_uuid, task.worker)


def heartbeat(claimed: ClaimedTask, *, progress: int | None, message: str) -> bool:
    """Renew the lease and store the progress. Returns False if the worker should stop.

    That is so if the task was cancelled, or if another worker has claimed it.
    """
    task = _lock_held(claimed)
    if task is None:
        return False
    task.lease_until = now() + LEASE
    message = message[:MESSAGE_LENGTH]
    if (progress, message) != (task.progress, task.message):
        task.progress, task.message = progress, message
        _nudge(task)
    return task.cancel_requested_at is None


def hold(claimed: ClaimedTask) -> bool:
    """Lock the task until the transaction ends, if this claim is still the present one and nobody cancelled it.

    What a worker publishes in this transaction, no other worker publishes too.
    """
    task = _lock_held(claimed)
    return task is not None and task.cancel_requested_at is None


def finish(claimed: ClaimedTask) -> None:
    """End the task as done. Does nothing if another worker has claimed it."""
    task = _lock_held(claimed)
    if task is not None:
        task.progress = 100
        _end(task, TaskState.DONE, now())


def fail(claimed: ClaimedTask, *, message: str, retry: bool) -> None:
    """Record that the attempt failed, for the reason in `message`. Does nothing if another worker has claimed the task.

    With `retry` the task waits for the next attempt, unless there were too many; else it ends as failed. If it was
    cancelled meanwhile, it ends as cancelled.
    """
    task = _lock_held(claimed)
    if task is None:
        return
    at = now()
    if task.cancel_requested_at is not None:
        _end(task, TaskState.CANCELLED, at)
    elif not retry or task.attempts >= _most_attempts(task):
        _end(task, TaskState.FAILED, at, message)
    else:
        seconds = RETRY_SECONDS[task.attempts - 1]
        task.state, task.worker, task.lease_until = TaskState.WAITING, None, at + timedelta(seconds=seconds)
        task.message = message[:MESSAGE_LENGTH]
        _call_worker(task, seconds)
        _nudge(task)


def give_back(claimed: ClaimedTask) -> None:
    """Let another worker begin the task at once, as if this claim had never been: its process is told to end."""
    task = _lock_held(claimed)
    if task is None:
        return
    if task.cancel_requested_at is not None:
        _end(task, TaskState.CANCELLED, now())
        return
    task.state, task.worker, task.lease_until = TaskState.WAITING, None, now()
    task.progress, task.message = None, ""
    task.attempts -= 1
    _call_worker(task)
    _nudge(task)


def cancel(*, task: Task, by: Actor | None) -> None:
    """End a waiting task, or tell the worker of a running one to stop at its next heartbeat. Raises `Conflict`.

    `by` is None for the portal itself.
    """
    lock(task)
    if task.ended_at is not None:
        raise Conflict(Message("This has ended already."))
    at = now()
    task.cancel_requested_at = task.cancel_requested_at or at
    if task.state is TaskState.WAITING:
        _end(task, TaskState.CANCELLED, at)
    record_event("task.cancelled", task, by=by, kind=task.kind)
    _nudge(task)


def sweep_tasks() -> None:
    """Housekeeping: delete tasks that ended more than 30 days ago."""
    session.execute(sa.delete(Task).where(Task.ended_at < now() - RETENTION))


def _lock_held(claimed: ClaimedTask) -> Task | None:
    """The task, locked, if this claim is still the present one."""
    return session.scalar(
        sa.select(Task)
        .where(Task.uuid == claimed.uuid, Task.worker == claimed.worker)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _end(task: Task, state: TaskState, at: datetime, message: str = "") -> None:
    task.state, task.ended_at, task.message = state, at, message[:MESSAGE_LENGTH]
    task.worker, task.lease_until = None, None
    _nudge(task)


def _most_attempts(task: Task) -> int:
    return MOST_MEDIA_ATTEMPTS if task.queue is TaskQueue.MEDIA else MOST_ATTEMPTS


def _call_worker(task: Task, seconds: float = 0) -> None:
    """Have a worker run the task in so many seconds, after the commit. Those for media look by themselves, too."""
    if task.queue is TaskQueue.MEDIA:
        on_commit(lambda: channels().nudge(MEDIA_TOPIC))
    else:
        enqueue(RUN, str(task.uuid), seconds)


def _nudge(task: Task) -> None:
    topic = task.topic
    on_commit(lambda: channels().nudge(topic))
