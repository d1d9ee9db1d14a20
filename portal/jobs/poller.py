"""The poller: each second, in every web process, it enqueues a job for each service that should be asked.

There is one job for each service, so that a slow one delays no other. Several processes may enqueue the same one: the
first job claims the service's rooms, and the others find none.
"""

import time

from flask import Flask

from portal.db import reading, transaction
from portal.enqueueing import enqueue
from portal.status.service_calls import ASK, providers_to_ask

AGAIN_SECONDS = 5.0
"""How long this process waits before it enqueues the same job again."""

_enqueued: dict[str, float] = {}


def enqueue_asks(app: Flask) -> int:
    """Enqueue a job for each service that should be asked now. Returns how many."""
    at = time.monotonic()
    for known in [known for known, since in _enqueued.items() if since < at - AGAIN_SECONDS]:
        del _enqueued[known]
    with app.app_context(), reading(), transaction():
        fresh = [provider for provider in map(str, providers_to_ask()) if provider not in _enqueued]
        for provider in fresh:
            enqueue(ASK, provider)
            _enqueued[provider] = at
    return len(fresh)
