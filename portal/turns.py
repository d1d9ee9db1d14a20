"""Turns: of the requests that very many people make at once, such as Join at nine o'clock, a process works on a few.

So it is with the streams of everybody who connects again after a restart. The others wait in the order in which they
came, and hold neither a connection to the database nor a lock meanwhile. So pages of others find connections free, and
whoever locks the same rows waits for a few requests, not for all. While a request waits for a service outside, the
next one has its turn.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from portal.errors import Unavailable

FORM_PATIENCE = 50.0
"""Seconds, fewer than a proxy waits. Whoever has waited so long is told to try again."""
SCRIPT_PATIENCE = 6.0
"""Seconds, fewer than a player's script waits before it asks once more: nobody reads the answer to what it gave up."""
STREAM_PATIENCE = 25.0
"""Seconds, fewer than a player waits before it takes a silent stream for a dead one."""


class Turnstile:
    """Lets `most` in at a time, in the order in which they came. Everybody who is in leaves once."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    def enter(self, patience: float | None, *, first: bool = False) -> None:
        """Wait to be in, with `first` before everybody who waits. Raises `Unavailable` after `patience` seconds.

        With None it is waited for as long as it takes.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                return
            called = threading.Event()
            (self._waiting.appendleft if first else self._waiting.append)(called)
        try:
            if not called.wait(patience):
                raise Unavailable
        except BaseException:
            self._give_up(called)
            raise

    def leave(self) -> None:
        """Let the next one in."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _give_up(self, called: threading.Event) -> None:
        with self._lock:
            waiting = called in self._waiting
            if waiting:
                self._waiting.remove(called)
        if not waiting:  # it was called just now
            self.leave()


class _Turn:
    """The turn of one request, which can end and begin again."""

    def __init__(self, turnstile: Turnstile) -> None:
        self._turnstile = turnstile
        self.held = False

    def begin(self, patience: float | None, *, first: bool = False) -> None:
        self._turnstile.enter(patience, first=first)
        self.held = True

    def end(self) -> None:
        if self.held:
            self.held = False
            self._turnstile.leave()


JOINS, PLAYERS, DASHBOARDS = Turnstile(6), Turnstile(2), Turnstile(1)
"""Those of this process: for who enters, and for the streams of players and of pages that watch rooms.

Its pool has twelve connections for PostgreSQL, so that pages of others have a quarter of them.
"""
_present: ContextVar[_Turn | None] = ContextVar("turn", default=None)


@contextmanager
def turn(turnstile: Turnstile, patience: float) -> Iterator[None]:
    """Wait for a turn, which ends with the block. Raises `Unavailable` after `patience` seconds."""
    mine = _Turn(turnstile)
    mine.begin(patience)
    token = _present.set(mine)
    try:
        yield
    finally:
        _present.reset(token)
        mine.end()


@contextmanager
def turn_of_others() -> Iterator[None]:
    """Let the next one have the turn while the block runs, then wait for another, before all who have had none.

    Does nothing in a request that needs no turn. If the block raises, the request goes on without a turn: an error is
    answered soon.
    """
    mine = _present.get()
    if mine is None or not mine.held:
        yield
        return
    mine.end()
    yield
    mine.begin(None, first=True)
