"""Work that would stop all greenlets of a process, such as hashing a password or waiting for a disk, in threads."""

import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

T = TypeVar("T")


class WorkThreads:
    """A pool of so many threads, which exists only where gevent runs the process. Elsewhere the caller works."""

    def __init__(self, most: int) -> None:
        self._most = most

    def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, while other greenlets go on."""
        monkey = sys.modules.get("gevent.monkey")
        if monkey is not None and monkey.is_module_patched("socket"):
            return self._pool.apply(work)  # type: ignore[no-any-return]
        return work()

    @cached_property
    def _pool(self) -> Any:
        from gevent.threadpool import ThreadPool  # noqa: PLC0415  (only where gevent runs the process)

        return ThreadPool(self._most)
