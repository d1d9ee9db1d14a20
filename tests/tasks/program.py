"""The portal's commands, with a kind of task that only tests know and a lease that is short.

    python -m tests.tasks.program jobs

The work lasts until there is a file `go`, and notes in a file `log` which process begins and ends it. Both are in the
folder that the environment variable WORK names.
"""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

KIND = "fake"
LEASE = timedelta(seconds=2)


def main() -> None:
    if "serve" in sys.argv:
        from gevent import monkey

        monkey.patch_all()
    from portal import cli
    from portal.jobs import tasks
    from portal.jobs.progress import Progress
    from portal.tasks import operations

    folder = Path(os.environ["WORK"])

    def note(word: str) -> None:
        with (folder / "log").open("a") as log:
            log.write(f"{word} {os.getpid()}\n")

    def work(_subject_uuid: UUID, progress: Progress) -> None:
        note("begins")
        while not (folder / "go").exists():
            progress.report(50, "Waiting for the test")
            time.sleep(0.02)
        note("ends")

    tasks.KINDS[KIND] = work
    tasks.HEARTBEAT_SECONDS = 0.1
    operations.LEASE = LEASE
    cli.main()


if __name__ == "__main__":
    main()
