"""A file that comes in pieces, over as many requests as it takes, and is kept however a piece ends.

How far it has come is its size on the disk: what was written before a process died is there when the next one looks.
"""

import fcntl
import os
from io import FileIO
from pathlib import Path
from typing import Any

from portal.storage.incoming import Incoming, private


class AnotherWriter(Exception):
    """Another request is writing into the file at this moment."""


class NobodyWaits(Exception):
    """The file was deleted while it grew: whatever else comes would lie on the disk, and nobody would count it."""


class Growing(Incoming):
    """A file of at most `most` bytes, to which one writer at a time appends. It is made if it is not there.

    Raises `AnotherWriter`. The lock ends with the process that has it, however that ends.
    """

    def __init__(self, path: Path, *, most: int) -> None:
        FileIO.__init__(self, path, "a+", opener=private)
        try:
            fcntl.flock(self.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise AnotherWriter from None
        self.path, self.most = path, most
        self.size = self._looked_at = os.fstat(self.fileno()).st_size

    def write(self, data: Any, /) -> int:
        """Append all of `data`. Raises what `Incoming.write` does, and `NobodyWaits`."""
        if not os.fstat(self.fileno()).st_nlink:
            raise NobodyWaits
        return super().write(data)
