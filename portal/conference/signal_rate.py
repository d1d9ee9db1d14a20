"""Limits on signals and streams of one participant in a conference, counted in each process."""

import itertools
import threading
import time

from portal.errors import Throttled

PER_SECOND = 50.0
BURST = 200.0
STREAMS = 3  # a page uses one; a network that broke off leaves others behind until that is noticed
FORGET_SECONDS = BURST / PER_SECOND  # after this time without a signal a whole burst is allowed again

_left: dict[str, tuple[float, float]] = {}
_streams: dict[str, list[int]] = {}
_numbers = itertools.count()
_lock = threading.Lock()


def take_signal(participation_id: str) -> None:
    """Count one signal of the participant. Raises `Throttled` if he has sent too many."""
    at = time.monotonic()
    with _lock:
        for known in [known for known, (_, since) in _left.items() if since < at - FORGET_SECONDS]:
            del _left[known]
        left, since = _left.get(participation_id, (BURST, at))
        left = min(BURST, left + (at - since) * PER_SECOND)
        _left[participation_id] = (left, at) if left < 1 else (left - 1, at)
    if left < 1:
        raise Throttled(retry_after=1)


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
