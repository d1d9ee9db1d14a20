"""What participants' pages send although they may not: refused, counted by kind, and told to the operator in the log.

The pages that the portal serves hardly ever send such things, so many of them mean that somebody tries what a changed
browser can do. They are counted in each process since it was started. A line of the log carries the count; there is at
most one a minute of each participant and kind, so that nobody can fill the log.
"""

from collections import Counter
from enum import StrEnum

import structlog

from portal.conference import signal_rate
from portal.errors import Invalid, Message, NotAllowed, Refused, Throttled

log = structlog.get_logger()


class Refusal(StrEnum):
    """Kinds of refusals, by what was tried."""

    ROLE = "role"
    """What only moderators do: mute, remove, admit, lock, end and the like."""
    MEDIA = "media"
    """Pictures or sound of somebody who only listens, or a camera or a screen where it may not be sent."""
    CHAT = "chat"
    """A message while the chat is off or stopped, or to somebody to whom none may be written."""
    SIZE = "size"
    RATE = "rate"


class ForbiddenMessage(NotAllowed):
    """What was sent may not be sent by this participant now."""

    def __init__(self, refusal: Refusal, message: Message) -> None:
        super().__init__(message)
        self.refusal = refusal


class TooLarge(Invalid):
    """More was sent at once than a page ever does."""

    default = Message("This signal is too large.")


totals: Counter[Refusal] = Counter()
"""How many there were of each kind in this process."""


def count_refusal(refused: Refused, *, room_id: str, participation_id: str) -> None:
    """Count a refusal, if it is of one of the kinds."""
    refusal = _kind_of(refused)
    if refusal is None:
        return
    totals[refusal] += 1
    try:
        signal_rate.take(signal_rate.LOG_LINES, f"{participation_id} {refusal}")
    except Throttled:
        return
    log.warning(
        "a signal was refused",
        refusal=refusal.value,
        total=totals[refusal],
        room=room_id,
        participation=participation_id,
    )


def _kind_of(refused: Refused) -> Refusal | None:
    match refused:
        case ForbiddenMessage():
            return refused.refusal
        case TooLarge():
            return Refusal.SIZE
        case Throttled():
            return Refusal.RATE
    return None
