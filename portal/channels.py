"""What processes tell each other right now: nudges, mailboxes and who is present. Nothing here is kept.

* A **nudge** says "something about this topic changed". It may be dropped, and several become one.
* A **mailbox** holds the letters for one receiver in order, the last 256 of them, for 30 seconds.
* **Presence**: members of a group with a deadline each; who lets it pass is claimed by one sweeper.

Within one process these are a few dictionaries; with `REDIS_URL` they are shared by all processes.
"""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ClassVar, ParamSpec, Protocol, TypeVar

import redis
import structlog

from portal.errors import ChannelsAway

log = structlog.get_logger()

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
    heard: frozenset[str] = frozenset()
    """The watched topics by which the words came that `wait` returned last."""
    _words: set[str] = field(default_factory=set)
    _by: set[str] = field(default_factory=set)
    _arrived: threading.Event = field(default_factory=threading.Event)

    def tell(self, word: str, by: Iterable[str] = ()) -> None:
        """Called by the hub, with the topics that were nudged."""
        self._by.update(self.topics.intersection(by))
        self._words.add(word)
        self._arrived.set()

    def wait(self, seconds: float) -> set[str]:
        """The words that arrived, as soon as there is one; empty after `seconds` without any."""
        self._arrived.wait(seconds)
        self._arrived.clear()
        words, self._words = self._words, set()
        by, self._by = self._by, set()
        self.heard = frozenset(by)
        return words


class Channels(Protocol):
    """Both kinds do the same; `tests/test_channels.py` holds them to it. Each may raise `ChannelsAway`."""

    shared: ClassVar[bool]
    """Whether other processes use them too."""

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
        """Those with an id later than `after`, oldest first; all that are kept, if that is no id of ours."""
        ...

    def last_letter(self, mailbox: str) -> str:
        """The id of the newest letter, or ""."""
        ...

    def attend(self, group: str, member: str, value: dict[str, Any], seconds: float) -> None:
        """`member` is present, with `value`, for so many more seconds."""
        ...

    def expect(self, group: str, member: str, seconds: float) -> None:
        """Unless `member` is present already: present, without a value, for so many seconds to show up in."""
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
        topics = frozenset(topics)
        with self._lock:
            woken = {number for topic in topics for number in self._watches.get(topic, ())}
            watches = [self._by_id[number] for number in woken]
        for watch in watches:
            watch.tell(word, topics)

    def tell_all(self) -> None:
        """Wake everybody: something may have been missed."""
        with self._lock:
            watches = list(self._by_id.values())
        for watch in watches:
            watch.tell(EVERYTHING)


def _place(after: str) -> str:
    """An id of a letter as somebody from outside gave it, or "" if it is none: `Last-Event-ID` may hold anything."""
    return after if re.fullmatch(r"[0-9]{1,19}(-[0-9]{1,19})?", after) else ""


class InProcess:
    """Channels of a portal that runs as one web process."""

    shared: ClassVar[bool] = False

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
        since, after = time.monotonic() - LETTER_SECONDS, _place(after)
        with self._lock:
            kept = list(self._boxes.get(mailbox, ()))
        return [letter for at, letter in kept if at >= since and letter.id > after]

    def last_letter(self, mailbox: str) -> str:
        kept = self.letters(mailbox, "")
        return kept[-1].id if kept else f"{self._sequence:016d}"

    def attend(self, group: str, member: str, value: dict[str, Any], seconds: float) -> None:
        with self._lock:
            self._present.setdefault(group, {})[member] = (time.monotonic() + seconds, value)

    def expect(self, group: str, member: str, seconds: float) -> None:
        with self._lock:
            self._present.setdefault(group, {}).setdefault(member, (time.monotonic() + seconds, {}))

    def attendance(self, group: str) -> dict[str, dict[str, Any]]:
        at = time.monotonic()
        with self._lock:
            return {m: value for m, (until, value) in self._present.get(group, {}).items() if until > at}

    def absent(self, group: str, member: str) -> None:
        with self._lock:
            self._remove(group, member)

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
                self._remove(group, member)
        return gone

    def _remove(self, group: str, member: str) -> None:
        members = self._present.get(group, {})
        members.pop(member, None)
        if not members:
            self._present.pop(group, None)


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
_EXPECT = """
local t = redis.call('TIME')
if redis.call('HSETNX', KEYS[1], ARGV[1], '{}') == 0 then return end
redis.call('EXPIRE', KEYS[1], 86400)
redis.call('ZADD', KEYS[2], string.format('%.6f', t[1] + t[2] / 1000000 + ARGV[2]), ARGV[3])
"""
_LAPSED = """
local t = redis.call('TIME')
local at = string.format('%.6f', t[1] + t[2] / 1000000)
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at, 'LIMIT', 0, 200)
for _, name in ipairs(gone) do
  local bar = string.find(name, '|', 1, true)
  redis.call('HDEL', KEYS[2] .. string.sub(name, 1, bar - 1), string.sub(name, bar + 1))
  redis.call('ZREM', KEYS[1], name)
end
return gone
"""

