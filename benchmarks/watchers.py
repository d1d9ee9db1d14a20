"""Measuring event streams: a thousand watch one room. How soon does the last one hear of a change, and at what cost?"""

import http.client
import os
import resource
import select
import socket
import statistics
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from benchmarks.paths import ROOMS
from benchmarks.seeding import CODE
from benchmarks.sites import Browser, Site
from portal.web.sse import MOST_STREAMS

PATIENCE = 10.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Watched:
    """The measurements. CPU and memory are those of the portal's processes."""

    watchers: int
    last_told: float
    """Seconds from the change until the last watcher heard of it: the median of several changes."""
    cpu: float
    """Seconds for one watcher and one change."""
    memory: float
    """Bytes for one stream."""
    idle: float
    """Share of one core while nothing happens."""
    slowest_page: float
    """Seconds, of the pages asked for while watchers were being told."""


def processes(site: Site) -> list[int]:
    """The ids of the portal's processes: gunicorn's arbiter and its workers."""
    assert site.portal.process is not None
    parent = site.portal.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [parent, *map(int, children)]


def memory(site: Site) -> int:
    """The bytes that the portal's processes use. What they share is counted once."""
    shares = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in processes(site)]
    return sum(int(line.split()[1]) * 1024 for share in shares for line in share.splitlines() if "Pss:" in line)


def cpu(site: Site) -> float:
    """The seconds of processor time that the portal's processes have used so far."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in processes(site)]
    return sum(int(field[11]) + int(field[12]) for field in fields) / TICKS


def watch(site: Site, watchers: int, changes: int) -> Watched:
    """Open the streams, change the room several times, and measure."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 2 * watchers), hard), hard))
    browsers = [Browser(site.port).sign_in("alice") for _ in range(-(-watchers // MOST_STREAMS))]
    before = memory(site)
    poller, streams = select.epoll(), {}
    for number in range(watchers):
        stream = socket.create_connection(("127.0.0.1", site.port), 30)
        stream.sendall(browsers[number // MOST_STREAMS].request("GET", "/manage/live").encode())
        poller.register(stream, select.EPOLLIN)
        streams[stream.fileno()] = stream
    _hear(poller, streams, b"event: hello")
    used = memory(site) - before
    begin, spent = time.monotonic(), cpu(site)
    time.sleep(5)
    idle = (cpu(site) - spent) / (time.monotonic() - begin)
    took, cost, pages = [], [], []
    for number in range(changes):
        _quiet(poller, streams)
        spent = cpu(site)
        sent = _change(site, number)
        pages.append(_page(site))
        took.append(_hear(poller, streams, b"event: room") - sent)
        cost.append(cpu(site) - spent)
    for stream in streams.values():
        stream.close()
    return Watched(
        watchers,
        statistics.median(took),
        sum(cost) / changes / watchers,
        used / watchers,
        idle,
        max(pages),
    )


def _change(site: Site, number: int) -> float:
    """One guest more, or one less, in one room. Returns when the change was asked for."""
    guest = site.coded[number]
    at = time.perf_counter()
    status, _, text = guest.open(site.seeded.rooms[number].path, {"name": "Gus", "code": CODE})
    assert status == HTTPStatus.SEE_OTHER, text
    return at


def _page(site: Site) -> float:
    at = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.request("GET", ROOMS, headers={"Cookie": site.owner.cookie})
    assert connection.getresponse().status == HTTPStatus.OK
    connection.close()
    return time.perf_counter() - at


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
    """Read what is left, until nothing more comes."""
    while ready := poller.poll(0.3):
        for number, _ in ready:
            streams[number].recv(1 << 16)
