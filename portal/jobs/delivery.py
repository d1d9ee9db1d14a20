"""Sending one message: taken in one transaction, called out in none, recorded in another."""

import time
from uuid import UUID

from portal.db import transaction
from portal.providers import fetch
from portal.webhooks.deliveries import Letter, Outcome, claim, record


def deliver(delivery_uuid: UUID) -> None:
    """Send the message, if it is still to be sent."""
    with transaction():
        letter = claim(delivery_uuid)
    if letter is None:
        return
    outcome = send(letter)
    with transaction():
        record(letter, outcome)


def send(letter: Letter) -> Outcome:
    """What the receiver says to it."""
    begun = time.monotonic()
    try:
        answer = fetch.post(letter.url, letter.body, letter.headers)
    except fetch.NoAnswer as error:
        return Outcome(milliseconds=_since(begun), trouble=error.trouble)
    return Outcome(milliseconds=_since(begun), status=answer.status, body=answer.body)


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
