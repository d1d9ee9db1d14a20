"""What processes tell each other right now: nudges, mailboxes and who is present. Nothing here is kept.

* A **nudge** says "something about this topic changed". It may be dropped, and several become one.
* A **mailbox** holds the letters for one receiver in order, the last 256 of them, for 30 seconds.
* **Presence**: members of a group with a deadline each; who lets it pass is claimed by one sweeper.

Within one process these are a few dictionaries; with `REDIS_URL` they are shared by all processes.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import redis

LETTERS_KEPT = 256
LETTER_SECONDS = 30
EVERYTHING = "*"  # the word of a nudge after which a watcher has to look at everything again


@dataclass(frozen=True)
class Letter:
    """One message in a mailbox; `id` grows within the mailbox."""

    id: str
    body: dict[str, Any]


@dataclass
class Watch:
    """One waiter for nudges; collects the words that came since it last looked."""

    topics: frozenset[str]
    _words: set[str] = field(default_factory=set)
    _arrived: threading.Event = field(default_factory=threading.Event)

    def tell(self, word: str) -> None:
        """Called by the hub."""
        self._words.add(word)
        self._arrived.set()

    def wait(self, seconds: float) -> set[str]:
        """The words that arrived, as soon as there is one; empty after `seconds` without any."""
        self._arrived.wait(seconds)
        self._arrived.clear()
        words, self._words = self._words, set()
        return words


class Channels(Protocol):
    """Both kinds do the same; `tests/test_channels.py` holds them to it."""

    def nudge(self, *topics: str, word: str = "") -> None:
        """Wake all who watch one of `topics`, and tell them `word`."""
        ...

    def watch(self, *topics: str) -> Any:
        """A context manager whose value is a `Watch` on these topics."""
        ...

    def post(self, mailbox: str, body: dict[str, Any]) -> None:
        """Put a letter into a mailbox and nudge the topic of the same name."""
        ...

    def letters(self, mailbox: str, after: str) -> list[Letter]:
        """Those with an id later than `after` ("" for all that are kept), oldest first."""
        ...

    def last_letter(self, mailbox: str) -> str:
        """The id of the newest letter, or ""."""
        ...

    def attend(self, group: str, member: str, value: dict[str, Any], seconds: float) -> None:
        """`member` is present, with `value`, for so many more seconds."""
        ...

    def attendance(self, group: str) -> dict[str, dict[str, Any]]:
        """Who is present in the group, with their values."""
        ...

    def absent(self, group: str, member: str) -> None:
        """`member` is gone and need not lapse."""
        ...

    def lapsed(self) -> list[tuple[str, str]]:
        """(group, member) of all whose deadline has passed; each is told to one caller only."""
        ...


class Hub:
    """The watches of this process."""

    def __init__(self) -> None:
        self._watches: dict[str, set[int]] = {}
        self._by_id: dict[int, Watch] = {}
        self._lock = threading.Lock()

    @contextmanager
    def watch(self, *topics: str) -> Iterator[Watch]:
        """A watch that is known to the hub while the block runs."""
        watch = Watch(frozenset(topics))
        with self._lock:
            self._by_id[id(watch)] = watch
            for topic in watch.topics:
                self._watches.setdefault(topic, set()).add(id(watch))
        try:
            yield watch
        finally:
            with self._lock:
                del self._by_id[id(watch)]
                for topic in watch.topics:
                    self._watches[topic].discard(id(watch))
                    if not self._watches[topic]:
                        del self._watches[topic]

    def tell(self, topics: Iterable[str], word: str) -> None:
        """Wake the watches of these topics."""
        with self._lock:
            woken = {number for topic in topics for number in self._watches.get(topic, ())}
            watches = [self._by_id[number] for number in woken]
        for watch in watches:
            watch.tell(word)

    def tell_all(self) -> None:
        """Wake everybody: something may have been missed."""
        with self._lock:
            watches = list(self._by_id.values())
        for watch in watches:
            watch.tell(EVERYTHING)


class InProcess:
    """Channels of a portal that runs as one web process."""

    def __init__(self) -> None:
        self._hub = Hub()
        self._boxes: dict[str, deque[tuple[float, Letter]]] = {}
        self._present: dict[str, dict[str, tuple[float, dict[str, Any]]]] = {}
        self._sequence = 0
        self._lock = threading.Lock()

    def nudge(self, *topics: str, word: str = "") -> None:
        self._hub.tell(topics, word)

    def watch(self, *topics: str) -> Any:
        return self._hub.watch(*topics)

    def post(self, mailbox: str, body: dict[str, Any]) -> None:
        at = time.monotonic()
        with self._lock:
            for name in [name for name, box in self._boxes.items() if box[-1][0] < at - LETTER_SECONDS]:
                del self._boxes[name]
            self._sequence += 1
            box = self._boxes.setdefault(mailbox, deque(maxlen=LETTERS_KEPT))
            box.append((at, Letter(f"{self._sequence:016d}", body)))
        self._hub.tell((mailbox,), "")

    def letters(self, mailbox: str, after: str) -> list[Letter]:
        since = time.monotonic() - LETTER_SECONDS
        with self._lock:
            kept = list(self._boxes.get(mailbox, ()))
        return [letter for at, letter in kept if at >= since and letter.id > after]

    def last_letter(self, mailbox: str) -> str:
        kept = self.letters(mailbox, "")
        return kept[-1].id if kept else f"{self._sequence:016d}"

    def attend(self, group: str, member: str, value: dict[str, Any], seconds: float) -> None:
        with self._lock:
            self._present.setdefault(group, {})[member] = (time.monotonic() + seconds, value)

    def attendance(self, group: str) -> dict[str, dict[str, Any]]:
        at = time.monotonic()
        with self._lock:
            return {m: value for m, (until, value) in self._present.get(group, {}).items() if until > at}

    def absent(self, group: str, member: str) -> None:
        with self._lock:
            members = self._present.get(group, {})
            members.pop(member, None)
            if not members:
                self._present.pop(group, None)

    def lapsed(self) -> list[tuple[str, str]]:
        at = time.monotonic()
        with self._lock:
            gone = [
                (group, member)
                for group, members in self._present.items()
                for member, (until, _) in members.items()
                if until <= at
            ]
        for group, member in gone:
            self.absent(group, member)
        return gone


_PRESENT = "foyer:present:"
_DEADLINES = "foyer:deadlines"
_MAILBOX = "foyer:mailbox:"
_NUDGES = "foyer:nudges"

# The server's clock decides, so that machines whose clocks differ agree about who is late.
_ATTEND = """
local t = redis.call('TIME')
local at = t[1] + t[2] / 1000000
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], 86400)
redis.call('ZADD', KEYS[2], string.format('%.6f', at + ARGV[3]), ARGV[4])
"""
_LAPSED = """
local t = redis.call('TIME')
local at = string.format('%.6f', t[1] + t[2] / 1000000)
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at, 'LIMIT', 0, 200)
if #gone > 0 then redis.call('ZREM', KEYS[1], unpack(gone)) end
return gone
"""


class OverRedis:
    """Channels of a portal that runs as several processes."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, decode_responses=True, health_check_interval=15)
        self._attend = self._redis.register_script(_ATTEND)
        self._lapsed = self._redis.register_script(_LAPSED)
        self._hub = Hub()
        self._listener: threading.Thread | None = None
        self._lock = threading.Lock()

    def nudge(self, *topics: str, word: str = "") -> None:
        self._redis.publish(_NUDGES, json.dumps([topics, word]))

    def watch(self, *topics: str) -> Any:
        self._listen()
        return self._hub.watch(*topics)

    def post(self, mailbox: str, body: dict[str, Any]) -> None:
        name = _MAILBOX + mailbox
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.xadd(name, {"body": json.dumps(body)}, maxlen=LETTERS_KEPT, approximate=False)
            pipe.expire(name, LETTER_SECONDS)
            pipe.publish(_NUDGES, json.dumps([[mailbox], ""]))
            pipe.execute()

    def letters(self, mailbox: str, after: str) -> list[Letter]:
        found: Any = self._redis.xrange(_MAILBOX + mailbox, min=f"({after}" if after else "-")
        return [Letter(number, json.loads(fields["body"])) for number, fields in found]

    def last_letter(self, mailbox: str) -> str:
        found: Any = self._redis.xrevrange(_MAILBOX + mailbox, count=1)
        return str(found[0][0]) if found else ""

    def attend(self, group: str, member: str, value: dict[str, Any], seconds: float) -> None:
        self._attend(
            keys=[_PRESENT + group, _DEADLINES],
            args=[member, json.dumps(value), seconds, f"{group}|{member}"],
        )

    def attendance(self, group: str) -> dict[str, dict[str, Any]]:
        found: Any = self._redis.hgetall(_PRESENT + group)
        return {member: json.loads(value) for member, value in found.items()}

    def absent(self, group: str, member: str) -> None:
        with self._redis.pipeline() as pipe:
            pipe.hdel(_PRESENT + group, member)
            pipe.zrem(_DEADLINES, f"{group}|{member}")
            pipe.execute()

    def lapsed(self) -> list[tuple[str, str]]:
        found: Any = self._lapsed(keys=[_DEADLINES])
        gone = [(group, member) for group, _, member in (name.partition("|") for name in found)]
        for group, member in gone:
            self._redis.hdel(_PRESENT + group, member)
        return gone

    def _listen(self) -> None:
        with self._lock:
            if self._listener is None or not self._listener.is_alive():
                self._listener = threading.Thread(target=self._hear, name="nudges", daemon=True)
                self._listener.start()

    def _hear(self) -> None:
        """Pass on what other processes publish, for as long as this process lives."""
        while True:
            try:
                with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    subscription.subscribe(_NUDGES)
                    self._hub.tell_all()
                    for message in subscription.listen():
                        topics, word = json.loads(message["data"])
                        self._hub.tell(topics, word)
            except redis.RedisError:
                time.sleep(1)


_channels: Channels = InProcess()


def use(redis_url: str) -> None:
    """Choose the kind of channels. Called once by `create_app`."""
    global _channels
    _channels = OverRedis(redis_url) if redis_url else InProcess()


def channels() -> Channels:
    """The channels of this portal."""
    return _channels
