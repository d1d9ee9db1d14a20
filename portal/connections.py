"""The connections of one web process, and which of them the server ends when there are too many.

Each connection uses a slot, and is in one of three states:

* unfinished: it is new, or a part of a request has come and the rest has not. A new connection counts from its first
  moment, so a TLS handshake that stops and a client that never sends a byte are unfinished too.
* answering: the request has come in full. The server never ends these, however many event streams a school behind one
  address has open.
* idle: the answer is complete, and no byte of the next request has come. Browsers keep several such connections for
  each person.

An unfinished request costs its client nothing, so one network may have a part of all slots for unfinished requests and
no more. Idle connections do not count there: otherwise the browsers of one school would use up its part.

When nearly all slots are in use, each new connection ends another one: the connection that is idle for longest, else
the unfinished one that is longest without progress. A body that arrives at the required rate makes progress with each
piece, so an upload outlasts the clients that have stopped sending.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

NETWORK_PART = 10  # one network may use the tenth part of all slots for unfinished requests
CROWDED = 0.95  # the share of slots in use above which each new connection ends another one


@dataclass(eq=False, slots=True)
class Slot:
    """One connection. `network` is that of its client, None if it is not known. `end` closes the connection at once."""

    network: str | None
    end: Callable[[], None]


@dataclass
class Slots:
    """The slots of one process: at most `most`.

    `_unfinished` and `_idle` are ordered sets: the first slot in them is the first that is ended. A slot that has been
    ended or removed stays so, whatever is marked afterwards.
    """

    most: int
    _used: set[Slot] = field(default_factory=set)
    _idle: dict[Slot, None] = field(default_factory=dict)
    _unfinished: dict[Slot, None] = field(default_factory=dict)
    _unfinished_of_network: dict[str, dict[Slot, None]] = field(default_factory=dict)
    _closed: bool = False

    def add(self, slot: Slot) -> None:
        """A connection is new."""
        self._used.add(slot)
        if len(self._used) > self.most * CROWDED:
            self._end_first(self._idle or self._unfinished)
        self.mark_unfinished(slot)

    def mark_unfinished(self, slot: Slot) -> None:
        """A part of a request has come. The slot becomes the last of the unfinished ones."""
        self.mark_answering(slot)
        if slot not in self._used:
            return
        self._unfinished[slot] = None
        if slot.network is None:
            return
        of_network = self._unfinished_of_network.setdefault(slot.network, {})
        of_network[slot] = None
        if len(of_network) > max(1, self.most // NETWORK_PART):
            self._end_first(of_network)

    def mark_received(self, slot: Slot) -> None:
        """Bytes have come: if the slot was idle, they begin its next request."""
        if slot in self._idle:
            self.mark_unfinished(slot)

    def mark_progress(self, slot: Slot) -> None:
        """A body comes at the required rate: its slot becomes the last of the unfinished ones."""
        if slot in self._unfinished:
            self.mark_unfinished(slot)

    def mark_answering(self, slot: Slot) -> None:
        """The request has come in full."""
        self._idle.pop(slot, None)
        self._unfinished.pop(slot, None)
        if slot.network is not None and (of_network := self._unfinished_of_network.get(slot.network)) is not None:
            of_network.pop(slot, None)
            if not of_network:
                del self._unfinished_of_network[slot.network]

    def mark_idle(self, slot: Slot) -> None:
        """The answer is complete, and no byte of the next request has come."""
        self.mark_answering(slot)
        if slot not in self._used:
            return
        self._idle[slot] = None
        if self._closed:
            self._end_first(self._idle)

    def remove(self, slot: Slot) -> None:
        """The connection has ended. Does nothing if the slot was removed before."""
        self.mark_answering(slot)
        self._used.discard(slot)

    def close(self) -> None:
        """The process is to end: end what is idle, now and later."""
        self._closed = True
        while self._idle:
            self._end_first(self._idle)

    def _end_first(self, slots: dict[Slot, None]) -> None:
        first = next(iter(slots), None)
        if first is not None:
            self.remove(first)
            first.end()
