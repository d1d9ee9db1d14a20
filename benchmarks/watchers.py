"""Measuring event streams: thousands watch rooms. How soon does the last one hear of a change, and at what cost?"""

import http.client
import resource
import select
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from http import HTTPStatus
from uuid import UUID

from benchmarks import clocks
from benchmarks.paths import ROOMS
from benchmarks.sites import Browser, Site
from portal.rooms.models import Role, Room
from portal.web.sse import MOST_STREAMS

PATIENCE = 30.0


@dataclass(frozen=True)
class Watched:
    """The measurements. CPU and memory are those of the portal's processes."""

    watchers: int
    rooms: int
    last_told: float
    """Seconds from the change until the last watcher heard of it: the median of several changes."""
    cpu: float
    """Seconds for one watcher and one change, without those that the change itself takes where nobody watches."""
    memory: float
    """Bytes for one stream."""
    idle: float
    """Share of one core while nothing happens."""
    slowest_page: float
    """Seconds, of the pages that somebody asked for, one after the other, while watchers were being told."""

    @property
    def figures(self) -> dict[str, float]:
        """The measurements by name."""
        return asdict(self)

    @property
    def report(self) -> str:
        """The lines of the report."""
        told = 60 if self.rooms == 1 else 600
        return "\n".join(
            [
                f"{self.watchers} watchers of {self.rooms} room{'s' if self.rooms > 1 else ''}",
                f"  the last is told after {self.last_told * 1000:.0f} ms           at most {told} ms",
                f"  CPU per stream {self.cpu * 1e6:.0f} µs                  at most 60 µs",
                f"  memory per stream {self.memory / 1000:.0f} KB              at most 25 KB",
                f"  CPU while nothing happens {self.idle * 100:.1f} %     about 0",
                f"  slowest page meanwhile {self.slowest_page * 1000:.0f} ms",
            ]
        )


@dataclass(frozen=True)
class Audience:
    """Who watches what: so many streams by each of `names`, and the rooms that change, with a link for each."""

    names: list[str]
    each: int
    rooms: list[tuple[Room, UUID]]

    @property
    def size(self) -> int:
        """How many watch."""
        return len(self.names) * self.each


def one_room(site: Site, watchers: int) -> Audience:
    """The owner's people, who all hear of one room."""
    return Audience(["alice"], watchers, [(site.seeded.rooms[0], site.seeded.tokens[Role.GUEST][0])])


def many_rooms(site: Site, watchers: int) -> Audience:
    """The small owners' people, each of whom hears of one room, while all rooms change."""
    makers = site.seeded.makers
    return Audience(
        [maker.name for maker in makers], watchers // len(makers), [(maker.room, maker.token_uuid) for maker in makers]
    )


def watch(site: Site, audience: Audience, changes: int) -> Watched:
    """Open the streams, change the rooms several times, and measure.

    Pages are asked for at every second change; processor time is counted at the others.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 2 * audience.size), hard), hard))
    _change_all(site, audience, 0)  # what is done once is done
    spent = clocks.cpu(site.pid)
    _change_all(site, audience, 1)
    alone = clocks.cpu(site.pid) - spent
    before = clocks.memory(site.pid)
    poller, streams = select.epoll(), {}
    for name in audience.names:
        for number in range(audience.each):
            if number % MOST_STREAMS == 0:
                browser = Browser(site.port).sign_in(name)
            stream = socket.create_connection(("127.0.0.1", site.port), 30)
            stream.sendall(browser.request("GET", "/manage/live").encode())
            poller.register(stream, select.EPOLLIN)
            streams[stream.fileno()] = stream
    _hear(poller, streams, b"event: hello")
    used = clocks.memory(site.pid) - before
    begin, spent = time.monotonic(), clocks.cpu(site.pid)
    time.sleep(5)
    idle = (clocks.cpu(site.pid) - spent) / (time.monotonic() - begin)
    took: list[float] = []
    cost: list[float] = []
    pages: list[float] = []
    for number in range(2, 2 + 2 * changes):
        _quiet(poller, streams)
        spent = clocks.cpu(site.pid)
        with _asking_for_pages(site, pages) if number % 2 else nullcontext():
            sent = _change_all(site, audience, number)
            took.append(_hear(poller, streams, b"event: room") - sent)
        if number % 2 == 0:
            cost.append(clocks.cpu(site.pid) - spent - alone)
    for stream in streams.values():
        stream.close()
    return Watched(
        audience.size,
        len(audience.rooms),
        statistics.median(took),
        statistics.mean(cost) / audience.size,
        used / audience.size,
        idle,
        max(pages),
    )


def _change_all(site: Site, audience: Audience, number: int) -> float:
    """One guest more in each room. Returns when the last change was asked for."""
    for room, token_uuid in audience.rooms:
        guest = site.device(room, token_uuid)
        at = time.perf_counter()
        status, _, text = guest.open(room.path, {"name": f"Gus {number}"})
        assert status == HTTPStatus.SEE_OTHER, text
    return at


@contextmanager
def _asking_for_pages(site: Site, times: list[float]) -> Iterator[None]:
    """Ask for the list of rooms again and again while the block runs, and note how long each answer took."""
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            at = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
            connection.request("GET", ROOMS, headers={"Cookie": site.owner.cookie})
            answer = connection.getresponse()
            assert answer.status == HTTPStatus.OK, answer.status
            answer.read()
            connection.close()
            times.append(time.perf_counter() - at)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield
        finally:
            over.set()
        asking.result()


def _hear(poller: select.epoll, streams: dict[int, socket.socket], word: bytes) -> float:
    """Wait until every stream has sent `word`. Returns when the last one did."""
    missing, deadline = set(streams), time.monotonic() + PATIENCE
    while missing:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(missing)} of {len(streams)} watchers did not hear {word.decode()}")
        for number, _ in poller.poll(1):
            if word in streams[number].recv(1 << 16):
                missing.discard(number)
    return time.perf_counter()


def _quiet(poller: select.epoll, streams: dict[int, socket.socket]) -> None:
    """Read what is left, until nothing more comes, for two seconds at most: many streams are never silent."""
    until = time.monotonic() + 2
    while time.monotonic() < until and (ready := poller.poll(0.3)):
        for number, _ in ready:
            streams[number].recv(1 << 16)
