"""Enqueueing jobs: how operations have work done by a worker, after their transaction.

A job is a name and the id of a row, never the row: what it does is looked up when it runs. It runs at least once, so
the operation behind it has to be safe to run twice. The queue may lose it: each name has a sweep in `portal.jobs` that
finds rows which still wait for their job.
"""

from collections.abc import Callable

from portal.db import on_commit

Put = Callable[[str, str, float], None]
"""Puts the job with this name and id into the queue, to be run in so many seconds."""

_put: Put | None = None


def use(put: Put) -> Put | None:
    """Set the function that puts jobs into the queue, and return the one before. Called by `create_app`."""
    global _put
    before, _put = _put, put
    return before


def enqueue(name: str, row_id: str, delay: float = 0) -> None:
    """Have a worker run the job `name` for this row, in `delay` seconds, after the transaction is committed.

    `row_id` is what the job finds its row by, as a string.
    """
    put = _put
    if put is not None:
        on_commit(lambda: put(name, row_id, delay))
