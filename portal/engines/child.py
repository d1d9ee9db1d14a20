"""A child process in bounds: of memory, of time, of what it writes, and of how long anybody wants what it makes.

It works in a folder of its own, with an empty environment, and dies with the thread that started it, however that ends.
It can be run in a greenlet of the web process, and in any thread of a process without gevent.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GIGABYTE = 1_000_000_000
_LAUNCHED = Path(__file__).with_name("launched.py")
_LOOKED_EVERY = 0.3
_LONGEST_LINE = 10_000
_GOES_ON = " … "
_LINES = 300
"""Of what it says, the first lines are kept, and so many of the last ones."""
_FULL = ("No space left on device", "Disk quota exceeded")
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
"""It gets nothing of the portal's, which holds keys."""


class NotWanted(Exception):
    """Nobody wants any more what the child makes: it was ended."""


class TookTooLong(Exception):
    """The child was ended because its time was over."""


@dataclass(frozen=True)
class Bounds:
    """How much a child may take."""

    seconds: float
    """By the clock on the wall."""
    file_size: int
    """Bytes of each file that it writes."""
    memory: int = 4 * 1024**3
    cpu_seconds: int = 7 * 24 * 3600
    nice: int = 10


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code, or the negative number of the signal that ended it, and what it said."""

    code: int
    said: str

    @property
    def disk_full(self) -> bool:
        """Whether it says that the disk is full, at the end of a line. Indented ones tell what the file says."""
        return any(line.endswith(_FULL) and not line.startswith(" ") for line in self.said.split("\n"))


def run(
    command: Sequence[str | Path],
    *,
    folder: Path,
    bounds: Bounds,
    wanted: Callable[[], bool] = lambda: True,
    hear: Callable[[str], object] = lambda _line: None,
) -> Ended:
    """Run the command in this folder until it ends, and call `hear` with each line that it writes to its output.

    It is ended as soon as `wanted`, which is asked several times a second, is false. Raises `NotWanted`, and
    `TookTooLong`. It is ended, too, by whatever `hear` raises.
    """
    child = Child(started(command, folder, bounds))
    helpers = [
        threading.Thread(target=child.watch, args=(time.monotonic() + bounds.seconds, wanted), daemon=True),
        threading.Thread(target=child.listen, daemon=True),
    ]
    for helper in helpers:
        helper.start()
    try:
        for line in _lines(child.process.stdout):
            hear(line)
        code = child.process.wait()
    finally:
        child.end()
        for helper in helpers:
            helper.join()
        child.close()
    if child.ended_by is not None:
        raise child.ended_by
    return Ended(code, child.said)


class Child:
    """A process that runs, what it says, and why it was ended before its time."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.ended_by: Exception | None = None
        self._over = threading.Event()
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=_LINES)

    @property
    def said(self) -> str:
        """The first and the last lines of what it says."""
        return "\n".join([*self._first, *self._last])

    def watch(self, until: float, wanted: Callable[[], bool]) -> None:
        """End it when its time is over, or nobody wants it any more."""
        while self.ended_by is None and not self._over.wait(_LOOKED_EVERY):
            if not wanted():
                self.ended_by = NotWanted()
            elif time.monotonic() > until:
                self.ended_by = TookTooLong()
        if self.ended_by is not None:
            self._kill()

    def listen(self) -> None:
        """Keep what it says, until it ends."""
        for line in _lines(self.process.stderr):
            (self._first if len(self._first) < _LINES else self._last).append(line)

    def end(self) -> None:
        """End it, if it has not ended by itself."""
        self._over.set()
        self._kill()
        self.process.wait()

    def close(self) -> None:
        """Close its pipes."""
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def _kill(self) -> None:
        """With whatever it may have started. One that was waited for is left alone: its number may be another's."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def started(
    command: Sequence[str | Path], folder: Path, bounds: Bounds, *, stdin: int = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    """The process of this command in this folder, with nothing to read unless `stdin` is a pipe."""
    limits = {
        "parent": os.getpid(),
        "memory": bounds.memory,
        "file_size": bounds.file_size,
        "cpu_seconds": bounds.cpu_seconds,
        "nice": bounds.nice,
    }
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-S", str(_LAUNCHED), json.dumps(limits), *map(str, command)],
        cwd=folder,
        env=_ENVIRONMENT,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _lines(pipe: IO[bytes] | None) -> Iterator[str]:
    """The lines of a pipe, the long ones in pieces, which begin with a mark so that none is taken for a line."""
    whole = True
    while pipe is not None and (line := pipe.readline(_LONGEST_LINE)):
        yield ("" if whole else _GOES_ON) + line.decode(errors="replace").rstrip("\r\n")
        whole = line.endswith(b"\n")
