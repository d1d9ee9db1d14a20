"""The table of tasks: long work, with its state, its progress, and the worker that has claimed it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import now
from portal.column_types import enum_type
from portal.db import Base
from portal.identifiers import ID_LENGTH, IdentifierMixin
from portal.partial_indexes import partial_index

KIND_LENGTH = 64
MESSAGE_LENGTH = 500


class TaskState(StrEnum):
    """The state of a task. Done, failed and cancelled are final."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskQueue(StrEnum):
    """Who works on a task: the workers of all other jobs, or those for media, which are busy for minutes."""

    ORDINARY = "ordinary"
    MEDIA = "media"


class Task(IdentifierMixin, Base):
    """Long work of one kind on one row. It has ended when it is done, failed or cancelled, and stays so.

    `lease_until` is the time from which any worker may claim it: for a waiting task when it should be tried, for a
    running one when its worker has sent no heartbeat for too long. It is None once the task has ended.
    """

    __tablename__ = "tasks"

    kind: Mapped[str] = mapped_column(sa.String(KIND_LENGTH))
    """A key of `portal.jobs.tasks.KINDS`."""
    subject_uuid: Mapped[UUID]
    """The uuid of the row that it works on. The kind tells the table."""
    state: Mapped[TaskState] = mapped_column(enum_type(TaskState), default=TaskState.WAITING)
    progress: Mapped[int | None]
    """In percent; None if nobody can tell."""
    message: Mapped[str] = mapped_column(sa.String(MESSAGE_LENGTH), default="")
    """The present step, or why the last attempt failed, in words for people."""
    attempts: Mapped[int] = mapped_column(default=0)
    """How often a worker has claimed it."""
    worker: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    """A random id of the claim that has the lease, a new one for each attempt."""
    lease_until: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    """When the first worker claimed it."""
    ended_at: Mapped[datetime | None] = mapped_column(index=True)
    created_by_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    queue: Mapped[TaskQueue] = mapped_column(enum_type(TaskQueue), default=TaskQueue.ORDINARY)
    turn_of_uuid: Mapped[UUID | None]
    """The uuid of the customer whose turn it takes, where customers take turns in the queue."""

    __table_args__ = (partial_index("ix_tasks_lease_until", "lease_until", where="lease_until IS NOT NULL"),)

    @property
    def topic(self) -> str:
        """The channels' topic that is nudged when the task changes."""
        return f"task:{self.id}"
