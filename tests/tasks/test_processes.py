"""Tasks in real processes: two of them over Valkey and PostgreSQL, and the one web process on SQLite."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.app import create_app
from portal.channels import channels
from portal.db import db, session, transaction
from portal.enqueueing import enqueue
from portal.identifiers import new_uuid
from portal.jobs.queue import due_jobs, make_queue
from portal.tasks.models import Task, TaskState
from portal.tasks.operations import RUN, cancel, create_task
from tests.conftest import settings_for
from tests.servers import Portal, wait_for
from tests.tasks.program import KIND

PROGRAM = "tests.tasks.program"


class Works:
    """What the test sees of the work, and tells it: see `tests.tasks.program`."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app, self.folder = app, folder
        folder.mkdir()

    @property
    def log(self) -> list[list[str]]:
        """Lines of a word and a process."""
        file = self.folder / "log"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def go(self) -> None:
        (self.folder / "go").touch()

    def create(self) -> UUID:
        with self.app.app_context(), transaction():
            return create_task(kind=KIND, subject_uuid=new_uuid(), by=None).uuid

    def cancel(self, task_uuid: UUID) -> None:
        with self.app.app_context(), transaction():
            cancel(task=session.get_one(Task, task_uuid), by=None)

    def begun(self, times: int = 1) -> Callable[[], bool]:
        """Whether work has begun so often, and its progress is stored."""
        return lambda: len(self.log) == times and self._count(Task.state == TaskState.RUNNING, Task.progress == 50) == 1

    def taken_over(self, times: int) -> Callable[[], bool]:
        """The same, sweeping until then: the portal's own sweep comes once a minute, which may be now."""

        def asked() -> bool:
            self._sweep()
            return self.begun(times)()

        return asked

    def ended(self, state: TaskState) -> Callable[[], bool]:
        return lambda: self._count(Task.state == state, Task.ended_at.is_not(None)) == 1

    def _sweep(self) -> None:
        with self.app.app_context(), transaction():
            for name, row_id in due_jobs():
                enqueue(name, row_id)

    def _count(self, *which: sa.ColumnElement[bool]) -> int:
        with self.app.app_context(), transaction():
            return session.scalar(sa.select(sa.func.count()).select_from(Task).where(*which)) or 0


@pytest.fixture
def works(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Works]:
    """A web process of a portal, beside the processes that work; over Valkey, unless it is on SQLite."""
    more = {} if database.startswith("sqlite") else {"redis_url": request.getfixturevalue("valkey_server")}
    app = create_app(settings_for(database, tmp_path, **more))
    yield Works(app, tmp_path / "work")
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@contextmanager
def worker(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """A `portal jobs` that knows the tests' kind of task."""
    portal = Portal(folder, module=PROGRAM, environment=environment)
    folder.mkdir()
    with (folder / "out").open("wb") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", PROGRAM, "jobs"],
            env=portal.settings(),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait(10)


@pytest.fixture
def two_workers(works: Works, database: str, valkey_server: str, tmp_path: Path) -> Iterator[None]:
    environment = {"DATABASE_URL": database, "REDIS_URL": valkey_server, "WORK": str(works.folder)}
    with ExitStack() as running:
        for name in ("one", "two"):
            running.enter_context(worker(tmp_path / name, environment))
        yield


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("two_workers")
def test_one_of_two_processes_works_and_the_other_takes_over_when_it_is_killed(works: Works) -> None:
    task_uuid = works.create()
    with works.app.app_context(), transaction():
        for _ in range(20):
            enqueue(RUN, str(task_uuid))
    queue = make_queue(works.app, works.app.config["SETTINGS"])
    wait_for(works.begun(), seconds=40, what="the work's begin")
    wait_for(lambda: queue.pending_count() == 0, what="the end of the queue")
    [[_, first]] = works.log
    os.kill(int(first), signal.SIGKILL)
    wait_for(works.taken_over(2), what="the second begin")
    second = works.log[-1][1]
    assert second != first
    works.go()
    wait_for(works.ended(TaskState.DONE), what="the end")
    assert works.log == [["begins", first], ["begins", second], ["ends", second]]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("two_workers")
def test_a_task_in_another_process_is_watched_and_cancelled(works: Works) -> None:
    task_uuid = works.create()
    with works.app.app_context(), transaction():
        topic = session.get_one(Task, task_uuid).topic
    with channels().watch(topic) as watch:
        wait_for(works.begun(), seconds=40, what="the work's begin")
        assert watch.wait(10)
        works.cancel(task_uuid)
        wait_for(works.ended(TaskState.CANCELLED), what="the end")
        assert watch.wait(10)
    assert [word for word, _ in works.log] == ["begins"]


def test_the_one_process_on_sqlite_works_serves_and_takes_up_again_what_a_crash_left(
    works: Works, database: str, tmp_path: Path
) -> None:
    portal = Portal(tmp_path, module=PROGRAM, environment={"DATABASE_URL": database, "WORK": str(works.folder)})
    portal.start()
    try:
        cancelled = works.create()
        wait_for(works.begun(), what="the work's begin")
        assert portal.status("/sign-in") == 200
        works.cancel(cancelled)
        wait_for(works.ended(TaskState.CANCELLED), what="the end of what was cancelled")
        works.create()
        wait_for(works.begun(2), what="the second begin")
        portal.kill()
        portal.start()
        wait_for(works.taken_over(3), what="the third begin")
        works.go()
        wait_for(works.ended(TaskState.DONE), what="the end")
    finally:
        portal.kill()
    assert [word for word, _ in works.log] == ["begins", "begins", "begins", "ends"]
