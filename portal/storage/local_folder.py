"""Stored files in a folder. Processes on several machines need one that they share."""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from portal.clock import now
from portal.storage.growing import Growing
from portal.storage.incoming import Incoming, on_disk, require_free

UPLOADS = "uploads"
"""What streams in."""
GROWING = "-"
"""What the names of those have that come in pieces, which are uuids."""
SCRATCH = "scratch"
"""Folders in which child processes work."""
ABANDONED = timedelta(hours=24)
"""An upload into which nothing has come for so long is deleted."""

_KEY = re.compile(r"[a-z]+(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+", re.ASCII)


class NotStored(LookupError):
    """There is no file under this key."""


class LocalFolder:
    """The files in a folder, by their keys. It and what is in it can be read by the portal's own user only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def receive(self, *, most: int) -> Incoming:
        """A new file for up to `most` bytes. Raises `StorageFull`.

        Whoever asks for it publishes it, or discards it.
        """
        uploads = self._made(UPLOADS)
        require_free(uploads, most)
        return Incoming(uploads / secrets.token_hex(16), most=most)

    def grow(self, name: UUID, *, most: int) -> Growing:
        """The file that comes in pieces under this name, of at most `most` bytes. Raises `AnotherWriter`."""
        return Growing(self._made(UPLOADS) / str(name), most=most)

    def grown(self, name: UUID) -> int:
        """How many bytes have come of the file with this name."""
        try:
            return self.size(f"{UPLOADS}/{name}")
        except NotStored:
            return 0

    def changed_at(self, name: UUID) -> datetime | None:
        """When the last bytes came of the file with this name; None if none came."""
        try:
            return datetime.fromtimestamp((self._folder / UPLOADS / str(name)).stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def publish(self, incoming: Incoming, key: str) -> None:
        """Let `key` name this file, which the disk has. In the transaction in which a row begins to name it."""
        path = self._path(key)
        self._made(key.rpartition("/")[0])
        incoming.path.rename(path)
        _keep_names(path.parent)

    def move(self, key: str, to: str) -> None:
        """Let the file of this key have another key from now on. Raises `NotStored`."""
        path = self._path(to)
        self._made(to.rpartition("/")[0])
        try:
            self._path(key).rename(path)
        except FileNotFoundError:
            raise NotStored(key) from None
        _keep_names(path.parent)

    def open(self, key: str) -> BinaryIO:
        """The file, open for reading. Raises `NotStored`."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError:
            raise NotStored(key) from None

    def has(self, key: str) -> bool:
        """Whether there is a file under this key."""
        return self._path(key).is_file()

    def size(self, key: str) -> int:
        """How many bytes the file has. Raises `NotStored`."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            raise NotStored(key) from None

    def delete(self, key: str) -> None:
        """Delete the file of this key, or all whose keys begin with it and a slash. Does nothing if there is none."""
        path = self._path(key)
        while path.is_dir():
            with suppress(FileNotFoundError):  # somebody else is deleting it, too
                shutil.rmtree(path)
        with suppress(FileNotFoundError):
            path.unlink()

    def keys(self, within: str, *, before: datetime | None = None) -> Iterator[str]:
        """The keys `<within>/<name>` of what is there, or only of what was last changed before this moment."""
        with suppress(FileNotFoundError), os.scandir(self._folder / within) as found:
            for one in found:
                with suppress(FileNotFoundError):
                    if before is None or datetime.fromtimestamp(one.stat(follow_symlinks=False).st_mtime, UTC) < before:
                        yield f"{within}/{one.name}"

    def set_aside(self, key: str) -> str:
        """Take the key from a file or folder at once, and return another by which it is deleted."""
        self._made(UPLOADS)
        aside = f"{UPLOADS}/{secrets.token_hex(16)}"
        with suppress(FileNotFoundError):
            self._path(key).rename(self._path(aside))
        return aside

    def size_below(self, key: str) -> int:
        """How many bytes the files have whose keys are `<key>/<name>`."""
        with suppress(FileNotFoundError), os.scandir(self._path(key)) as found:
            return sum(one.stat(follow_symlinks=False).st_size for one in found)
        return 0

    def workshop(self, name: str) -> Path:
        """An empty folder of this machine in which a child process may work. Its key is `scratch/<name>`."""
        self.delete(f"{SCRATCH}/{name}")
        return self._made(f"{SCRATCH}/{name}")

    def lend(self, key: str, path: Path) -> int:
        """Let `path` be the file, for a child that reads it. Returns its size. Raises `NotStored`."""
        size = self.size(key)
        path.symlink_to(self._path(key).resolve())
        return size

    def require_room(self, size: int) -> None:
        """Raise `StorageFull` unless so many bytes have room."""
        require_free(self._made(SCRATCH), size)

    def publish_made(self, made: list[Path], key: str) -> None:
        """Let files that a child has made be `<key>/<name>`, one after the other, once the disk has all of them."""
        on_disk(made)
        folder = self._made(key)
        for path in made:
            path.rename(folder / path.name)
        _keep_names(folder)

    def sweep_uploads(self) -> None:
        """Housekeeping: delete what a process that died was receiving. What comes in pieces is kept: rows know it."""
        for key in self.keys(UPLOADS, before=now() - ABANDONED):
            if GROWING not in key:
                self.delete(key)

    def growing(self, *, before: datetime) -> Iterator[UUID]:
        """The names of files that come in pieces, and into which nothing has come since this moment."""
        for key in self.keys(UPLOADS, before=before):
            if GROWING in key:
                yield UUID(key.rpartition("/")[2])

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("a key is made of words and ids of the portal")
        return self._folder / key

    def _made(self, within: str) -> Path:
        """The folder of keys that begin so, made if it is missing."""
        folder = self._folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in within.split("/"):
            folder /= name
            folder.mkdir(mode=0o700, exist_ok=True)
        return folder


def _keep_names(folder: Path) -> None:
    """Have the disk keep which names the folder holds."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
