"""The job queue: huey over a SQLite file for one process, over Redis for several.

It holds names and ids of jobs only; a worker looks the name up in `JOBS`. A job that the queue loses is found by a
sweep once a minute.
"""

import sqlite3
from typing import Any

import structlog
from flask import Flask
from huey import Huey, RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer
from redis.exceptions import RedisError

from portal import enqueueing
from portal.db import reading, transaction
from portal.jobs import housekeeping
from portal.jobs.registry import JOBS
from portal.settings import Settings

log = structlog.get_logger()

WORKERS = 16  # twice as many as slow receivers may take (`SLOW_SLOTS_OF_ALL`): idle ones cost next to nothing
IDLE_SECONDS = 2.0  # how long an idle worker waits at most before it asks again: somebody may be watching the page
SOON_SECONDS = 120.0  # what is due later than that is not enqueued: the sweep finds it in time
RUN_JOB = "run_job"
"""The key in `app.extensions` of the queue's one function, which runs any job by name."""


def install(app: Flask, settings: Settings) -> None:
    """Connect the operations of this app with the queue, which is opened when the first job comes."""

    def put(name: str, row_id: str, delay: float) -> None:
        if delay > SOON_SECONDS:
            return
        try:
            if RUN_JOB not in app.extensions:
                make_queue(app, settings)
            app.extensions[RUN_JOB].schedule((name, row_id), delay=delay)
        except (OSError, sqlite3.Error, RedisError) as error:
            log.warning("the queue is away; the sweep will find the work", job=name, error=type(error).__name__)

    enqueueing.use(put)


def make_queue(app: Flask, settings: Settings) -> Huey:
    """Create the queue, with the function that runs any job, and the periodic ones."""
    huey: Huey
    if settings.redis_url:
        huey = RedisHuey("foyer", url=settings.redis_url)
    else:
        huey = SqliteHuey("foyer", filename=str(settings.folder() / "jobs.db"))

    @huey.periodic_task(crontab(minute="17"))  # type: ignore[untyped-decorator]
    def tidy_up() -> None:
        with app.app_context():
            housekeeping.tidy_up()

    @huey.task(name=RUN_JOB)  # type: ignore[untyped-decorator]
    def run(name: str, row_id: str) -> None:
        with app.app_context():
            run_job(name, row_id)

    @huey.periodic_task(crontab())  # type: ignore[untyped-decorator]
    def enqueue_due() -> None:
        with app.app_context():
            for name, row_id in due_jobs():
                run(name, row_id)

    app.extensions[RUN_JOB] = run
    return huey


def run_job(name: str, row_id: str) -> None:
    """Run one job. One whose name this version does not know is logged and dropped. Needs an app context."""
    job = JOBS.get(name)
    if job is None:
        log.warning("nobody knows this job", job=name)
        return
    job.run(row_id)


def due_jobs() -> list[tuple[str, str]]:
    """The jobs (name, id) whose rows wait for a worker. If one kind of job cannot be asked, the others still are."""
    found: list[tuple[str, str]] = []
    for name, job in JOBS.items():
        try:
            with reading(), transaction():
                found += [(name, str(uuid)) for uuid in job.due()]
        except Exception as error:
            log.error("a sweep for jobs failed", job=name, error=type(error).__name__, exc_info=error)
    return found


class QuietConsumer(Consumer):  # type: ignore[misc]
    """A consumer that leaves the handling of signals to the web server in whose process it runs."""

    def _set_signal_handlers(self) -> None:
        return None


def make_consumer(huey: Huey, **options: Any) -> QuietConsumer:
    """Create a consumer whose workers are greenlets, for running in a web process."""
    return QuietConsumer(huey, workers=WORKERS, worker_type="greenlet", max_delay=IDLE_SECONDS, **options)
