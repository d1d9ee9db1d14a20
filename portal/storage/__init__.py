"""Storage: the files that people upload, and what is made of them.

A file has a key, such as `presentations/<uuid>`, made of words and ids of the portal and never of what somebody sent.
It streams in under a name of its own, below `uploads/`, and is published under its key by a rename, once it is whole
and the disk has it. So a key names a whole file, or none.

The database says which files count: a row is written in the transaction in which its file is published. What no row
names was left over by a crash or a rollback, and whoever has the rows sweeps it, by `keys`. The sizes are in the rows.
Files are deleted by a job, after the commit.

    incoming.py      a file that streams in
    growing.py       a file that comes in pieces
    local_folder.py  files in a folder of this machine, or one that several machines share
"""

from pathlib import Path

from portal.storage.growing import AnotherWriter, Growing, NobodyWaits
from portal.storage.incoming import FileTooLarge, Incoming, StorageFull
from portal.storage.local_folder import LocalFolder, NotStored

__all__ = [
    "AnotherWriter",
    "FileTooLarge",
    "Growing",
    "Incoming",
    "LocalFolder",
    "NobodyWaits",
    "NotStored",
    "StorageFull",
    "storage",
    "use",
]

_storage: LocalFolder | None = None


def use(folder: Path) -> None:
    """Set the folder, which is made when the first file comes. Called once by `create_app`."""
    global _storage
    _storage = LocalFolder(folder)


def storage() -> LocalFolder:
    """The storage of this portal."""
    if _storage is None:
        raise LookupError("no folder was set for files")
    return _storage
