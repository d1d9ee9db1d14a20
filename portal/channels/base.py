"""The protocol of channels, and the messages and watches that both implementations use."""

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol

MAILBOX_LENGTH = 256
MAILBOX_SECONDS = 30
EVERYTHING = "*"  # the word of a nudge that may stand for missed ones: the watcher has to read everything again


@dataclass(frozen=True)
class MailboxMessage:
    """One message in a mailbox; `id` grows within the mailbox."""

    id: str
    body: dict[str, Any]


class LapsedMember(NamedTuple):
    """A member of a group whose deadline has passed, with the last value that it had."""

    group: str
    member: str
    value: dict[str, Any]


@dataclass(slots=True)
class Watch:
    """One waiter for nudges on some topics. It collects the words of the nudges that came since it last waited."""

    topics: frozenset[str]
    heard: frozenset[str] = frozenset()
    """The watched topics whose nudges the last `wait` returned."""
    _words: set[str] = field(default_factory=set)
    _by: set[str] = field(default_factory=set)
    _arrived: threading.Event = field(default_factory=threading.Event)

    def tell(self, word: str, by: Iterable[str] = ()) -> None:
        """Add a nudge's word, and the topics that were nudged. Called by the hub."""
        self._by.update(self.topics.intersection(by))
        self._words.add(word)
        self._arrived.set()

    def wait(self, seconds: float) -> set[str]:
        """Wait until a nudge comes, at most `seconds`, and return the words of those that came."""
        self._arrived.wait(seconds)
        self._arrived.clear()
        words, self._words = self._words, set()
        by, self._by = self._by, set()
        self.heard = frozenset(by)
        return words


class Signals(Protocol):
    """What can be told by channels without waiting for an answer."""

    def nudge(self, *topics: str, word: str = "") -> None:
        """Wake every watch on one of `topics`, and give it `word`, such as the id of what changed."""
        ...

    def post(self, mailbox: str, body: dict[str, Any]) -> None:
        """Put a message into a mailbox and nudge the topic of the same name."""
        ...

    def expect_present(self, group: str, member: str, seconds: float) -> None:
        """Add `member` without a value, unless it is present. If it is not set present within `seconds`, it lapses."""
        ...

    def set_absent(self, group: str, member: str) -> None:
        """Remove `member` from the group at once; `take_lapsed` will not report it."""
        ...


class Channels(Signals, Protocol):
    """What channels can do. Every method may raise `ChannelsAway`.

    `tests/test_channels.py` runs the same tests on both implementations.
    """

    shared: ClassVar[bool]
    """Whether several processes share these channels."""

    def together(self) -> AbstractContextManager[Signals]:
        """A context manager whose value takes signals, which are given together, in their order, when the block ends.

        If the block raises, none needs to be given.
        """
        ...

    def watch(self, *topics: str) -> Any:
        """A context manager whose value is a `Watch` on these topics."""
        ...

    def messages(self, mailbox: str, after: str) -> list[MailboxMessage]:
        """The messages with an id later than `after`, oldest first.

        All that the mailbox still holds, if `after` is not the id of a message.
        """
        ...

    def last_message_id(self, mailbox: str) -> str:
        """The id of the newest message, or ""."""
        ...

    def set_present(
        self,
        group: str,
        member: str,
        value: dict[str, Any],
        seconds: float,
        *,
        instead_of: dict[str, Any] | None = None,
    ) -> bool:
        """Make `member` present with `value` for `seconds`. Returns whether that was written.

        With `instead_of`, it is written only if the member's present value equals that; {} means no value.
        """
        ...

    def presence(self, group: str) -> dict[str, dict[str, Any]]:
        """The members present in the group, with their values."""
        ...

    def take_lapsed(self) -> list[LapsedMember]:
        """Remove and return all whose deadline has passed. Each is returned to one caller only."""
        ...


class Hub:
    """The watches of this process, by topic."""

    def __init__(self) -> None:
        self._watches: dict[str, set[int]] = {}
        self._by_id: dict[int, Watch] = {}
        self._lock = threading.Lock()

    @contextmanager
    def watch(self, *topics: str) -> Iterator[Watch]:
        """A watch on these topics, registered while the block runs."""
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

    @property
    def watched(self) -> bool:
        """Whether there is any watch."""
        return bool(self._by_id)

    def tell(self, topics: Iterable[str], word: str) -> None:
        """Wake the watches of these topics."""
        topics = frozenset(topics)
        with self._lock:
            woken = {number for topic in topics for number in self._watches.get(topic, ())}
            watches = [self._by_id[number] for number in woken]
        for watch in watches:
            watch.tell(word, topics)

    def tell_all(self) -> None:
        """Wake all watches with `EVERYTHING`, because nudges may have been missed."""
        with self._lock:
            watches = list(self._by_id.values())
        for watch in watches:
            watch.tell(EVERYTHING)


def checked_message_id(after: str) -> str:
    """`after` if it has the form of a message's id, else "". The header `Last-Event-ID` may hold anything."""
    return after if re.fullmatch(r"[0-9]{1,19}(-[0-9]{1,19})?", after) else ""
