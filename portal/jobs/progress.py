"""How the work of a task says how far it is, is told to leave off, and says that it failed."""

import threading

from portal.errors import Message


class TaskStopped(Exception):
    """The task was cancelled, or another worker has it: the work is to leave off."""


class TaskFailed(Exception):
    """The work cannot be done, for a reason in words for people. `permanent`: trying again would not help."""

    def __init__(self, message: Message, *, permanent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent


class Progress:
    """What the work of one attempt reports; the heartbeat beside it reads that, and stops it."""

    def __init__(self) -> None:
        self.percent: int | None = None
        self.message = ""
        self._stopped = threading.Event()

    def report(self, percent: int | None, message: str = "") -> None:
        """Say how far the work is (0 to 100, None if nobody can tell), and the step it is at. Waits for nothing.

        To be called every few seconds: raises `TaskStopped` when the work is to leave off.
        """
        self.percent, self.message = percent, message
        if self._stopped.is_set():
            raise TaskStopped

    def stop(self) -> None:
        """Have the next report raise `TaskStopped`."""
        self._stopped.set()
