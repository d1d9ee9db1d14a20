"""The portal's commands, with media work that is slow enough to be killed in, and a lease that is short, and some attempts more.

    python -m tests.videos.program serve

ffmpeg makes renditions no faster than a film plays. Before a video is published there has to be a file `go` in the folder that
the environment variable WORK names. Each begin of a work is noted there in a file `log`, with the process.
"""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

LEASE = timedelta(seconds=1)


def main() -> None:
    if "serve" in sys.argv:
        from gevent import monkey

        monkey.patch_all()
    from portal import cli
    from portal.engines.ffmpeg import FileJob
    from portal.engines.renditions import make
    from portal.engines.tool import find_tool
    from portal.jobs import media, preparing, tasks
    from portal.tasks import operations
    from portal.videos.publishing import Attempt, Made

    folder = Path(os.environ["WORK"])
    read, publish = FileJob.read, Attempt.publish_whole

    def slowly(job: FileJob, *before: str) -> list[str]:
        return read(job, "-re", *before)

    def make_slowly(*arguments: Any) -> object:
        FileJob.read = slowly  # type: ignore[method-assign,assignment]
        try:
            return make(*arguments)
        finally:
            FileJob.read = read  # type: ignore[method-assign]

    def when_told(attempt: Attempt, made: Made) -> None:
        while not (folder / "go").exists():
            time.sleep(0.02)
        publish(attempt, made)

    def noted(*_of: object) -> object:
        with (folder / "log").open("a") as log:
            log.write(f"{os.getpid()}\n")
        return find_tool()

    preparing.make = make_slowly  # type: ignore[assignment,attr-defined]
    Attempt.publish_whole = when_told  # type: ignore[method-assign,assignment]
    preparing.find_tool = noted  # type: ignore[assignment,attr-defined]
    tasks.HEARTBEAT_SECONDS, media.LOOK_SECONDS = 0.1, 0.2
    operations.LEASE, operations.MOST_MEDIA_ATTEMPTS = LEASE, 5
    cli.main()


if __name__ == "__main__":
    main()
