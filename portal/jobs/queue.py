"""The job queue: huey over a SQLite file on one machine, over Redis for several. Jobs carry ids only."""

import sqlite3
from typing import Any
from uuid import UUID

import structlog
from flask import Flask
from huey import Huey, RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer
from redis.exceptions import RedisError

from portal.db import reading, transaction
from portal.jobs import housekeeping, webhook_delivery
from portal.settings import Settings
from portal.webhooks import deliveries

log = structlog.get_logger()

WORKERS = 16  # twice as many as slow receivers may take (`places.SLOW_SLOTS_OF_ALL`): idle ones cost next to nothing
IDLE_SECONDS = 2.0  # how long a worker that finds nothing waits at most: somebody may be looking at the page
SOON_SECONDS = 120.0  # what comes later than that, the sweep finds in time


def install(app: Flask, settings: Settings) -> None:
    """Let operations of this app put jobs into the queue, which is opened when the first one comes."""

    def enqueue(delivery_uuid: UUID, seconds: float) -> None:
        if seconds > SOON_SECONDS:
            return
        try:
            if "deliver" not in app.extensions:
                make_queue(app, settings)
            app.extensions["deliver"].schedule((str(delivery_uuid),), delay=seconds)
        except (OSError, sqlite3.Error, RedisError) as error:
            log.warning("the queue is away; the sweep will find the message", error=type(error).__name__)

    deliveries.use(enqueue)


def make_queue(app: Flask, settings: Settings) -> Huey:
    """The queue with its periodic jobs."""
    huey: Huey
    if settings.redis_url:
        huey = RedisHuey("foyer", url=settings.redis_url)
    else:
        huey = SqliteHuey("foyer", filename=str(settings.folder() / "jobs.db"))

    @huey.periodic_task(crontab(minute="17"))  # type: ignore[untyped-decorator]
    def tidy_up() -> None:
        with app.app_context():
            housekeeping.tidy_up()

    @huey.task()  # type: ignore[untyped-decorator]
    def deliver(delivery_uuid: str) -> None:
        with app.app_context():
            webhook_delivery.deliver(UUID(delivery_uuid))

    @huey.periodic_task(crontab())  # type: ignore[untyped-decorator]
    def deliver_due() -> None:
        with app.app_context(), reading(), transaction():
            found = deliveries.due()
        for delivery_uuid in found:
            deliver(str(delivery_uuid))

    app.extensions["deliver"] = deliver
    return huey


class QuietConsumer(Consumer):  # type: ignore[misc]
    """A consumer that leaves the signals to the web server it runs in."""

    def _set_signal_handlers(self) -> None:
        return None


def make_consumer(huey: Huey, **options: Any) -> QuietConsumer:
    """A consumer of greenlets."""
    return QuietConsumer(huey, workers=WORKERS, worker_type="greenlet", max_delay=IDLE_SECONDS, **options)
