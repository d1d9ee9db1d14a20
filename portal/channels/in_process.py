"""Channels for a portal that runs as one web process: a few dictionaries in its memory."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from portal.channels.base import (
    MAILBOX_LENGTH,
    MAILBOX_SECONDS,
    Hub,
    LapsedMember,
    MailboxMessage,
    Signals,
    checked_message_id,
)


class InProcess:
    """Channels in the memory of this process."""

    shared: ClassVar[bool] = False

    def __init__(self) -> None:
        self._hub = Hub()
        self._boxes: dict[str, deque[tuple[float, MailboxMessage]]] = {}
        self._present: dict[str, dict[str, tuple[float, dict[str, Any]]]] = {}
        self._sequence = time.time_ns() // 1_000  # a browser that outlived another process knows that one's ids
        self._lock = threading.Lock()

    @contextmanager
    def together(self) -> Iterator[Signals]:
        yield self

    def nudge(self, *topics: str, word: str = "") -> None:
        self._hub.tell(topics, word)

    def watch(self, *topics: str) -> Any:
        return self._hub.watch(*topics)

    def post(self, mailbox: str, body: dict[str, Any]) -> None:
        at = time.monotonic()
        with self._lock:
            for name in [name for name, box in self._boxes.items() if box[-1][0] < at - MAILBOX_SECONDS]:
                del self._boxes[name]
            self._sequence += 1
            box = self._boxes.setdefault(mailbox, deque(maxlen=MAILBOX_LENGTH))
            box.append((at, MailboxMessage(f"{self._sequence:016d}", body)))
        self._hub.tell((mailbox,), "")

    def messages(self, mailbox: str, after: str) -> list[MailboxMessage]:
        since, after = time.monotonic() - MAILBOX_SECONDS, checked_message_id(after)
        with self._lock:
            box = list(self._boxes.get(mailbox, ()))
        return [message for at, message in box if at >= since and message.id > after]

    def last_message_id(self, mailbox: str) -> str:
        messages = self.messages(mailbox, "")
        return messages[-1].id if messages else f"{self._sequence:016d}"

    def set_present(
        self,
        group: str,
        member: str,
        value: dict[str, Any],
        seconds: float,
        *,
        instead_of: dict[str, Any] | None = None,
    ) -> bool:
        at = time.monotonic()
        with self._lock:
            until, before = self._present.get(group, {}).get(member, (at, {}))
            if instead_of is not None and instead_of != (before if until > at else {}):
                return False
            self._present.setdefault(group, {})[member] = (at + seconds, value)
        return True

    def expect_present(self, group: str, member: str, seconds: float) -> None:
        with self._lock:
            self._present.setdefault(group, {}).setdefault(member, (time.monotonic() + seconds, {}))

    def presence(self, group: str) -> dict[str, dict[str, Any]]:
        at = time.monotonic()
        with self._lock:
            return {m: value for m, (until, value) in self._present.get(group, {}).items() if until > at}

    def set_absent(self, group: str, member: str) -> None:
        with self._lock:
            self._remove(group, member)

    def take_lapsed(self) -> list[LapsedMember]:
        at = time.monotonic()
        with self._lock:
            gone = [
                LapsedMember(group, member, value)
                for group, members in self._present.items()
                for member, (until, value) in members.items()
                if until <= at
            ]
            for one in gone:
                self._remove(one.group, one.member)
        return gone

    def _remove(self, group: str, member: str) -> None:
        members = self._present.get(group, {})
        members.pop(member, None)
        if not members:
            self._present.pop(group, None)
