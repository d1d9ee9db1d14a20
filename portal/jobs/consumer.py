"""The command `portal jobs`: a process that works on jobs, beside any number of web processes. Needs Redis."""

from huey.consumer import Consumer

from portal.jobs.queue import WORKERS, make_queue
from portal.settings import Settings


def run(app: object, settings: Settings) -> None:
    """Work on jobs until a signal ends the process."""
    Consumer(make_queue(app, settings), workers=WORKERS, worker_type="thread").run()  # type: ignore[arg-type]
