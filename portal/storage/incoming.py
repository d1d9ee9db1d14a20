"""A file that streams in: it is counted, never larger than was agreed, and gone again unless it is published.

Many may stream in at once, each of which found room when it began. So the disk is looked at again while they grow, and
the last bytes of it stay free.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

from portal.errors import Message, Unavailable
from portal.thread_pool import WorkThreads

SPARE = 100_000_000
"""Bytes that uploads leave free on the disk, for the database."""
LOOKED_AFTER = 1_000_000
"""Bytes of one file after which the disk is looked at again."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says of a full disk."""
_threads = WorkThreads(4)


class FileTooLarge(Exception):
    """More bytes came than may. `most` is how many may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} bytes")
        self.most = most


class StorageFull(Unavailable):
    """The disk has no room for what is to come."""

    default = Message("There is no room left for files. Tell whoever runs this portal.")


class Incoming(FileIO):
    """A new file of at most `most` bytes, open for reading as well, which nobody but the portal's own user can read."""

    def __init__(self, path: Path, *, most: int) -> None:
        super().__init__(path, "x+", opener=private)
        self.path, self.most, self.size, self._looked_at = path, most, 0, 0

    def write(self, data: Any, /) -> int:
        """Append all of `data`. Raises `FileTooLarge` and `StorageFull`."""
        left = memoryview(data)
        self.size += len(left)
        if self.size > self.most:
            raise FileTooLarge(self.most)
        if self.size - self._looked_at >= LOOKED_AFTER:
            require_free(self.path.parent, 0)
            self._looked_at = self.size
        with _full_disk():
            while left:
                left = left[super().write(left) :]
        return len(data)

    def reach_disk(self) -> None:
        """Wait until the disk has the file, in a thread: that may take seconds. Raises `StorageFull`."""
        with _full_disk():
            _threads.run(lambda: os.fsync(self.fileno()))

    def discard(self) -> None:
        """Close the file, and delete it unless it was published."""
        self.close()
        with suppress(FileNotFoundError):
            self.path.unlink()


def require_free(folder: Path, size: int) -> None:
    """Raise `StorageFull` unless so many bytes have room on the disk of this folder, and `SPARE` stay free."""
    if shutil.disk_usage(folder).free < size + SPARE:
        raise StorageFull


def on_disk(paths: list[Path]) -> None:
    """Wait until the disk has these files, in a thread: that may take seconds. Raises `StorageFull`."""

    def keep() -> None:
        for path in paths:
            with path.open("rb") as file:
                os.fsync(file.fileno())

    with _full_disk():
        _threads.run(keep)


@contextmanager
def _full_disk() -> Iterator[None]:
    """Let an error that says that the disk is full be a `StorageFull`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull from error
        raise


def private(path: str, flags: int) -> int:
    """Open a file that is made for nobody but the portal's own user."""
    return os.open(path, flags, mode=0o600)
