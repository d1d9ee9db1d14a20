"""Slots for calling services: slow ones may not take all workers of a process, nor one of them several at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ServiceSlots:
    """The slots of this process for one kind of job: one for each provider, and `most` in all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def slot(self, provider_uuid: str) -> Iterator[bool]:
        """Hold the slot of this provider during the block. False if it is taken, or all are: then leave the work."""
        with self._lock:
            free = provider_uuid not in self._taken and len(self._taken) < self._most
            if free:
                self._taken.add(provider_uuid)
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._taken.discard(provider_uuid)
