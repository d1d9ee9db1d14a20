"""`python -m benchmarks`: a line for each path, and what very many people at once do to the portal."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import clocks, figures, joiners, stalled, watchers
from benchmarks.measuring import CONNECTIONS, HEAD, WrongAnswers, measured
from benchmarks.paths import PATHS
from benchmarks.paths import Path as MeasuredPath
from benchmarks.sites import Servers, Site, site
from tests import servers

LARGE, QUICK_LARGE, SMALL = 100_000, 20_000, 1_000
MEMORY = 200e6
CROWD, QUICK_CROWD = 2000, 500


def main() -> None:
    """Measure what the command line selects, print the report, and keep its figures."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter rounds, fewer rooms and people: a rougher answer")
    parser.add_argument("--only", default="", help="paths whose name contains this, and nothing else")
    parser.add_argument("--rooms", type=int, help=f"how many rooms the large portal has: {LARGE}, quick {QUICK_LARGE}")
    parser.add_argument("--sqlite", action="store_true", help="the portal as it is shipped: one process and SQLite")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that servers and databases end with it
    paths = [path for path in PATHS if options.only in path.name]
    rooms = options.rooms or (QUICK_LARGE if options.quick else LARGE)
    began = time.monotonic()
    kept = []
    with tempfile.TemporaryDirectory(prefix="foyer-bench-") as folder, _servers(Path(folder), options.sqlite) as server:
        for small in (False, True):  # one after the other, so that a database has connections enough for each
            own = [path for path in paths if path.small is small]
            if not own:
                continue
            with site(Path(folder), server, rooms=SMALL if small else rooms, connections=CONNECTIONS) as portal:
                kept += _paths(own, portal, *((2, 0.6) if options.quick else (3, 1.2)))
                if not small and not options.only:
                    _crowds(portal, quick=options.quick)
    print(f"took {time.monotonic() - began:.0f} s, kept in {figures.keep(kept)}")


@contextmanager
def _servers(folder: Path, sqlite: bool) -> Iterator[Servers]:
    """What portals need beside them: PostgreSQL and Valkey; or nothing, with SQLite."""
    if sqlite:
        yield Servers()
        return
    with servers.postgres(folder / "postgres") as postgres, servers.valkey(folder / "valkey") as redis:
        postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        yield Servers(postgres, redis, postmaster)


def _paths(paths: list[MeasuredPath], portal: Site, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Print a line for each path; their figures."""
    print(HEAD, flush=True)
    kept = []
    for path in paths:
        try:
            line = measured(path, portal, rounds, seconds)
        except WrongAnswers as wrong:
            print(f"{path.name}: {wrong}", flush=True)
            continue
        print(line.line, flush=True)
        kept.append(line.as_json())
    return kept


def _crowds(portal: Site, *, quick: bool) -> None:
    """Print what memory the portal has after all paths, and how it stands very many people at once."""
    used, private = clocks.memory(portal.pid), clocks.private_memory(portal.pid)
    over = "" if used <= MEMORY else "  <- over budget"
    print(f"memory {used / 1e6:.0f} MB, {private / 1e6:.0f} MB of it private   at most {MEMORY / 1e6:.0f} MB{over}")
    print(joiners.join(portal, QUICK_CROWD if quick else CROWD).report, flush=True)
    print(watchers.watch(portal, watchers.one_room(portal, 1000), 5 if quick else 10).report, flush=True)
    print(stalled.stall(portal, 6000, watchers=200).report, flush=True)
    if not quick:
        print(watchers.watch(portal, watchers.many_rooms(portal, 10_000), 5).report, flush=True)


if __name__ == "__main__":
    main()
