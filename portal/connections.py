"""The connections of one web process, and which of them gives way when there are too many.

A connection waits while its request has not come in full: from the start (and a TLS handshake) through the headers to
the end of the body, and again between two requests. It costs its client nothing to wait, so one network has a bounded
share of waiting connections, and where all places run short, the one that has waited longest gives way. Whoever is
being answered never does, however many event streams a school behind one address has open; and who sends his request at
once waits for milliseconds, so that it is never he who has waited longest.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

SHARE = 10  # one network may have this part of all places waiting
CROWDED = 0.95  # from this part of all places on, each newcomer takes the place of who has waited longest


@dataclass(eq=False)
class Place:
    """One connection. `network` is its client's, or None if that is not known; `give_way` ends it."""

    network: str | None
    give_way: Callable[[], None]


@dataclass
class Places:
    """The places of one process: at most `most`. Dicts keep who waits in the order in which they began to."""

    most: int
    _taken: set[Place] = field(default_factory=set)
    _waiting: dict[Place, None] = field(default_factory=dict)
    _of_network: dict[str, dict[Place, None]] = field(default_factory=dict)

    def take(self, place: Place) -> None:
        """A connection has come, and waits."""
        self._taken.add(place)
        if len(self._taken) > self.most * CROWDED:
            self._end_oldest(self._waiting)
        self.wait(place)

    def wait(self, place: Place) -> None:
        """A connection waits for a request, or for the rest of it."""
        self.answer(place)
        if place not in self._taken:
            return
        self._waiting[place] = None
        if place.network is None:
            return
        neighbours = self._of_network.setdefault(place.network, {})
        neighbours[place] = None
        if len(neighbours) > max(1, self.most // SHARE):
            self._end_oldest(neighbours)

    def answer(self, place: Place) -> None:
        """The request of a connection has come in full, so it waits no longer."""
        self._waiting.pop(place, None)
        if place.network is not None and (neighbours := self._of_network.get(place.network)) is not None:
            neighbours.pop(place, None)
            if not neighbours:
                del self._of_network[place.network]

    def leave(self, place: Place) -> None:
        """A connection has ended."""
        self.answer(place)
        self._taken.discard(place)

    def _end_oldest(self, waiting: dict[Place, None]) -> None:
        oldest = next(iter(waiting), None)
        if oldest is not None:
            self.leave(oldest)
            oldest.give_way()
