"""The queue of media: who of those that wait is next, where customers take turns.

Whoever has the fewest tasks running is first; among equals the one whose turn was longest ago. Within a customer it is
first come, first served. So a customer with a hundred videos delays nobody by more than one.
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from portal.clock import now
from portal.db import literal_limit, session
from portal.tasks.models import Task, TaskQueue, TaskState

MEDIA_TOPIC = "media-queue"
"""The channels' topic that is nudged when a task for media waits."""
_MOST = 2000
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Open:
    """A task for media that has not ended."""

    uuid: UUID
    subject_uuid: UUID
    turn_of: UUID | None
    state: TaskState
    lease_until: datetime


def in_line() -> list[UUID]:
    """The tasks that wait, in the order in which workers begin them."""
    return [one.uuid for one in _in_turn(_open_tasks())]


def due_media() -> list[Open]:
    """The tasks that a worker may claim now, the next one first: before all others those whose worker has died."""
    at, found = now(), _open_tasks()
    deserted = [one for one in found if one.state is TaskState.RUNNING and one.lease_until <= at]
    return deserted + [one for one in _in_turn(found) if one.lease_until <= at]


def _open_tasks() -> list[Open]:
    """Those that have not ended, everybody's first ones first: who has thousands hides nobody else's."""
    columns = (Task.uuid, Task.subject_uuid, Task.turn_of_uuid, Task.state, Task.lease_until)
    mine = {"partition_by": (Task.turn_of_uuid, Task.state), "order_by": (Task.created_at, Task.uuid)}
    place = sa.func.row_number().over(**mine)  # type: ignore[arg-type]
    waiting = (
        sa.select(*columns)
        .where(Task.queue == TaskQueue.MEDIA, Task.lease_until.is_not(None))
        .order_by(place, Task.created_at, Task.uuid)
        .limit(literal_limit(_MOST))
    )
    rows = session.execute(waiting)
    return [Open(uuid, subject, turn, state, until) for uuid, subject, turn, state, until in rows if until is not None]


def _in_turn(found: list[Open]) -> list[Open]:
    """Those that wait, in turns."""
    waiting: dict[UUID | None, deque[Open]] = defaultdict(deque)
    running: dict[UUID | None, int] = defaultdict(int)
    for one in found:
        if one.state is TaskState.WAITING:
            waiting[one.turn_of].append(one)
        else:
            running[one.turn_of] += 1
    served = _last_turns(list(waiting)) if len(waiting) > 1 else {}
    turns: list[Open] = []
    while waiting:
        whose = min(waiting, key=lambda turn: (running[turn], served.get(turn, _LONG_AGO), waiting[turn][0].uuid))
        turns.append(waiting[whose].popleft())
        running[whose] += 1
        if not waiting[whose]:
            del waiting[whose]
    return turns


def _last_turns(customers: list[UUID | None]) -> dict[UUID | None, datetime]:
    """When each of these had a turn last."""
    last = (
        sa.select(Task.turn_of_uuid, sa.func.max(Task.started_at))
        .where(Task.queue == TaskQueue.MEDIA, Task.turn_of_uuid.in_(customers), Task.started_at.is_not(None))
        .group_by(Task.turn_of_uuid)
    )
    return {turn: at for turn, at in session.execute(last) if at is not None}
