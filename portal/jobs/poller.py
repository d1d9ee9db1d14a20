"""The poller: each second, in every web process, it enqueues a job for each service that should be asked.

There is one job for each service, so that a slow one delays no other. Several processes may enqueue the same one: the
first job claims the service's rooms, and the others find none.
"""

import time
from uuid import UUID

from flask import Flask

from portal.db import reading, transaction
from portal.enqueueing import enqueue
from portal.jobs.service_slots import ServiceSlots
from portal.status.callback_registration import register_callbacks
from portal.status.service_polls import ASK, ask_provider, providers_to_ask
from portal.subscriptions.provider_tests import test_provider
from portal.videos.service_looks import LOOK_AT_VIDEOS, look_at_videos, providers_to_look_at

AGAIN_SECONDS = 5.0
"""How long this process waits before it enqueues the same job again."""

ASKS_AT_ONCE = 8
"""So many services are asked by one process at once: the other workers are for webhooks and tasks."""

OTHERS_AT_ONCE = 2
"""For so many services one process does at once each of the other things that nobody waits for."""

_enqueued: dict[tuple[str, UUID], float] = {}
_asking, _registering, _testing = ServiceSlots(ASKS_AT_ONCE), ServiceSlots(OTHERS_AT_ONCE), ServiceSlots(OTHERS_AT_ONCE)
_looking = ServiceSlots(OTHERS_AT_ONCE)


def ask(provider_uuid: str) -> int:
    """Run the job: ask this service, unless this process asks it already, or many others. Returns about how many rooms.

    What is not asked stays due, and is found again.
    """
    with _asking.slot(provider_uuid) as free:
        return ask_provider(UUID(provider_uuid)) if free else 0


def register(provider_uuid: str) -> int:
    """Run the job: ask this service for callbacks, as `ask` does about its rooms. Returns about how many runs."""
    with _registering.slot(provider_uuid) as free:
        return register_callbacks(UUID(provider_uuid)) if free else 0


def test(provider_uuid: str) -> bool:
    """Run the job: test the connection with this service, as `ask` asks about its rooms. Returns whether it did."""
    with _testing.slot(provider_uuid) as free:
        return free and test_provider(UUID(provider_uuid))


def look(provider_uuid: str) -> int:
    """Run the job: ask this service after the videos that it holds. Returns after how many."""
    with _looking.slot(provider_uuid) as free:
        return look_at_videos(UUID(provider_uuid)) if free else 0


def enqueue_asks(app: Flask) -> int:
    """Enqueue a job for each service that should be asked now, about rooms or after videos. Returns how many."""
    at = time.monotonic()
    for known in [known for known, since in _enqueued.items() if since < at - AGAIN_SECONDS]:
        del _enqueued[known]
    with app.app_context(), reading(), transaction():
        due = [(ASK, provider) for provider in providers_to_ask()]
        due += [(LOOK_AT_VIDEOS, provider) for provider in providers_to_look_at()]
        fresh = [one for one in due if one not in _enqueued]
        for job, provider in fresh:
            enqueue(job, str(provider))
            _enqueued[job, provider] = at
    return len(fresh)
