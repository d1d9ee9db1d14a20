"""How many requests of an account are left in this minute, as Vimeo says with every answer.

All processes and all other programs of the account share them, so only Vimeo knows. Statistics stop when half of them
are used, and uploads when a tenth is left. Who was refused with 429 three times in a row asks nothing for a quarter of
an hour: accounts that go on are blocked.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from portal.errors import Message
from portal.providers.held_videos import Busy

MINUTE = 60.0
LONGEST_WAIT = 900.0
"""Seconds; a moment further away than that is not believed."""
REFUSED_OFTEN = 3
_LEFT_TO_OTHERS, _LEFT_FOR_GOOD = 0.5, 0.1
_UNIX_TIMES = 1_000_000_000

_BUSY = Message("Vimeo takes no more requests of this account for now. Try again in a few minutes.")


@dataclass
class Budget:
    """What this process knows of one account. `clock` tells seconds since 1970."""

    clock: Callable[[], float] = time.time
    limit: int = 0
    remaining: int = 0
    resets_at: float = 0.0
    _stopped_until: float = 0.0
    _refused: int = 0

    def require(self, *, urgent: bool) -> None:
        """Raise `Busy` if this request should not be made now. What people wait for is `urgent`."""
        at = self.clock()
        if at < self._stopped_until:
            raise Busy(_BUSY, seconds=self._stopped_until - at)
        if self.limit and at < self.resets_at:
            kept = self.limit * (_LEFT_FOR_GOOD if urgent else _LEFT_TO_OTHERS)
            if self.remaining <= kept:
                raise Busy(_BUSY, seconds=self.resets_at - at)

    def note(self, status: int, headers: Mapping[str, str]) -> None:
        """Keep what an answer says. Raises `Busy` if it says that there were too many requests."""
        at = self.clock()
        limit, remaining = (_number(headers.get(f"x-ratelimit-{one}", "")) for one in ("limit", "remaining"))
        resets_at = _moment(headers.get("x-ratelimit-reset", ""), at)
        if limit and remaining is not None:
            self.limit, self.remaining, self.resets_at = limit, remaining, resets_at
        if status != HTTPStatus.TOO_MANY_REQUESTS:
            self._refused = 0
            return
        self._refused += 1
        wait = LONGEST_WAIT if self._refused >= REFUSED_OFTEN else resets_at - at
        self._stopped_until = at + wait
        raise Busy(_BUSY, seconds=wait)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004


def _moment(text: str, at: float) -> float:
    """When the minute ends: Vimeo was seen to write ISO 8601 and Unix time. A minute from now if it says nothing."""
    number = _number(text) or (int(text) if text.isascii() and text.isdigit() and len(text) == 10 else None)  # noqa: PLR2004
    if number is not None:
        told = float(number) if number >= _UNIX_TIMES else at + number
    else:
        try:
            found = datetime.fromisoformat(text)
            told = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except ValueError:
            told = at + MINUTE
    return told if at < told <= at + LONGEST_WAIT else at + MINUTE
