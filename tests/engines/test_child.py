"""A child keeps within its bounds, and ends with whoever started it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.engines.child import Bounds, NotWanted, TookTooLong, run

PYTHON = [sys.executable, "-I", "-S", "-c"]
BOUNDS = Bounds(seconds=30, file_size=1000, cpu_seconds=5)


def test_a_child_has_nothing_of_our_environment_and_no_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEYS", "of the portal")
    heard: list[str] = []
    code = "import os, sys; print(sorted(os.environ)); print(repr(sys.stdin.read())); print(os.getcwd())"
    ended = run([*PYTHON, code], folder=tmp_path, bounds=BOUNDS, hear=heard.append)
    assert ended.code == 0
    assert "SECRET_KEYS" not in heard[0]
    assert heard[1:] == ["''", str(tmp_path)]


def test_a_child_reaches_no_network_where_the_system_lets_it_be_without(tmp_path: Path) -> None:
    allowed = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0
    if not allowed:
        pytest.skip("UNPROVEN: this system gives no network of its own to who asks, so a child may reach one")
    heard: list[str] = []
    run(
        [*PYTHON, "import os; print(os.readlink('/proc/self/ns/net'))"],
        folder=tmp_path,
        bounds=BOUNDS,
        hear=heard.append,
    )
    assert heard != [str(Path("/proc/self/ns/net").readlink())]


def test_a_child_is_bounded_in_what_it_writes_and_takes(tmp_path: Path) -> None:
    written = run([*PYTHON, "open('x', 'wb', 0).write(bytes(2000))"], folder=tmp_path, bounds=BOUNDS)
    assert written.code == 0
    assert (tmp_path / "x").stat().st_size <= 1000
    taken = run([*PYTHON, "bytes(8 << 30)"], folder=tmp_path, bounds=BOUNDS)
    assert taken.code == 1
    assert "MemoryError" in taken.said


@pytest.mark.parametrize(
    ("said", "full"),
    [
        ("x.m4s: No space left on device\\nConversion failed!", True),
        ("    title           : No space left on device", False),
        ("    title : ' + 'x' * 9984 + 'No space left on device", False),
    ],
    ids=["told", "title", "end of a long title"],
)
def test_what_a_file_says_of_itself_is_not_what_the_tool_says(tmp_path: Path, said: str, full: bool) -> None:
    ended = run([*PYTHON, f"import sys; sys.stderr.write('{said}\\n')"], folder=tmp_path, bounds=BOUNDS)
    assert ended.disk_full is full


def test_a_child_is_ended_when_its_time_is_over_or_nobody_wants_it(tmp_path: Path) -> None:
    sleep = [*PYTHON, "import time; time.sleep(60)"]
    with pytest.raises(TookTooLong):
        run(sleep, folder=tmp_path, bounds=Bounds(seconds=0.2, file_size=1000))
    with pytest.raises(NotWanted):
        run(sleep, folder=tmp_path, bounds=BOUNDS, wanted=lambda: False)


def test_a_child_is_ended_by_what_its_listener_raises(tmp_path: Path) -> None:
    def hear(line: str) -> None:
        raise LookupError(line)

    talks = [*PYTHON, "import time\nprint('begun', flush=True)\ntime.sleep(60)"]
    began = time.monotonic()
    with pytest.raises(LookupError, match="begun"):
        run(talks, folder=tmp_path, bounds=BOUNDS, hear=hear)
    assert time.monotonic() - began < 20


PARENT = """
import os, sys, threading
if sys.argv[2] == "gevent":
    from gevent import monkey
    monkey.patch_all()
from pathlib import Path
from portal.engines.child import Bounds, run
code = "import os, time; open('pid', 'w').write(str(os.getpid())); print('begun', flush=True); time.sleep(60)"
say = lambda line: print(line, flush=True)
work = lambda: run([sys.executable, "-I", "-S", "-c", code], folder=Path(sys.argv[1]),
    bounds=Bounds(seconds=60, file_size=10**6), hear=say)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("how", ["gevent", "threads"])
def test_a_child_dies_with_a_process_that_is_killed(tmp_path: Path, how: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), how], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"begun\n"
    child = int((tmp_path / "pid").read_text())
    parent.kill()
    parent.wait()
    until = time.monotonic() + 10
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
