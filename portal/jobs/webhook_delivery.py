"""Sending one message: taken in one transaction, called out in none, recorded in another.

Many workers may wait for receivers, but few of them come to the database at once: its connections, and the one
writer of SQLite, are for people first.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from portal.db import transaction
from portal.providers import fetch
from portal.webhooks.deliveries import ClaimedDelivery, Outcome, claim, record

DATABASE_SLOTS = 4  # workers that take or record at once

_database_slots = threading.BoundedSemaphore(DATABASE_SLOTS)


def deliver(delivery_uuid: str) -> None:
    """Send the message, if it is still to be sent."""
    with _database_slot():
        letter = claim(UUID(delivery_uuid))
    if letter is None:
        return
    outcome = send(letter)
    with _database_slot():
        record(letter, outcome)


def send(letter: ClaimedDelivery) -> Outcome:
    """What the receiver says to it."""
    begun = time.monotonic()
    try:
        answer = fetch.post(letter.url, letter.body, letter.headers)
    except fetch.NoAnswer as error:
        return Outcome(milliseconds=_since(begun), trouble=error.trouble)
    return Outcome(milliseconds=_since(begun), status=answer.status, body=answer.body)


@contextmanager
def _database_slot() -> Iterator[None]:
    with _database_slots, transaction():
        yield


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
