"""Which tests never run beside one another: those that would want more cores than there are, together.

The mark `xdist_group` would say it, but pytest-xdist 3.8 writes groups into names that pytest 9.2 no longer reads.
"""

from xdist.scheduler import LoadGroupScheduling

MEETINGS = frozenset(
    f"tests/e2e/test_{name}.py"
    for name in (
        "chat", "coming_back", "domain", "four", "hands", "journeys", "listeners", "lobby", "quality", "reactions",
        "relays", "removals", "screen_sharing", "tabs", "tiles", "time_limit", "views", "who_is_seen",
    )
)  # fmt: skip
"""Several browsers meet in each, and send pictures."""


class OneMeetingAtATime(LoadGroupScheduling):
    """Gives all meetings to one worker, as one group; else the next test to whichever worker is free."""

    def _split_scope(self, nodeid: str) -> str:
        return "meetings" if nodeid.partition("::")[0] in MEETINGS else super()._split_scope(nodeid)
