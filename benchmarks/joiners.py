"""Nine o'clock: very many people press Join within seconds, in twenty rooms, while others look at pages and make rooms.

Unlike the load generator, which sends as fast as it is answered, people press when they press: everybody has a
moment of their own, and waits in a connection of their own.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass, field
from http import HTTPStatus

import sqlalchemy as sa

from benchmarks import clocks
from benchmarks.asking import Ask
from benchmarks.paths import ROOMS
from benchmarks.seeding import CODE, CROWDED
from benchmarks.sites import Site
from portal.db import session, transaction
from portal.rooms.models import Role
from portal.status.models import Participation, RoomStatus

WITHIN = 10.0
"""Seconds in which all press Join."""
PATIENCE = 120.0


@dataclass
class Joined:
    """What was measured. Times are seconds from pressing to the answer."""

    people: int
    last_in: float = 0.0
    """From the first press until the last one was in."""
    wrong: list[str] = field(default_factory=list)
    counted: int = 0
    """How many have come in by what the portal has noted."""
    pages: list[float] = field(default_factory=list)
    """Of the list of rooms, asked for all the time meanwhile."""
    made: list[float] = field(default_factory=list)
    """Of rooms made meanwhile below the same unlimited subscription."""
    cpu: float = 0.0
    """Seconds of processor time of portal and database, for all of it: what must fit into the cores meanwhile."""

    @property
    def page(self) -> float:
        """Within how many seconds 99 of 100 pages were answered."""
        return statistics.quantiles(self.pages, n=100)[-1] if len(self.pages) > 1 else 0.0

    @property
    def figures(self) -> dict[str, float]:
        """The measurements by name."""
        made = {"made": len(self.made), "slowest_made": max(self.made, default=0.0)}
        people = {"people": self.people, "counted": self.counted, "wrong": len(self.wrong), "last_in": self.last_in}
        return {**people, "page": self.page, **made, "cpu": self.cpu}

    @property
    def report(self) -> str:
        """The lines of the report."""
        example = f": {self.wrong[0]!r}" if self.wrong else ""
        return "\n".join(
            [
                f"{self.people} people press Join within {WITHIN:.0f} s",
                f"  the last one is in after {self.last_in:.1f} s           at most 15 s",
                f"  wrong answers {len(self.wrong)}{example}, noted as come in {self.counted}",
                f"  99 of 100 pages meanwhile within {self.page:.2f} s   at most 1 s",
                f"  slowest of {len(self.made)} new rooms meanwhile {max(self.made, default=0.0):.2f} s",
                f"  CPU in all {self.cpu:.1f} s",
            ]
        )


def join(site: Site, people: int) -> Joined:
    """Let so many people press Join, half of them with a code, and measure."""
    presses = []
    for number in range(people):
        at, coded = number % CROWDED - CROWDED, number // CROWDED % 2 == 1
        role, fields = (Role.ATTENDEE, {"code": CODE}) if coded else (Role.GUEST, {})
        room = site.seeded.rooms[at]
        device = site.device(room, site.seeded.tokens[role][at])
        presses.append(Ask(device, room.path, {"name": f"Person {number}", **fields}))
    result = Joined(people)
    before, spent = _came(site), clocks.cpu(*site.roots(site.port))
    asyncio.run(_all(site, presses, result))
    result.cpu = clocks.cpu(*site.roots(site.port)) - spent
    result.counted = _came(site) - before
    result.wrong += _miscounted(site)
    return result


async def _all(site: Site, presses: list[Ask], result: Joined) -> None:
    begin, over = time.perf_counter(), asyncio.Event()

    async def press(number: int, ask: Ask) -> None:
        await asyncio.sleep(number * WITHIN / len(presses))
        await _answered(site, ask, HTTPStatus.SEE_OTHER, result)
        result.last_in = max(result.last_in, time.perf_counter() - begin)

    async def again(ask: Ask, status: HTTPStatus, pause: float, times: list[float]) -> None:
        while not over.is_set():
            sent = time.perf_counter()
            await _answered(site, ask, status, result)
            times.append(time.perf_counter() - sent)
            await asyncio.sleep(pause)

    room = Ask(site.owner, f"{ROOMS}/new", {"room_name": "Bench"})
    async with asyncio.TaskGroup() as meanwhile:
        meanwhile.create_task(again(Ask(site.owner, ROOMS), HTTPStatus.OK, 0.1, result.pages))
        meanwhile.create_task(again(room, HTTPStatus.SEE_OTHER, 0.5, result.made))
        await asyncio.gather(*(press(number, ask) for number, ask in enumerate(presses)))
        over.set()


async def _answered(site: Site, ask: Ask, status: HTTPStatus, result: Joined) -> None:
    """Send one request in a connection of its own, and note an answer that is not the expected one."""
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(ask.text.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).encode())
            answer = await reader.read(-1)
            writer.close()
    except (OSError, TimeoutError) as error:
        result.wrong.append(repr(error))
        return
    if not answer.startswith(f"HTTP/1.1 {int(status)} ".encode()):
        result.wrong.append(answer[:300].decode(errors="replace"))


def _came(site: Site) -> int:
    """How many have ever come in, into all rooms: on a slow machine the first are missed before the last are in."""
    with site.app.app_context(), transaction():
        return session.scalar(sa.select(sa.func.count()).select_from(Participation)) or 0


def _miscounted(site: Site) -> list[str]:
    """What is wrong in the stored statuses of the rooms: each says how many are in."""
    present = sa.func.count(Participation.uuid)
    inside = (
        sa.select(RoomStatus.room_uuid, RoomStatus.count, present)
        .outerjoin(
            Participation, sa.and_(Participation.room_uuid == RoomStatus.room_uuid, Participation.left_at.is_(None))
        )
        .where(RoomStatus.room_uuid.in_([room.uuid for room in site.seeded.rooms[-CROWDED:]]))
        .group_by(RoomStatus.room_uuid, RoomStatus.count)
        .having(present != RoomStatus.count)
    )
    with site.app.app_context(), transaction():
        return [
            f"room {room}: {count} by its status, {number} are in" for room, count, number in session.execute(inside)
        ]
