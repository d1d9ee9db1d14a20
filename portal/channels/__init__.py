"""What processes tell each other right now: nudges, mailboxes and who is present. Nothing here is kept.

* A **nudge** says "something about this topic changed". It may be dropped, and several become one.
* A **mailbox** holds the messages for one receiver in order, the last 256 of them, for 30 seconds.
* **Presence**: members of a group with a deadline each; who lets it pass is claimed by one sweeper.

Within one process these are a few dictionaries; with `REDIS_URL` they are shared by all processes.
"""

from portal.channels.base import EVERYTHING, Channels, MailboxMessage, Watch
from portal.channels.in_process import InProcess
from portal.channels.over_redis import OverRedis

__all__ = ["EVERYTHING", "Channels", "InProcess", "MailboxMessage", "OverRedis", "Watch", "channels", "use"]

_channels: Channels = InProcess()


def use(redis_url: str) -> None:
    """Choose the kind of channels. Called once by `create_app`."""
    global _channels
    _channels = OverRedis(redis_url) if redis_url else InProcess()


def channels() -> Channels:
    """The channels of this portal."""
    return _channels
