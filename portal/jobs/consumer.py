"""The command `portal jobs`: a process that works on jobs, beside any number of web processes. Needs Redis."""

from flask import Flask
from huey.consumer import Consumer

from portal.jobs import broadcasts, media
from portal.jobs.queue import WORKERS, make_queue
from portal.settings import Settings


def run(app: Flask, settings: Settings) -> None:
    """Work on jobs until a signal ends the process."""
    media.start(app, settings.media_workers)
    broadcasts.start(app)
    Consumer(make_queue(app, settings), workers=WORKERS, worker_type="thread").run()
    broadcasts.stop()
    media.stop()
