"""The poller: each second, in every web process, it enqueues a job for each service that should be asked.

There is one job for each service, so that a slow one delays no other. Several processes may enqueue the same one: the
first job claims the service's rooms, and the others find none.
"""

import threading
import time
from uuid import UUID

from flask import Flask

from portal.db import reading, transaction
from portal.enqueueing import enqueue
from portal.status.service_polls import ASK, ask_provider, providers_to_ask

AGAIN_SECONDS = 5.0
"""How long this process waits before it enqueues the same job again."""

ASKS_AT_ONCE = 8
"""So many services are asked by one process at once: the other workers are for webhooks and tasks."""

_enqueued: dict[str, float] = {}
_asking: set[str] = set()
_lock = threading.Lock()


def ask(provider_uuid: str) -> int:
    """Run the job: ask this service, unless this process asks it already, or many others. Returns about how many rooms.

    What is not asked stays due, and is found again.
    """
    with _lock:
        if provider_uuid in _asking or len(_asking) >= ASKS_AT_ONCE:
            return 0
        _asking.add(provider_uuid)
    try:
        return ask_provider(UUID(provider_uuid))
    finally:
        with _lock:
            _asking.discard(provider_uuid)


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
