"""Channels for a portal that runs as several processes: they share them through Redis."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar

import redis
import structlog

from portal.channels.base import (
    MAILBOX_LENGTH,
    MAILBOX_SECONDS,
    Hub,
    LapsedMember,
    MailboxMessage,
    Signals,
    Watch,
    checked_message_id,
)
from portal.errors import ChannelsAway

log = structlog.get_logger()

_PRESENT = "foyer:present:"
_DEADLINES = "foyer:deadlines"
_MAILBOX = "foyer:mailbox:"
_NUDGES = "foyer:nudges"

# The server's clock decides, so that machines whose clocks differ agree about who is late.
_SET_PRESENT = """
if ARGV[5] ~= '' and ARGV[5] ~= (redis.call('HGET', KEYS[1], ARGV[1]) or '{}') then return 0 end
local t = redis.call('TIME')
local at = t[1] + t[2] / 1000000
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], 86400)
redis.call('ZADD', KEYS[2], string.format('%.6f', at + ARGV[3]), ARGV[4])
return 1
"""
_EXPECT = """
local t = redis.call('TIME')
if redis.call('HSETNX', KEYS[1], ARGV[1], '{}') == 0 then return end
redis.call('EXPIRE', KEYS[1], 86400)
redis.call('ZADD', KEYS[2], string.format('%.6f', t[1] + t[2] / 1000000 + ARGV[2]), ARGV[3])
"""
_ABSENT = """
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[2])
"""
_LAPSED = """
local t = redis.call('TIME')
local at = string.format('%.6f', t[1] + t[2] / 1000000)
local gone = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at, 'LIMIT', 0, 200)) do
  local bar = string.find(name, '|', 1, true)
  local group, member = string.sub(name, 1, bar - 1), string.sub(name, bar + 1)
  table.insert(gone, {group, member, redis.call('HGET', KEYS[2] .. group, member) or '{}'})
  redis.call('HDEL', KEYS[2] .. group, member)
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
    """Decorate a method to raise `ChannelsAway` for any error of Redis, none of which is a standard exception."""

    @wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except redis.RedisError as error:
            raise ChannelsAway from error

    return wrapped


class _OverPipeline:
    """Signals that are sent to Redis when the pipeline is executed, all by one round trip."""

    def __init__(self, pipeline: "redis.client.Pipeline") -> None:
        self._pipeline = pipeline

    def nudge(self, *topics: str, word: str = "") -> None:
        self._pipeline.publish(_NUDGES, json.dumps([topics, word]))

    def post(self, mailbox: str, body: dict[str, Any]) -> None:
        name = _MAILBOX + mailbox
        self._pipeline.xadd(name, {"body": json.dumps(body)}, maxlen=MAILBOX_LENGTH, approximate=False)
        self._pipeline.expire(name, MAILBOX_SECONDS)
        self.nudge(mailbox)

    def expect_present(self, group: str, member: str, seconds: float) -> None:
        name = f"{group}|{member}"
        self._pipeline.eval(_EXPECT, 2, _PRESENT + group, _DEADLINES, member, str(seconds), name)

    def set_absent(self, group: str, member: str) -> None:
        self._pipeline.eval(_ABSENT, 2, _PRESENT + group, _DEADLINES, member, f"{group}|{member}")


class OverRedis:
    """Channels in Redis. One thread of each process listens to the nudges while anybody watches."""

    shared: ClassVar[bool] = True

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            decode_responses=True,
            health_check_interval=15,
            socket_timeout=COMMAND_SECONDS,
            socket_connect_timeout=COMMAND_SECONDS,
        )
        self._set_present = self._redis.register_script(_SET_PRESENT)
        self._lapsed = self._redis.register_script(_LAPSED)
        self._hub = Hub()
        self._listener: threading.Thread | None = None
        self._lock = threading.Lock()

    @contextmanager
    def together(self) -> Iterator[Signals]:
        with self._redis.pipeline(transaction=False) as pipeline:
            yield _OverPipeline(pipeline)
            try:
                pipeline.execute()
            except redis.RedisError as error:
                raise ChannelsAway from error

    def nudge(self, *topics: str, word: str = "") -> None:
        with self.together() as signals:
            signals.nudge(*topics, word=word)

    @contextmanager
    def watch(self, *topics: str) -> Iterator[Watch]:
        with self._hub.watch(*topics) as watch:
            self._listen()
            yield watch

    def post(self, mailbox: str, body: dict[str, Any]) -> None:
        with self.together() as signals:
            signals.post(mailbox, body)

    @_or_away
    def messages(self, mailbox: str, after: str) -> list[MailboxMessage]:
        after = checked_message_id(after)
        found: Any = self._redis.xrange(_MAILBOX + mailbox, min=f"({after}" if after else "-")
        return [MailboxMessage(number, json.loads(fields["body"])) for number, fields in found]

    @_or_away
    def last_message_id(self, mailbox: str) -> str:
        found: Any = self._redis.xrevrange(_MAILBOX + mailbox, count=1)
        return str(found[0][0]) if found else ""

    @_or_away
    def set_present(
        self,
        group: str,
        member: str,
        value: dict[str, Any],
        seconds: float,
        *,
        instead_of: dict[str, Any] | None = None,
    ) -> bool:
        before = "" if instead_of is None else json.dumps(instead_of)
        written = self._set_present(
            keys=[_PRESENT + group, _DEADLINES],
            args=[member, json.dumps(value), seconds, f"{group}|{member}", before],
        )
        return bool(written)

    def expect_present(self, group: str, member: str, seconds: float) -> None:
        with self.together() as signals:
            signals.expect_present(group, member, seconds)

    @_or_away
    def presence(self, group: str) -> dict[str, dict[str, Any]]:
        found: Any = self._redis.hgetall(_PRESENT + group)
        return {member: json.loads(value) for member, value in found.items()}

    def set_absent(self, group: str, member: str) -> None:
        with self.together() as signals:
            signals.set_absent(group, member)

    @_or_away
    def take_lapsed(self) -> list[LapsedMember]:
        found: Any = self._lapsed(keys=[_DEADLINES, _PRESENT])
        return [LapsedMember(group, member, json.loads(value)) for group, member, value in found]

    def _listen(self) -> None:
        with self._lock:
            if self._listener is None:
                self._listener = threading.Thread(target=self._hear, name="nudges", daemon=True)
                self._listener.start()

    def _hear(self) -> None:
        """Pass nudges from Redis to the hub, and subscribe again after a failure while anybody watches."""
        while True:
            try:
                self._hear_subscription()
            except Exception as error:  # noqa: BLE001  (whatever it was: those who watch must not be left deaf)
                with self._lock:
                    if not self._hub.watched:
                        self._listener = None  # whoever watches next has one again
                        return
                log.warning("nudges are not heard, subscribing again", error=type(error).__name__)
                time.sleep(AGAIN_SECONDS)

    def _hear_subscription(self) -> None:
        """Listen on one subscription until it fails. Pings find a connection that was cut silently."""
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
