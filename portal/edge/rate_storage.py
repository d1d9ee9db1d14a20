"""Counting who asked how often, in one process: what rate limits use where there is no Redis.

The library's own storage for that sweeps with a thread, which begins with the portal, before its processes
are forked, and anew with nearly every request. This one is swept by whoever comes, and starts nothing.
"""

import threading
from collections import deque

from limits.storage import MovingWindowSupport, Storage

from portal.clock import now

SCHEME = "in-process"
SWEEP = 60  # seconds between two looks for windows in which nothing counts any more


class InProcess(Storage, MovingWindowSupport):
    """Moving windows in the memory of this process: for each key, until when each request counts, in order."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012  (the library declares it so)

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: str) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._windows: dict[str, deque[float]] = {}
        self._lock = threading.RLock()
        self._swept_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What may be raised if counting fails."""
        return ValueError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` more, if that does not make more than `limit` within `expiry` seconds."""
        with self._lock:
            if self.get(key) + amount > limit:
                return False
            self.incr(key, expiry, amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the first of those that count came, and how many count."""
        with self._lock:
            count = self.get(key)
            return self.get_expiry(key) - expiry if count else now().timestamp(), count

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count `amount` more for so many seconds; how many count then."""
        with self._lock:
            self._sweep()
            window = self._windows.setdefault(key, deque())
            window.extend([now().timestamp() + expiry] * amount)
            return self.get(key)

    def get(self, key: str) -> int:
        """How many count."""
        with self._lock:
            window, at = self._windows.get(key), now().timestamp()
            while window and window[0] <= at:
                window.popleft()
            return len(window or ())

    def get_expiry(self, key: str) -> float:
        """Until when the first of those that count does."""
        with self._lock:
            return self._windows[key][0] if self.get(key) else now().timestamp()

    def check(self) -> bool:
        """Whether it works: memory does."""
        return True

    def clear(self, key: str) -> None:
        """Forget this key."""
        with self._lock:
            self._windows.pop(key, None)

    def reset(self) -> int:
        """Forget all keys; how many those were."""
        with self._lock:
            count = len(self._windows)
            self._windows.clear()
            return count

    def _sweep(self) -> None:
        at = now().timestamp()
        if at < self._swept_at + SWEEP:
            return
        self._swept_at = at
        self._windows = {key: window for key, window in self._windows.items() if self.get(key)}
