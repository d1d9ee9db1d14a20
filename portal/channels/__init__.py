"""Channels: short-lived signals between browsers' streams and between processes. Nothing here is stored for good.

* A **nudge** says "something about this topic changed". It may be dropped, and several may arrive as one.
* A **mailbox** holds the messages for one receiver in order, the last 256 of them, for 30 seconds.
* **Presence** is a set of members of a group, each with a deadline. A member whose deadline passes is reported to
  exactly one caller. Heartbeats live here, so a heartbeat costs no row in the database.

Within one process these are a few dictionaries; with `REDIS_URL` all processes share them.

    base.py         the protocol `Channels`, the messages and watches, and the registry of this process's watches
    in_process.py   channels in the memory of one web process
    over_redis.py   channels that several processes share
"""

from portal.channels.base import EVERYTHING, Channels, LapsedMember, MailboxMessage, Watch
from portal.channels.in_process import InProcess
from portal.channels.over_redis import OverRedis

__all__ = [
    "EVERYTHING",
    "Channels",
    "InProcess",
    "LapsedMember",
    "MailboxMessage",
    "OverRedis",
    "Watch",
    "channels",
    "use",
]

_channels: Channels = InProcess()


def use(redis_url: str) -> None:
    """Choose the kind of channels. Called once by `create_app`."""
    global _channels
    _channels = OverRedis(redis_url) if redis_url else InProcess()


def channels() -> Channels:
    """The channels of this portal."""
    return _channels
