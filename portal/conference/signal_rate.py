"""Limits on what one participant in a conference does, from signals to lines of the log, counted in each process."""

import itertools
import math
import threading
import time
from dataclasses import dataclass, field

from portal.errors import Throttled
from portal.status.models import Participation


@dataclass(frozen=True)
class Rate:
    """So many at once, and `per_second` from then on. `left`: what each who is counted may still do, and since when."""

    per_second: float
    burst: float
    left: dict[str, tuple[float, float]] = field(default_factory=dict, compare=False)


SIGNALS = Rate(per_second=50, burst=200)
SIGNAL_BYTES = Rate(per_second=50_000, burst=1_500_000)
"""Mailboxes keep them for half a minute. A description has some thousand, and one goes to each of a dozen people."""
HEARTBEATS = Rate(per_second=2, burst=60)
"""Each that tells something new makes the portal read the roster for everybody who is in."""
MESSAGES = Rate(per_second=0.5, burst=10)
REACTIONS = Rate(per_second=0.5, burst=5)
LOG_LINES = Rate(per_second=1 / 60, burst=1)
STREAMS = 3  # a page uses one; a network that broke off leaves others behind until that is noticed

_streams: dict[str, list[int]] = {}
_numbers = itertools.count()
_lock = threading.Lock()


def visitor_of(participation: Participation) -> str:
    """Who is counted: the same for whoever leaves the room and joins again."""
    return f"{participation.room_uuid} {participation.device}"


def take(rate: Rate, who: str, amount: int = 1) -> None:
    """Count one thing that `who` does, or `amount` of its bytes. Raises `Throttled` if it is too many."""
    at = time.monotonic()
    with _lock:
        if who not in rate.left:
            _forget(rate, at)
        left, since = rate.left.get(who, (rate.burst, at))
        left = min(rate.burst, left + (at - since) * rate.per_second)
        rate.left[who] = (left, at) if left < amount else (left - amount, at)
    if left < amount:
        raise Throttled(retry_after=math.ceil((amount - left) / rate.per_second))


def _forget(rate: Rate, at: float) -> None:
    """Forget those who may do a whole burst again. Only somebody new calls for it, so that a signal stays cheap."""
    whole_after = rate.burst / rate.per_second
    for who in [who for who, (_, since) in rate.left.items() if since < at - whole_after]:
        del rate.left[who]


def open_stream(participation_id: str) -> int:
    """Register a new stream of this participant and return its number. The oldest ones beyond `STREAMS` are closed."""
    number = next(_numbers)
    with _lock:
        _streams[participation_id] = [*_streams.get(participation_id, []), number][-STREAMS:]
    return number


def is_open(participation_id: str, number: int) -> bool:
    """Whether this stream is still one of the participant's newest."""
    return number in _streams.get(participation_id, ())


def close_stream(participation_id: str, number: int) -> None:
    """Unregister a stream that has ended."""
    with _lock:
        rest = [other for other in _streams.get(participation_id, []) if other != number]
        if rest:
            _streams[participation_id] = rest
        else:
            _streams.pop(participation_id, None)