COMMAND_SECONDS = 5  # an answer that takes longer is none
QUIET_SECONDS = 5  # so often the subscription is asked whether it still stands
LOST_SECONDS = 12  # a subscription that said nothing for so long has been cut without a word
AGAIN_SECONDS = 1

P = ParamSpec("P")
T = TypeVar("T")


def _or_away(method: Callable[P, T]) -> Callable[P, T]:
    """Redis has a family of errors of its own (its ConnectionError is nobody else's): say it in our words."""

    @wraps(method)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except redis.RedisError as error:
            raise ChannelsAway from error

    return told


class OverRedis:
    """Channels of a portal that runs as several processes."""

    shared: ClassVar[bool] = True

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            decode_responses=True,
            health_check_interval=15,
            socket_timeout=COMMAND_SECONDS,
            socket_connect_timeout=COMMAND_SECONDS,
        )
        self._attend = self._redis.register_script(_ATTEND)
        self._expect = self._redis.register_script(_EXPECT)
        self._lapsed = self._redis.register_script(_LAPSED)
        self._hub = Hub()
        self._listener: threading.Thread | None = None
        self._lock = threading.Lock()

    @_or_away
    def nudge(self, *topics: str, word: str = "") -> None:
        self._redis.publish(_NUDGES, json.dumps([topics, word]))

    def watch(self, *topics: str) -> Any:
        self._listen()
        return self._hub.watch(*topics)

    @_or_away
    def post(self, mailbox: str, body: dict[str, Any]) -> None:
        name = _MAILBOX + mailbox
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.xadd(name, {"body": json.dumps(body)}, maxlen=LETTERS_KEPT, approximate=False)
            pipe.expire(name, LETTER_SECONDS)
            pipe.publish(_NUDGES, json.dumps([[mailbox], ""]))
            pipe.execute()

    @_or_away
    def letters(self, mailbox: str, after: str) -> list[Letter]:
        after = _place(after)
        found: Any = self._redis.xrange(_MAILBOX + mailbox, min=f"({after}" if after else "-")
        return [Letter(number, json.loads(fields["body"])) for number, fields in found]

    @_or_away
    def last_letter(self, mailbox: str) -> str:
        found: Any = self._redis.xrevrange(_MAILBOX + mailbox, count=1)
        return str(found[0][0]) if found else ""

    @_or_away
    def attend(self, group: str, member: str, value: dict[str, Any], seconds: float) -> None:
        self._attend(
            keys=[_PRESENT + group, _DEADLINES],
            args=[member, json.dumps(value), seconds, f"{group}|{member}"],
        )

    @_or_away
    def expect(self, group: str, member: str, seconds: float) -> None:
        self._expect(keys=[_PRESENT + group, _DEADLINES], args=[member, seconds, f"{group}|{member}"])

    @_or_away
    def attendance(self, group: str) -> dict[str, dict[str, Any]]:
        found: Any = self._redis.hgetall(_PRESENT + group)
        return {member: json.loads(value) for member, value in found.items()}

    @_or_away
    def absent(self, group: str, member: str) -> None:
        with self._redis.pipeline() as pipe:
            pipe.hdel(_PRESENT + group, member)
            pipe.zrem(_DEADLINES, f"{group}|{member}")
            pipe.execute()

    @_or_away
    def lapsed(self) -> list[tuple[str, str]]:
        found: Any = self._lapsed(keys=[_DEADLINES, _PRESENT])
        return [(group, member) for group, _, member in (name.partition("|") for name in found)]

    def _listen(self) -> None:
        with self._lock:
            if self._listener is None or not self._listener.is_alive():
                self._listener = threading.Thread(target=self._hear, name="nudges", daemon=True)
                self._listener.start()

    def _hear(self) -> None:
        """Pass on what other processes publish, for as long as this process lives."""
        while True:
            try:
                self._hear_subscription()
            except Exception as error:  # noqa: BLE001  (whatever it was: those who watch must not be left deaf)
                log.warning("nudges are not heard, subscribing again", error=type(error).__name__)
                time.sleep(AGAIN_SECONDS)

    def _hear_subscription(self) -> None:
        """One subscription, until it fails. A connection cut without a word is noticed by asking it."""
        with self._redis.pubsub() as subscription:
            subscription.subscribe(_NUDGES)
            heard_at = time.monotonic()
            while True:
                message = subscription.get_message(timeout=QUIET_SECONDS)
                if message is not None:
                    heard_at = time.monotonic()
                    self._pass_on(message)
                elif time.monotonic() - heard_at > LOST_SECONDS:
                    raise ChannelsAway
                else:
                    subscription.ping()

    def _pass_on(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._hub.tell_all()  # only now is nothing missed any more
        elif message["type"] == "message":
            topics, word = json.loads(message["data"])
            self._hub.tell(topics, word)


_channels: Channels = InProcess()


def use(redis_url: str) -> None:
    """Choose the kind of channels. Called once by `create_app`."""
    global _channels
    _channels = OverRedis(redis_url) if redis_url else InProcess()


def channels() -> Channels:
    """The channels of this portal."""
    return _channels
