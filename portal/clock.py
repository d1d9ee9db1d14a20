"""The present time. Everything asks `now()` and never the library, so that a test can move the clock."""

from datetime import UTC, datetime, timedelta

SKEW = timedelta(seconds=30)
"""How far the clocks of two servers of one portal may differ."""


def now() -> datetime:
    """The present time, aware, in UTC."""
    return datetime.now(UTC)


def is_within(life: timedelta, *, since: datetime) -> bool:
    """Whether something signed at `since` still counts, if it counts for `life`.

    Another server may have signed it, whose clock is up to `SKEW` ahead. What comes from further in the future does
    not count.
    """
    return -SKEW <= now() - since <= life
