"""What the benchmark makes of its measurements."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import clocks
from benchmarks.__main__ import selected_paths
from benchmarks.figures import compared
from benchmarks.paths import PATHS
from benchmarks.profiling import Profile, component_of, working


@pytest.mark.parametrize(
    ("call", "component"),
    [
        ("sqlalchemy.orm.session:Session.flush", "sqlalchemy.orm"),
        ("sqlalchemy.ormolu:any", "sqlalchemy core"),
        ("sqlalchemy.engine.base:Connection.execute", "sqlalchemy core"),
        ("sqlalchemy.engine.default:DefaultDialect.do_execute", "psycopg, sqlite3"),
        ("portal.audit.recording:record", "portal.audit"),
        ("portal.db:read", "portal.db"),
        ("portal.throttling:limit", "redis, limits"),
        ("uuid:UUID.__init__", None),
    ],
)
def test_a_call_belongs_to_the_component_with_the_longest_name_that_fits(call: str, component: str | None) -> None:
    assert component_of(call) == component


def test_pythons_library_works_for_its_caller() -> None:
    assert working(("portal.db:read", "portal.rooms.reads:read", "uuid:UUID.__init__")) == "portal.rooms.reads:read"
    assert working(("threading:run",)) == "threading:run"


def test_a_profile_shares_the_time_among_components() -> None:
    stacks = Counter(
        {
            ("portal.audit.recording:record", "sqlalchemy.engine.base:execute", "uuid:UUID"): 3,
            ("portal.audit.recording:record",): 1,
        }
    )
    lines = [line.split() for line in Profile("join", portal=8.0, database=2.0, stacks=stacks).report.splitlines()]
    assert ["sqlalchemy", "core", "6.000", "75.0%", "6.000", "75.0%"] in lines
    assert ["portal.audit", "2.000", "25.0%", "8.000", "100.0%"] in lines


def test_a_quick_run_has_the_desk_only_when_it_is_named() -> None:
    desk = [path for path in PATHS if path.desk]
    assert selected_paths(only="", quick=False) == PATHS
    assert selected_paths(only="", quick=True) == [path for path in PATHS if not path.desk]
    assert selected_paths(only="desk", quick=True) == desk == [path for path in PATHS if path.name.startswith("desk")]


def test_two_runs_are_compared_by_what_both_measured(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    join = {"path": "join", "to_bare": 0.10, "sql": 9}
    old.write_text(
        json.dumps({"run": {"database": "SQLite"}, "paths": [join], "crowds": {"many": {"last": 2.0, "gone": 1}}})
    )
    faster = [{**join, "to_bare": 0.15, "sql": 8}, {**join, "path": "added"}]
    new.write_text(
        json.dumps(
            {
                "run": {"database": "PostgreSQL"},
                "paths": faster,
                "crowds": {"many": {"last": 1.0}, "added": {"last": 1}},
            }
        )
    )
    run, _head, line, crowd = compared(old, new)
    assert run == "database SQLite → database PostgreSQL"
    assert line.split() == ["join", "0.10", "0.15", "+50%", "9", "→", "8"]
    assert crowd == "many, last: 2 → 1"


def test_the_processor_time_of_a_process_has_that_of_the_children_it_has_waited_for() -> None:
    before = clocks.cpu(os.getpid())
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"], check=True)
    ended = clocks.cpu(os.getpid())
    while clocks.cpu(os.getpid()) < ended + 0.1:
        pass
    assert ended - before > 0.4
