"""The runner: work in the middle that holds nothing, and a heartbeat beside it."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from portal.db import session, transaction
from portal.errors import Message
from portal.identifiers import new_uuid
from portal.jobs import tasks
from portal.jobs.progress import Progress, TaskFailed
from portal.people.models import User
from portal.tasks import operations
from portal.tasks.models import Task, TaskState
from portal.tasks.operations import cancel, create_task
from tests.conftest import BOTH
from tests.servers import wait_for

SUBJECT = new_uuid()
Run = Callable[[Callable[[Progress], None]], Task]


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Makes a task whose work is this function, and runs it once; what became of it."""
    monkeypatch.setattr(tasks, "HEARTBEAT_SECONDS", 0.02)

    def made(work: Callable[[Progress], None]) -> Task:
        def checked(subject_uuid: UUID, progress: Progress) -> None:
            assert subject_uuid == SUBJECT
            work(progress)

        monkeypatch.setitem(tasks.KINDS, "fake", checked)
        with app.app_context():
            with transaction():
                task_uuid = create_task(kind="fake", subject_uuid=SUBJECT, by=None).uuid
            tasks.run(str(task_uuid))
            with transaction():
                return session.get_one(Task, task_uuid)

    return made


def the_task() -> Task:
    return session.scalars(sa.select(Task).execution_options(populate_existing=True)).one()


def stored(wanted: Callable[[Task], bool]) -> Callable[[], bool]:
    def asked() -> bool:
        with transaction():
            return wanted(the_task())

    return asked


@BOTH
def test_work_is_done_with_progress_that_others_see_meanwhile(run: Run) -> None:
    def work(progress: Progress) -> None:
        for percent, step in ((10, "Reading"), (90, "Writing")):
            progress.report(percent, step)
            wait_for(stored(lambda task, n=percent, s=step: (task.progress, task.message) == (n, s)))  # type: ignore[misc]

    task = run(work)
    assert (task.state, task.progress, task.message, task.attempts) == (TaskState.DONE, 100, "", 1)


@BOTH
def test_work_that_is_cancelled_leaves_off(run: Run) -> None:
    steps: list[int] = []

    def work(progress: Progress) -> None:
        for step in range(10_000):
            progress.report(None, f"Step {step}")
            steps.append(step)
            if step == 1:
                with transaction():
                    cancel(task=the_task(), by=None)
            time.sleep(0.01)

    task = run(work)
    assert task.state is TaskState.CANCELLED
    assert 2 <= len(steps) < 10_000


@BOTH
def test_nothing_is_held_while_work_goes_on(run: Run, app: Flask) -> None:
    """Others write meanwhile, and heartbeats come through."""

    def work(progress: Progress) -> None:
        progress.report(50)
        wait_for(stored(lambda task: task.progress == 50))
        with app.app_context(), transaction():
            session.execute(sa.update(User).values(name="Renamed"))

    assert run(work).state is TaskState.DONE


def test_work_whose_lease_is_lost_leaves_off_and_changes_nothing(run: Run) -> None:
    def work(progress: Progress) -> None:
        with transaction():
            the_task().worker = "another"
        while True:
            progress.report(1)
            time.sleep(0.01)

    task = run(work)
    assert (task.state, task.worker) == (TaskState.RUNNING, "another")


@pytest.mark.parametrize(("permanent", "state"), [(True, TaskState.FAILED), (False, TaskState.WAITING)])
def test_work_that_fails_says_why_and_whether_to_try_again(run: Run, permanent: bool, state: TaskState) -> None:
    def work(_progress: Progress) -> None:
        raise TaskFailed(Message("This is no film."), permanent=permanent)

    task = run(work)
    assert (task.state, task.message) == (state, "This is no film.")


def test_work_that_breaks_is_tried_again_and_nothing_of_it_is_stored(run: Run, app: Flask) -> None:
    def work(_progress: Progress) -> None:
        session.execute(sa.update(User).values(name="Half done"))
        raise ZeroDivisionError("secret detail")

    task = run(work)
    assert (task.state, "secret" in task.message) == (TaskState.WAITING, False)
    assert task.message.startswith("Something went wrong")
    with app.app_context(), transaction():
        assert not session.scalars(sa.select(User).where(User.name == "Half done")).unique().all()


def test_a_kind_that_this_version_does_not_know_waits_for_one_that_does(app: Flask) -> None:
    with app.app_context():
        with transaction():
            task_uuid = create_task(kind="of another version", subject_uuid=SUBJECT, by=None).uuid
        tasks.run(str(task_uuid))
        assert the_task().state is TaskState.WAITING


def test_a_database_that_is_away_for_less_than_a_lease_stops_no_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    missed: list[bool] = []
    beat = operations.heartbeat

    def away(*args: Any, **more: Any) -> bool:
        if len(missed) < 3:
            missed.append(True)
            raise OperationalError("UPDATE", None, Exception("away"))
        return beat(*args, **more)

    monkeypatch.setattr(operations, "heartbeat", away)

    def work(progress: Progress) -> None:
        while not stored(lambda task: task.progress == 7)():
            progress.report(7)
            time.sleep(0.01)

    assert run(work).state is TaskState.DONE
    assert len(missed) == 3


def test_work_leaves_off_when_its_lease_ran_out_unrenewed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_more: Any) -> bool:
        raise OperationalError("UPDATE", None, Exception("away"))

    monkeypatch.setattr(operations, "heartbeat", away)
    monkeypatch.setattr(operations, "LEASE", operations.LEASE / 100)

    def work(progress: Progress) -> None:
        while True:
            progress.report(None)
            time.sleep(0.01)

    task = run(work)
    assert (task.state, task.message) == (TaskState.WAITING, "It was interrupted.")
