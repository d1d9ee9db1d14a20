"""Finding the services that are to be asked how their rooms go on, each second, in every web process.

Asking itself is a job, one for each service, so that a slow one keeps no other waiting. Several processes may find the
same service: whoever runs its job first has its rooms, and the others find none.
"""

import time

from flask import Flask

from portal.db import reading, transaction
from portal.enqueueing import enqueue
from portal.status.driving import ASK, providers_to_ask

AGAIN_SECONDS = 5.0
"""So long after a job was enqueued is it taken to be waiting still, and not enqueued again by this process."""

_enqueued: dict[str, float] = {}


def enqueue_asks(app: Flask) -> int:
    """Enqueue a job for each service that is to be asked now. Returns how many."""
    at = time.monotonic()
    for known in [known for known, since in _enqueued.items() if since < at - AGAIN_SECONDS]:
        del _enqueued[known]
    with app.app_context(), reading(), transaction():
        fresh = [provider for provider in map(str, providers_to_ask()) if provider not in _enqueued]
        for provider in fresh:
            enqueue(ASK, provider)
            _enqueued[provider] = at
    return len(fresh)
