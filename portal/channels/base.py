"""What both kinds of channels have in common: messages, watches, and what can be asked of channels."""

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

MAILBOX_LENGTH = 256
MAILBOX_SECONDS = 30
EVERYTHING = "*"  # the word of a nudge after which a watcher has to look at everything again


@dataclass(frozen=True)
class MailboxMessage:
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
        """Put a message into a mailbox and nudge the topic of the same name."""
        ...

    def messages(self, mailbox: str, after: str) -> list[MailboxMessage]:
        """Those with an id later than `after`, oldest first; all that are kept, if that is no id of ours."""
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
        """`member` is present, with `value`, for so many more seconds. Returns whether it was written.

        With `instead_of` only if that is what `presence` says of the member until now, {} for nothing.
        """
        ...

    def expect_present(self, group: str, member: str, seconds: float) -> None:
        """Unless `member` is present already: present, without a value, for so many seconds to show up in."""
        ...

    def presence(self, group: str) -> dict[str, dict[str, Any]]:
        """Who is present in the group, with their values."""
        ...

    def set_absent(self, group: str, member: str) -> None:
        """`member` is gone and need not lapse."""
        ...

    def take_lapsed(self) -> list[tuple[str, str]]:
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

    @property
    def watched(self) -> bool:
        """Whether anybody watches."""
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
        """Wake everybody: something may have been missed."""
        with self._lock:
            watches = list(self._by_id.values())
        for watch in watches:
            watch.tell(EVERYTHING)


def checked_message_id(after: str) -> str:
    """An id of a message as somebody from outside gave it, or "" if it is none: `Last-Event-ID` may hold anything."""
    return after if re.fullmatch(r"[0-9]{1,19}(-[0-9]{1,19})?", after) else ""
