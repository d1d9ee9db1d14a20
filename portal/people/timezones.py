"""The time zones that people can choose: those that both Python and Babel know."""

import zoneinfo
from functools import cache

_UNKNOWN_TO_BABEL = frozenset({"Factory", "localtime"})


@cache
def time_zones() -> frozenset[str]:
    """The names of the time zones. Cached, because finding them reads a directory tree."""
    return frozenset(zoneinfo.available_timezones() - _UNKNOWN_TO_BABEL)
