"""A file that streams in: it is counted, never larger than was agreed, and gone again unless it is published."""

import os
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from portal.thread_pool import WorkThreads

_threads = WorkThreads(4)


class FileTooLarge(Exception):
    """More bytes came than may. `most` is how many may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} bytes")
        self.most = most


class Incoming(FileIO):
    """A new file of at most `most` bytes, open for reading as well, which nobody but the portal's own user can read."""

    def __init__(self, path: Path, *, most: int) -> None:
        super().__init__(path, "x+", opener=_private)
        self.path, self.most, self.size = path, most, 0

    def write(self, data: Any, /) -> int:
        """Append all of `data`. Raises `FileTooLarge`, and `OSError` if the disk is full."""
        left = memoryview(data)
        self.size += len(left)
        if self.size > self.most:
            raise FileTooLarge(self.most)
        while left:
            left = left[super().write(left) :]
        return len(data)

    def reach_disk(self) -> None:
        """Wait until the disk has the file, in a thread: that may take seconds."""
        _threads.run(lambda: os.fsync(self.fileno()))

    def discard(self) -> None:
        """Close the file, and delete it unless it was published."""
        self.close()
        with suppress(FileNotFoundError):
            self.path.unlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)
