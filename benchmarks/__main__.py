"""`python -m benchmarks`: a line for each path, and what very many people at once do to the portal."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks import clocks, figures, joiners, meeting, segments, stalled, watchers
from benchmarks.asking import Path as MeasuredPath
from benchmarks.measuring import HEAD, WrongAnswers, measured
from benchmarks.paths import PATHS
from benchmarks.profiling import profiled
from benchmarks.sites import Servers, Site, site
from tests import servers

MAKERS = 100
"""How many small owners the large portal has: the lists of rooms, measured in the small one, need none."""
LARGE, QUICK_LARGE, SMALL = 100_000, 20_000, 1_000
ROUNDS, QUICK_ROUNDS = (3, 0.8), (2, 0.3)
"""How many rounds each path has, and how many seconds each of the servers is asked in one."""
DESK_ROUNDS = 2, 0.5
"""The same for the desk's paths: with warming up, all eight take about a minute with 100,000 customers."""
QUICK_HELP = "shorter rounds, fewer rooms and people, and no desk paths unless --only names them: a rougher answer"


class Measured(Protocol):
    """What was measured of a crowd."""

    @property
    def figures(self) -> dict[str, float]:
        """The measurements by name."""
        ...

    @property
    def report(self) -> str:
        """The lines of the report."""
        ...


@dataclass(frozen=True)
class Crowd:
    """Very many at once, or what the portal's memory is after all paths. `quick`: also in a quick run."""

    name: str
    measure: Callable[[Site, bool], Measured]
    quick: bool = True


CROWDS = [
    Crowd("memory", lambda site, _quick: clocks.Memory(clocks.memory(site.pid), clocks.private_memory(site.pid))),
    Crowd("many join", lambda site, quick: joiners.join(site, 500 if quick else 2000)),
    Crowd("idle meeting", lambda site, quick: meeting.sit(site, 12, 9 if quick else 15)),
    Crowd("segments", lambda site, quick: segments.serve(site, 1 if quick else 3)),
    Crowd(
        "many watch one room",
        lambda site, quick: watchers.watch(site, watchers.one_room(site, 1000), 2 if quick else 5),
    ),
    Crowd("many stall", lambda site, quick: stalled.stall(site, 6000, watchers=200, seconds=5 if quick else 20)),
    Crowd(
        "many watch many rooms",
        lambda site, _quick: watchers.watch(site, watchers.many_rooms(site, 10_000), 2),
        quick=False,
    ),
]


def main() -> None:
    """Measure what the command line selects, print the report, and keep its figures; or compare two such files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=QUICK_HELP)
    parser.add_argument("--only", default="", help="paths and crowds whose name contains this, and nothing else")
    parser.add_argument("--rooms", type=int, help=f"how many rooms the large portal has: {LARGE}, quick {QUICK_LARGE}")
    parser.add_argument("--sqlite", action="store_true", help="the portal as it is shipped: one process and SQLite")
    parser.add_argument(
        "--profile",
        metavar="NAME",
        choices=[path.name for path in PATHS],
        help="only where the processor time of the path with this name goes, by component",
    )
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("OLD", "NEW"), help="two runs, by their files")
    options = parser.parse_args()
    if options.compare:
        print("\n".join(figures.compared(*options.compare)))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that servers and databases end with it
    options.rooms = options.rooms or (QUICK_LARGE if options.quick else LARGE)
    with tempfile.TemporaryDirectory(prefix="foyer-bench-") as folder, _servers(Path(folder), options.sqlite) as server:
        if options.profile:
            _profile(options.profile, Path(folder), server, options.rooms)
        else:
            _run(options, Path(folder), server)


def _run(options: argparse.Namespace, folder: Path, server: Servers) -> None:
    """Measure the selected paths and crowds, print the report, and keep its figures."""
    paths = selected_paths(only=options.only, quick=options.quick)
    crowds = [one for one in CROWDS if options.only in one.name and (one.quick or options.only or not options.quick)]
    rounds, seconds = QUICK_ROUNDS if options.quick else ROUNDS
    began = time.monotonic()
    database = "SQLite" if options.sqlite else "PostgreSQL"
    run = {"database": database, "rooms": options.rooms, "rounds": rounds, "seconds": seconds}
    kept: dict[str, Any] = {"run": run, "paths": [], "crowds": {}}
    for small in (False, True):  # one after the other, so that a database has connections enough for each
        own = [path for path in paths if path.small is small]
        own_crowds = [] if small else crowds
        if not own and not own_crowds:
            continue
        rooms, makers = (SMALL, 0) if small else (options.rooms, MAKERS)
        with site(folder, server, rooms=rooms, makers=makers, desk=any(path.desk for path in own)) as portal:
            kept["paths"] += _paths(own, portal, (rounds, seconds))
            kept["crowds"] |= _crowds(own_crowds, portal, quick=options.quick)
    print(f"took {time.monotonic() - began:.0f} s, kept in {figures.keep(kept)}")


def selected_paths(*, only: str, quick: bool) -> list[MeasuredPath]:
    """The paths that are measured: those whose name contains `only`, in a quick run the desk's only if it says so."""
    return [path for path in PATHS if only in path.name and (only or not (quick and path.desk))]


def _profile(name: str, folder: Path, server: Servers, rooms: int) -> None:
    """Print where the time of the path with this name goes."""
    path = next(path for path in PATHS if path.name == name)
    with site(folder, server, rooms=rooms, makers=MAKERS, desk=path.desk, sampled=True) as portal:
        print(profiled(path, portal).report)


@contextmanager
def _servers(folder: Path, sqlite: bool) -> Iterator[Servers]:
    """What portals need beside them: PostgreSQL and Valkey; or nothing, with SQLite."""
    if sqlite:
        yield Servers()
        return
    with servers.postgres(folder / "postgres", durable=True) as postgres, servers.valkey(folder / "valkey") as redis:
        postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        yield Servers(postgres, redis, postmaster)


def _paths(paths: list[MeasuredPath], portal: Site, rounds: tuple[int, float]) -> list[dict[str, Any]]:
    """Print a line for each path; their figures."""
    if paths:
        print(HEAD, flush=True)
    kept = []
    for path in paths:
        try:
            line = measured(path, portal, *(DESK_ROUNDS if path.desk else rounds))
        except WrongAnswers as wrong:
            print(f"{path.name}: {wrong}", flush=True)
            continue
        print(line.line, flush=True)
        kept.append(line.as_json())
    return kept


def _crowds(crowds: list[Crowd], portal: Site, *, quick: bool) -> dict[str, dict[str, float]]:
    """Print what is measured of each crowd; its figures by the crowd's name."""
    kept = {}
    for crowd in crowds:
        portal.send_out()
        measured_crowd = crowd.measure(portal, quick)
        print(measured_crowd.report, flush=True)
        kept[crowd.name] = measured_crowd.figures
    return kept


if __name__ == "__main__":
    main()
