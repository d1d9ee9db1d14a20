"""The job queue: huey over a SQLite file on one machine, over Redis for several. Jobs carry ids only."""

from typing import Any

from flask import Flask
from huey import Huey, RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer

from portal.db import transaction
from portal.jobs import housekeeping
from portal.settings import Settings


def make_queue(app: Flask, settings: Settings) -> Huey:
    """The queue with its periodic jobs."""
    huey: Huey
    if settings.redis_url:
        huey = RedisHuey("foyer", url=settings.redis_url)
    else:
        huey = SqliteHuey("foyer", filename=str(settings.folder() / "jobs.db"))

    @huey.periodic_task(crontab(minute="17"))  # type: ignore[untyped-decorator]
    def tidy_up() -> None:
        with app.app_context(), transaction():
            housekeeping.tidy_up()

    return huey


class QuietConsumer(Consumer):  # type: ignore[misc]
    """A consumer that leaves the signals to the web server it runs in."""

    def _set_signal_handlers(self) -> None:
        return None


def make_consumer(huey: Huey, **options: Any) -> QuietConsumer:
    """A consumer of greenlets."""
    return QuietConsumer(huey, workers=1, worker_type="greenlet", **options)
