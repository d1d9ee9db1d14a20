"""`portal jobs`: a process of its own for jobs, beside any number of web processes."""

from huey.consumer import Consumer

from portal.jobs.queue import make_queue
from portal.settings import Settings


def run(app: object, settings: Settings) -> None:
    """Work on jobs until a signal ends the process."""
    Consumer(make_queue(app, settings), workers=2, worker_type="thread").run()  # type: ignore[arg-type]
