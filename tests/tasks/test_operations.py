"""A task is held by exactly one worker, taken over when that one dies, tried a few times, and cancelled on demand."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal import enqueueing
from portal.audit.models import AuditEvent
from portal.channels import channels
from portal.db import session, transaction
from portal.errors import Conflict
from portal.identifiers import new_uuid
from portal.people.actor import actor_of
from portal.tasks import operations
from portal.tasks.models import MESSAGE_LENGTH, Task, TaskState
from portal.tasks.operations import (
    LEASE,
    MOST_ATTEMPTS,
    RETENTION,
    RETRY_SECONDS,
    RUN,
    ClaimedTask,
    cancel,
    claim,
    create_task,
    due,
    fail,
    finish,
    heartbeat,
    sweep_tasks,
)
from tests.cast import Cast
from tests.conftest import BOTH

SUBJECT = new_uuid()
Enqueued = list[tuple[str, str, float]]


@pytest.fixture
def enqueued() -> Iterator[Enqueued]:
    """What was enqueued, instead of a queue."""
    jobs: Enqueued = []
    kept = enqueueing.use(lambda *job: jobs.append(job))
    yield jobs
    assert kept is not None
    enqueueing.use(kept)


@pytest.fixture
def task_uuid(app: Flask, cast: Cast, enqueued: Enqueued) -> UUID:
    """A task of Alice's that waits."""
    with app.app_context(), transaction():
        return create_task(kind="fake", subject_uuid=SUBJECT, by=actor_of(cast.user("alice"))).uuid


@contextmanager
def worker(app: Flask) -> Iterator[None]:
    """A short transaction, as a worker makes them."""
    with app.app_context(), transaction():
        yield


def claimed_by_somebody(app: Flask, task_uuid: UUID) -> ClaimedTask:
    with worker(app):
        claimed = claim(task_uuid)
    assert claimed is not None
    return claimed


def found(app: Flask, task_uuid: UUID) -> Task:
    with app.app_context():
        return session.get_one(Task, task_uuid)


@contextmanager
def later(by: timedelta) -> Iterator[None]:
    with time_machine.travel(datetime.now(UTC) + by, tick=True):
        yield


@BOTH
def test_a_task_is_enqueued_with_its_row_and_claimed_by_one_worker(
    app: Flask, task_uuid: UUID, enqueued: Enqueued
) -> None:
    assert enqueued == [(RUN, str(task_uuid), 0)]
    claimed = claimed_by_somebody(app, task_uuid)
    assert (claimed.kind, claimed.subject_uuid) == ("fake", SUBJECT)
    with worker(app):
        assert claim(task_uuid) is None
        assert due() == []
    task = found(app, task_uuid)
    assert (task.state, task.attempts) == (TaskState.RUNNING, 1)
    assert task.started_at is not None


@BOTH
def test_of_racing_workers_one_gets_the_task(app: Flask, task_uuid: UUID) -> None:
    """The others reach for it while the first one has not committed yet."""
    claims: list[ClaimedTask | None] = []
    answered = threading.Event()

    def race() -> None:
        with worker(app):
            claims.append(claim(task_uuid))
        answered.set()

    racers = [threading.Thread(target=race) for _ in range(3)]
    with worker(app):
        assert claim(task_uuid) is not None
        session.flush()
        for racer in racers:
            racer.start()
        assert not answered.wait(0.5)
    for racer in racers:
        racer.join(30)
    assert claims == [None, None, None]
    assert found(app, task_uuid).attempts == 1


@BOTH
def test_another_worker_takes_over_when_the_heartbeat_stops_and_the_first_one_changes_nothing_more(
    app: Flask, task_uuid: UUID
) -> None:
    dead = claimed_by_somebody(app, task_uuid)
    with later(LEASE / 2), worker(app):
        assert heartbeat(dead, progress=20, message="Cutting")
    with later(LEASE * 1.25), worker(app):
        assert due() == []
        assert claim(task_uuid) is None
    with later(LEASE * 1.75):
        with worker(app):
            assert due() == [task_uuid]
        alive = claimed_by_somebody(app, task_uuid)
        with worker(app):
            assert not heartbeat(dead, progress=99, message="Still here")
            finish(dead)
            fail(dead, message="No", retry=False)
        task = found(app, task_uuid)
        assert (task.state, task.progress, task.message, task.attempts) == (TaskState.RUNNING, None, "", 2)
        with worker(app):
            finish(alive)
    assert found(app, task_uuid).state is TaskState.DONE


@BOTH
def test_a_task_that_is_done_stays_so(app: Flask, task_uuid: UUID) -> None:
    claimed = claimed_by_somebody(app, task_uuid)
    with worker(app):
        finish(claimed)
    with later(LEASE * 2), worker(app):
        assert due() == []
        assert claim(task_uuid) is None
        assert not heartbeat(claimed, progress=1, message="")
    task = found(app, task_uuid)
    assert (task.state, task.progress, task.message) == (TaskState.DONE, 100, "")
    with pytest.raises(Conflict), worker(app):
        cancel(task=session.get_one(Task, task_uuid), by=None)


