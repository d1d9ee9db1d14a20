"""Requests that do not go on: thousands of connections from one address, each with one byte of a body.

Watchers, who are all behind one other address, and pages asked for from two more, should notice nothing of them. The
clients that stall run in a process of their own, `python -m benchmarks.stalled`; one that is ended comes back.
"""

import asyncio
import contextlib
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from benchmarks import clocks
from benchmarks.paths import ROOMS
from benchmarks.sites import FORM, Browser, Site
from portal.web.sse import MOST_STREAMS

STALLING, WATCHING, NEAR, FAR = "127.0.0.2", "127.0.0.3", "127.0.0.3", "127.0.0.4"
"""The addresses of the stalled, of the watchers with somebody signed in, and of somebody who is not."""
STALLED = f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\nContent-Length: 1000\r\n\r\nx"
BACK_AFTER = 10.0
"""Seconds after which a client whose connection was ended comes back."""
PATIENCE = 30.0


@dataclass
class Stalled:
    """What was measured. Times are seconds from asking to the end of the answer."""

    connections: int
    watchers: int
    seconds: float
    livez: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lost: int = 0
    """Watchers whose stream ended."""
    cpu: float = 0.0
    """Share of one core that the portal needed."""

    @property
    def figures(self) -> dict[str, float]:
        """The measurements by name."""
        slowest = {"livez": max(self.livez, default=0.0), "page": max(self.pages, default=0.0)}
        return {
            "connections": self.connections,
            **slowest,
            "wrong": len(self.wrong),
            "lost": self.lost,
            "cpu": self.cpu,
        }

    @property
    def report(self) -> str:
        """The lines of the report."""
        example = f": {self.wrong[0]!r}" if self.wrong else ""
        livez, page = self.figures["livez"] * 1000, self.figures["page"] * 1000
        return "\n".join(
            [
                f"{self.connections} stalled connections from one address for {self.seconds:.0f} s",
                f"  slowest /livez {livez:.0f} ms of {len(self.livez)}",
                f"  slowest page of somebody signed in {page:.0f} ms of {len(self.pages)}",
                f"  wrong answers {len(self.wrong)}{example}   none",
                f"  streams lost {self.lost} of {self.watchers}   none",
                f"  CPU {self.cpu * 100:.0f} % of a core",
            ]
        )


def stall(site: Site, connections: int, watchers: int, seconds: float) -> Stalled:
    """Open watchers' streams, then let so many connections stall for so long, and ask for pages meanwhile."""
    allow_files(2 * watchers)
    result = Stalled(connections, watchers, seconds)
    browsers = [Browser(site.port).sign_in("alice") for _ in range(-(-watchers // MOST_STREAMS))]
    asyncio.run(_measure(site, browsers, result))
    return result


def allow_files(wanted: int) -> None:
    """Let this process have so many connections open, as far as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, wanted), hard), hard))


async def _measure(site: Site, browsers: list[Browser], result: Stalled) -> None:
    streams = [
        await _opened(site.port, WATCHING, browsers[number // MOST_STREAMS].request("GET", "/manage/live"))
        for number in range(result.watchers)
    ]
    for reader, _ in streams:
        await reader.readuntil(b"event: hello")
    watching = [asyncio.create_task(_until_end(reader)) for reader, _ in streams]
    with _stalling(site.port, result.connections):
        over, spent = time.perf_counter() + result.seconds, clocks.cpu(site.pid)
        await asyncio.gather(
            *(
                _ask(by, address, path, over=over, times=times, wrong=result.wrong)
                for by, address, path, times in (
                    (Browser(site.port), FAR, "/livez", result.livez),
                    (site.owner, NEAR, ROOMS, result.pages),
                )
            )
        )
        result.cpu = (clocks.cpu(site.pid) - spent) / result.seconds
    result.lost = sum(task.done() for task in watching)
    for task in watching:
        task.cancel()
    for _, writer in streams:
        writer.close()


async def _ask(by: Browser, address: str, path: str, *, over: float, times: list[float], wrong: list[str]) -> None:
    """Ask again and again until `over`, each time in a new connection; note the times and the wrong answers."""
    request = by.request("GET", path).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
    while (sent := time.perf_counter()) < over:
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await _opened(by.port, address, request)
                answer = await reader.read(-1)
                writer.close()
        except (OSError, TimeoutError) as error:
            wrong.append(repr(error))
            continue
        times.append(time.perf_counter() - sent)
        if not answer.startswith(f"HTTP/1.1 {int(HTTPStatus.OK)} ".encode()):
            wrong.append(answer[:300].decode(errors="replace"))
        await asyncio.sleep(0.1)


async def _opened(port: int, address: str, send: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    writer.write(send.encode())
    return reader, writer


async def _until_end(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(1 << 16):
            pass


@contextlib.contextmanager
def _stalling(port: int, connections: int) -> Iterator[None]:
    """Let the connections stall, in a process of their own, while the block runs."""
    command = [sys.executable, "-m", "benchmarks.stalled", str(port), str(connections)]
    process = subprocess.Popen(command, cwd=Path(__file__).resolve().parent.parent, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # all have come once
        yield
    finally:
        process.kill()
        process.wait(10)


async def _stall_all(port: int, connections: int) -> None:
    """Stall for ever. Prints a line once all have connected."""
    came = 0

    async def one() -> None:
        nonlocal came
        first = True
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await _opened(port, STALLING, STALLED)
                if first:
                    came, first = came + 1, False
                    if came == connections:
                        print("all", flush=True)
                await _until_end(reader)
                writer.close()
            await asyncio.sleep(BACK_AFTER)

    await asyncio.gather(*(one() for _ in range(connections)))


if __name__ == "__main__":
    allow_files(2 * int(sys.argv[2]))
    asyncio.run(_stall_all(int(sys.argv[1]), int(sys.argv[2])))
