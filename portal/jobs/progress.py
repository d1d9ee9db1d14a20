"""How the work of a task reports its progress, learns that it should stop, and reports a failure."""

import threading

from portal.errors import Message


class TaskStopped(Exception):
    """The work has to stop, because the task was cancelled or another worker has claimed it."""


class TaskFailed(Exception):
    """The work failed, for the reason in `message`, a sentence for people. `permanent`: trying again will not help."""

    def __init__(self, message: Message, *, permanent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent


class Progress:
    """The progress of one attempt. The work reports it; the heartbeat beside the work stores it, and stops the work."""

    def __init__(self) -> None:
        self.percent: int | None = None
        self.message = ""
        self.given_back = False
        """Whether the work is to be given back, because this process is told to end."""
        self._stopped = threading.Event()

    def report(self, percent: int | None, message: str = "") -> None:
        """Report how far the work is, in percent (None if that is unknown), and its present step. It does not block.

        The work has to call it every few seconds. Raises `TaskStopped` if the work has to stop.
        """
        self.percent, self.message = percent, message
        if self._stopped.is_set():
            raise TaskStopped

    @property
    def goes_on(self) -> bool:
        """Whether the work is still wanted. Any thread may ask."""
        return not self._stopped.is_set()

    def stop(self) -> None:
        """Make the next `report` raise `TaskStopped`."""
        self._stopped.set()

    def give_back(self) -> None:
        """Make the next `report` raise `TaskStopped`, and have the task wait for another process: this one ends."""
        self.given_back = self.goes_on
        self.stop()