def test_an_attempt_that_failed_is_tried_again_later_and_not_for_ever(
    app: Flask, task_uuid: UUID, enqueued: Enqueued
) -> None:
    waited = timedelta()
    for attempt in range(MOST_ATTEMPTS):
        with later(waited):
            claimed = claimed_by_somebody(app, task_uuid)
            with worker(app):
                fail(claimed, message="The disk is full." * 100, retry=True)
            task = found(app, task_uuid)
            assert len(task.message) == MESSAGE_LENGTH
            if attempt < len(RETRY_SECONDS):
                assert task.state is TaskState.WAITING
                assert enqueued[-1] == (RUN, str(task_uuid), RETRY_SECONDS[attempt])
                with worker(app):
                    assert claim(task_uuid) is None
                waited += timedelta(seconds=RETRY_SECONDS[attempt] + 1)
    assert task.state is TaskState.FAILED
    assert len(enqueued) == MOST_ATTEMPTS


def test_a_failure_that_trying_again_does_not_help_is_the_end(app: Flask, task_uuid: UUID) -> None:
    claimed = claimed_by_somebody(app, task_uuid)
    with worker(app):
        fail(claimed, message="This is no film.", retry=False)
    task = found(app, task_uuid)
    assert (task.state, task.message, task.lease_until) == (TaskState.FAILED, "This is no film.", None)


def test_a_task_of_which_every_worker_dies_is_given_up(app: Flask, task_uuid: UUID) -> None:
    for attempt in range(MOST_ATTEMPTS):
        with later(LEASE * 1.1 * attempt):
            claimed_by_somebody(app, task_uuid)
    with later(LEASE * 1.1 * MOST_ATTEMPTS), worker(app):
        assert claim(task_uuid) is None
    task = found(app, task_uuid)
    assert (task.state, task.attempts) == (TaskState.FAILED, MOST_ATTEMPTS)
    assert task.message


@BOTH
def test_a_waiting_task_that_is_cancelled_never_begins(app: Flask, task_uuid: UUID) -> None:
    with worker(app):
        cancel(task=session.get_one(Task, task_uuid), by=None)
    with worker(app):
        assert claim(task_uuid) is None
    assert found(app, task_uuid).state is TaskState.CANCELLED


@BOTH
def test_the_worker_of_a_cancelled_task_learns_it_and_may_still_say_how_it_ended(app: Flask, task_uuid: UUID) -> None:
    claimed = claimed_by_somebody(app, task_uuid)
    with worker(app):
        cancel(task=session.get_one(Task, task_uuid), by=None)
    with worker(app):
        assert not heartbeat(claimed, progress=10, message="")
    assert found(app, task_uuid).state is TaskState.RUNNING
    with worker(app):
        fail(claimed, message="It was interrupted.", retry=True)
    task = found(app, task_uuid)
    assert (task.state, task.message) == (TaskState.CANCELLED, "")


def test_a_task_that_is_cancelled_after_its_worker_died_is_not_begun_again(app: Flask, task_uuid: UUID) -> None:
    claimed_by_somebody(app, task_uuid)
    with worker(app):
        cancel(task=session.get_one(Task, task_uuid), by=None)
    with later(LEASE * 2), worker(app):
        assert due() == [task_uuid]
        assert claim(task_uuid) is None
    assert found(app, task_uuid).state is TaskState.CANCELLED


def test_whoever_watches_hears_of_each_change_and_not_of_each_heartbeat(app: Flask, task_uuid: UUID) -> None:
    with channels().watch(found(app, task_uuid).topic) as watch:
        claimed = claimed_by_somebody(app, task_uuid)
        assert watch.wait(5) == {""}
        for progress, heard in ((1, {""}), (1, set()), (2, {""})):
            with worker(app):
                heartbeat(claimed, progress=progress, message="Cutting")
            assert watch.wait(0) == heard
        with worker(app):
            finish(claimed)
        assert watch.wait(5) == {""}


def test_what_ended_long_ago_is_forgotten(app: Flask, cast: Cast, task_uuid: UUID) -> None:
    claimed = claimed_by_somebody(app, task_uuid)
    with worker(app):
        finish(claimed)
        waiting = create_task(kind="fake", subject_uuid=SUBJECT, by=None).uuid
    for after, left in ((RETENTION - LEASE, {task_uuid, waiting}), (RETENTION + LEASE, {waiting})):
        with later(after), worker(app):
            sweep_tasks()
            assert set(session.scalars(sa.select(Task.uuid))) == left


def test_the_sweep_finds_a_task_whose_job_got_lost(app: Flask, task_uuid: UUID) -> None:
    with worker(app):
        assert due() == [task_uuid]
    assert operations.RUN == "tasks.run"


@BOTH
def test_who_creates_and_who_cancels_a_task_is_written_down(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        alice, ada = actor_of(cast.user("alice")), actor_of(cast.user("admin"))
        task = create_task(kind="fake", subject_uuid=SUBJECT, by=alice)
        cancel(task=task, by=ada)
        session.commit()
        lines = session.execute(
            sa.select(AuditEvent.action, AuditEvent.actor_uuid).where(AuditEvent.thing_uuid == task.uuid)
        ).all()
        assert [tuple(line) for line in lines] == [("task.created", alice.uuid), ("task.cancelled", ada.uuid)]
