"""The one place that asks what time it is, so that a test can move it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, with zone UTC."""
    return datetime.now(UTC)
