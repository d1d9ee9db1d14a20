"""Storage of the API's rate limits in the memory of one process, for a portal without Redis.

The library's own memory storage starts a thread to delete old entries, when the portal is created, before processes
are forked, and again with nearly every request. This one deletes them during a request and starts nothing.
"""

import threading
from collections import deque

from limits.storage import MovingWindowSupport, Storage

from portal.clock import now

SCHEME = "in-process"
SWEEP = 60  # seconds between two deletions of empty windows


class InProcessStorage(Storage, MovingWindowSupport):
    """Moving windows in the memory of this process. For each key: the times at which its requests stop counting."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012  (the library declares it so)

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: str) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._windows: dict[str, deque[float]] = {}
        self._lock = threading.RLock()
        self._swept_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """The exceptions that the library should treat as failures of the storage."""
        return ValueError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` requests for `expiry` seconds and return True, unless that would exceed `limit`."""
        with self._lock:
            if self.get(key) + amount > limit:
                return False
            self.incr(key, expiry, amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """The time of the oldest request that counts, and the number of requests that count."""
        with self._lock:
            count = self.get(key)
            return self.get_expiry(key) - expiry if count else now().timestamp(), count

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count `amount` requests for `expiry` seconds. Returns the number of requests that count."""
        with self._lock:
            self._sweep()
            window = self._windows.setdefault(key, deque())
            window.extend([now().timestamp() + expiry] * amount)
            return self.get(key)

    def get(self, key: str) -> int:
        """The number of requests that count."""
        with self._lock:
            window, at = self._windows.get(key), now().timestamp()
            while window and window[0] <= at:
                window.popleft()
            return len(window or ())

    def get_expiry(self, key: str) -> float:
        """The time at which the oldest request stops counting; now if none counts."""
        with self._lock:
            return self._windows[key][0] if self.get(key) else now().timestamp()

    def check(self) -> bool:
        """Whether the storage works, which memory always does."""
        return True

    def clear(self, key: str) -> None:
        """Delete the window of this key."""
        with self._lock:
            self._windows.pop(key, None)

    def reset(self) -> int:
        """Delete all windows. Returns how many there were."""
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
