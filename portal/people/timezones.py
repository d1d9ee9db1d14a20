"""Time zones that people can choose: those that every part of the portal knows."""

import zoneinfo
from functools import cache

_UNKNOWN_TO_BABEL = frozenset({"Factory", "localtime"})


@cache
def time_zones() -> frozenset[str]:
    """Their names. Found by looking through the disk, therefore once."""
    return frozenset(zoneinfo.available_timezones() - _UNKNOWN_TO_BABEL)
