"""`python -m benchmarks`: one line per path as `path ratio sql`, each beside its budget."""

import argparse
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path as Folder

from benchmarks import load, watchers
from benchmarks.paths import PATHS, Path
from benchmarks.sites import Site, site
from portal.db import db
from tests import servers
from tests.statements import statements

CONNECTIONS = 16
LARGE, SMALL = 100_000, 1_000


def main() -> None:
    """Measure the paths that the command line selects, and print the report."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter rounds: a rougher answer")
    parser.add_argument("--only", default="", help="paths whose name contains this")
    parser.add_argument("--rooms", type=int, default=LARGE, help="how many rooms the large portal has")
    parser.add_argument("--no-watchers", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that servers and databases end with it
    paths = [path for path in PATHS if options.only in path.name]
    rounds, seconds = (3, 1.0) if options.quick else (5, 2.0)
    with ExitStack() as opened:
        folder = Folder(opened.enter_context(tempfile.TemporaryDirectory(prefix="foyer-bench-")))
        postgres = opened.enter_context(servers.postgres(folder / "postgres"))
        redis = opened.enter_context(servers.valkey(folder / "valkey")).rpartition("/")[0]
        sites = {
            small: opened.enter_context(
                site(folder / name, database=servers.new_database(postgres), redis=f"{redis}/{number}", rooms=rooms)
            )
            for small, name, number, rooms in ((False, "large", 0, options.rooms), (True, "small", 1, SMALL))
            if any(path.small is small for path in paths)
        }
        print(f"{'path':<22}{'ratio':>8}{'sql':>5}   budget   requests/s, bare page's", flush=True)
        for path in paths:
            for line in measured(path, sites[path.small], rounds, seconds):
                print(line, flush=True)
        if not options.no_watchers and False in sites:
            large = sites[False]
            print(f"{'memory, two workers':<22}{watchers.memory(large) / 1e6:>6.0f} MB   at most 200 MB", flush=True)
            print(watchers_report(watchers.watch(large, 1000, changes=5 if options.quick else 10)), flush=True)


def measured(path: Path, target: Site, rounds: int, seconds: float) -> Iterator[str]:
    """The path's line of the report, after A/B/A/B rounds of the bare page and the path."""
    bare_request = "\r\n".join(["GET / HTTP/1.1", "Host: 127.0.0.1", "", ""])
    bare = load.Load(target.bare_port, [bare_request] * CONNECTIONS, seconds=seconds)
    ours = load.Load(target.port, path.requests(target, CONNECTIONS), path.status, seconds)
    ratios, speeds, bare_speeds = [], [], []
    for _ in range(rounds):
        reference, result = load.run(bare), load.run(ours)
        if result.wrong or reference.wrong:
            yield f"{path.name}: {result.wrong} wrong answers, such as {result.example[:300]!r}"
            return
        ratios.append(result.per_second / reference.per_second)
        speeds.append(result.per_second)
        bare_speeds.append(reference.per_second)
    sql = counted(path, target)
    ratio = statistics.median(ratios)
    mark = "" if ratio >= path.ratio and sql <= path.statements else "  <- over budget"
    yield (
        f"{path.name:<22}{ratio:>8.2f}{sql:>5}   {path.ratio:.2f} {path.statements:>2}"
        f"   {statistics.median(speeds):>6.0f} {statistics.median(bare_speeds):>6.0f}{mark}"
    )


def counted(path: Path, target: Site) -> int:
    """How many SQL statements the path's request takes, counted in an app of this process on the same database."""
    browser = path.browsers(target, 1)[0]
    kind, body = browser.body(path.fields)
    with target.app.app_context():
        engine = db.engine
    client = target.app.test_client(use_cookies=False)
    for _ in range(2):  # the first may do what is done once, such as asking the database what it can
        with statements(engine) as seen:
            address = path.address(target, 0)
            answer = client.open(
                address, method=path.method, data=body, content_type=kind or None, headers=browser.credential
            )
        assert answer.status_code == path.status, answer.text
    return len(seen)


def watchers_report(seen: watchers.Watched) -> str:
    """The lines of the report about event streams."""
    return "\n".join(
        [
            f"{seen.watchers} watchers of one room",
            f"  the last is told after {seen.last_told * 1000:.0f} ms           at most 100 ms",
            f"  CPU per stream {seen.cpu * 1e6:.0f} µs                  at most 60 µs",
            f"  memory per stream {seen.memory / 1000:.0f} KB              at most 40 KB",
            f"  CPU while nothing happens {seen.idle * 100:.1f} %     about 0",
            f"  slowest page meanwhile {seen.slowest_page * 1000:.0f} ms",
        ]
    )


if __name__ == "__main__":
    main()
