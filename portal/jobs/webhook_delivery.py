"""The job that sends one webhook delivery: claim it in one transaction, call the receiver in none, record in another.

Many workers may wait for receivers, but few use the database at once: its connections, and SQLite's one writer, are for
people first.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from portal.db import transaction
from portal.providers import fetch
from portal.webhooks.deliveries import ClaimedDelivery, Outcome, claim, record

DATABASE_SLOTS = 4  # workers that claim or record at once

_database_slots = threading.BoundedSemaphore(DATABASE_SLOTS)


def deliver(delivery_uuid: str) -> None:
    """Send a delivery, if it is still due."""
    with _database_slot():
        claimed = claim(UUID(delivery_uuid))
    if claimed is None:
        return
    outcome = send(claimed)
    with _database_slot():
        record(claimed, outcome)


def send(claimed: ClaimedDelivery) -> Outcome:
    """Call the receiver. Returns the outcome of this attempt."""
    begun = time.monotonic()
    try:
        answer = fetch.post(claimed.url, claimed.body, claimed.headers)
    except fetch.NoAnswer as error:
        return Outcome(milliseconds=_since(begun), trouble=error.trouble)
    return Outcome(milliseconds=_since(begun), status=answer.status, body=answer.body)


@contextmanager
def _database_slot() -> Iterator[None]:
    with _database_slots, transaction():
        yield


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
