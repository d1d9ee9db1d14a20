"""Jobs by name and id: after the commit, through the queue, to whatever stands behind the name."""

from collections.abc import Iterator
from typing import NoReturn
from uuid import UUID, uuid4

import pytest
from flask import Flask
from huey import Huey

from portal import enqueueing
from portal.db import transaction
from portal.jobs import queue as job_queue
from portal.jobs.queue import due_jobs, make_queue, run_job
from portal.jobs.registry import JOBS, Job

ROW = uuid4()


@pytest.fixture
def queue(app: Flask) -> Iterator[Huey]:
    queue = make_queue(app, app.config["SETTINGS"])
    yield queue
    queue.storage.close()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids for which the job "note" ran; one row waits for it."""
    ran: list[str] = []
    monkeypatch.setitem(JOBS, "note", Job(ran.append, lambda: [ROW]))
    return ran


def refused() -> NoReturn:
    with transaction():
        enqueueing.enqueue("note", "abc")
        raise ZeroDivisionError


def work(queue: Huey) -> None:
    while (task := queue.dequeue()) is not None:
        queue.execute(task)


def test_a_job_is_enqueued_once_the_transaction_is_committed(app: Flask, queue: Huey, ran: list[str]) -> None:
    with app.app_context(), transaction():
        enqueueing.enqueue("note", "abc")
        assert queue.pending_count() == 0
    assert queue.pending_count() == 1
    work(queue)
    assert ran == ["abc"]


def test_a_job_is_never_enqueued_when_the_transaction_is_rolled_back(app: Flask, queue: Huey) -> None:
    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            refused()
        with transaction():
            pass
        assert queue.pending_count() == 0


def test_a_job_that_nobody_knows_is_dropped(app: Flask, queue: Huey, ran: list[str]) -> None:
    with app.app_context(), transaction():
        enqueueing.enqueue("a name of another version", "abc")
        enqueueing.enqueue("note", "def")
    work(queue)
    assert ran == ["def"]
    with app.app_context():
        run_job("a name of another version", "abc")


def test_the_minutely_sweep_enqueues_what_the_queue_lost(queue: Huey, ran: list[str]) -> None:
    [sweep] = [task for task in queue._registry.periodic_tasks if task.name == "enqueue_due"]
    queue.execute(sweep)
    work(queue)
    assert ran == [str(ROW)]


def test_a_sweep_that_fails_keeps_no_other_from_finding_its_rows(
    app: Flask, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> NoReturn:
        raise ArithmeticError("this sweep breaks")

    monkeypatch.setitem(JOBS, "broken", Job(ran.append, breaks))
    later: list[UUID] = [uuid4()]
    monkeypatch.setitem(JOBS, "later", Job(ran.append, lambda: later))
    with app.app_context():
        assert due_jobs() == [("note", str(ROW)), ("later", str(later[0]))]


def test_what_comes_much_later_is_left_to_the_sweep(app: Flask, queue: Huey) -> None:
    with app.app_context(), transaction():
        enqueueing.enqueue("note", "soon", delay=job_queue.SOON_SECONDS)
        enqueueing.enqueue("note", "late", delay=job_queue.SOON_SECONDS + 1)
    assert [task.args for task in queue.pending()] == [("note", "soon")]
