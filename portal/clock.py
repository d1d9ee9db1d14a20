"""The present time. Everything asks `now()` and never the library, so that a test can move the clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present time, aware, in UTC."""
    return datetime.now(UTC)
