"""The load generator: keep-alive connections that each send their requests in turn. Standard library only.

One thread over epoll with requests prepared beforehand, so that it takes as little as possible of the machine that it
shares with the server.
"""

import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import cycle

CHUNK = 1 << 18
PATIENCE = 20.0
"""Seconds, at most, that answers are awaited after the time is over."""


@dataclass(frozen=True)
class Load:
    """`requests[n]` is what connection n sends, in turn and from the beginning again, until it is over."""

    port: int
    requests: list[list[str]]
    status: int = HTTPStatus.OK
    seconds: float = 2.0
    warm_up: float = 0.1
    least: int = 100
    """So many answers are awaited on a busy machine, though the time is over."""


@dataclass
class Result:
    """What came back: `answers` in `seconds` after the warm-up, and the `total` with the warm-up."""

    answers: int = 0
    total: int = 0
    wrong: int = 0
    seconds: float = 0.0
    example: str = ""

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


@dataclass
class Connection:
    """One connection, and what it has read of the present answer."""

    socket: socket.socket
    requests: Iterator[bytes]
    read: bytearray = field(default_factory=bytearray)

    def send(self) -> None:
        """Send the next request."""
        self.read.clear()
        self.socket.sendall(next(self.requests))

    def answer(self) -> bytes | None:
        """The whole answer as soon as it is there."""
        self.read += self.socket.recv(CHUNK)
        end = self.read.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.read[:end]).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        return bytes(self.read) if len(self.read) >= end + 4 + length else None


def apply(load: Load) -> Result:
    """Send for the given time; answers that arrive in the warm-up do not count."""
    poller, connections = select.epoll(), {}
    for requests in load.requests:
        opened = socket.create_connection(("127.0.0.1", load.port), 30)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poller.register(opened, select.EPOLLIN)
        connections[opened.fileno()] = Connection(opened, cycle([request.encode() for request in requests]))
    result, expected = Result(), f"HTTP/1.1 {int(load.status)} ".encode()
    begin = time.perf_counter() + load.warm_up
    end, latest = begin + load.seconds, begin + load.seconds + PATIENCE
    for connection in connections.values():
        connection.send()
    while (at := time.perf_counter()) < end or (result.answers < load.least and at < latest):
        for number, _ in poller.poll(max(0.01, end - at)):
            connection = connections[number]
            answer = connection.answer()
            if answer is None:
                continue
            result.total += 1
            if time.perf_counter() >= begin:
                result.answers += 1
            if not answer.startswith(expected):
                result.wrong += 1
                result.example = result.example or answer[:2000].decode(errors="replace")
            connection.send()
    result.seconds = time.perf_counter() - begin
    for connection in connections.values():
        connection.socket.close()
    return result
