"""What servers cost: the processor time and the memory of a process with all that it started, read from /proc.

Processor time is read instead of a stopwatch, because the load generator and the servers share the machine's cores. The
scheduler counts nanoseconds; the ticks that are in `stat` would be some percent of what a short round costs, as each
of twenty processes may be one off.
"""

import contextlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path

MOST_MEMORY = 200e6
TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """The process and everything that it started and that still runs, their threads' children included."""
    found = [pid]
    for parent in found:
        found += [int(child) for thread in _threads(parent) for child in _text(thread / "children").split()]
    return found


def cpu(*roots: int) -> float:
    """The seconds of processor time that these processes and all that they ever started have used so far."""
    return sum(map(_cpu, {pid for root in roots for pid in tree(root)}))


@dataclass(frozen=True)
class Memory:
    """What the portal's processes use, in bytes: all of it, and the part that only one process has."""

    used: int
    private: int

    @property
    def figures(self) -> dict[str, float]:
        """The measurements by name."""
        return asdict(self)

    @property
    def report(self) -> str:
        """The line of the report."""
        over = "" if self.used <= MOST_MEMORY else "  <- over budget"
        most = f"at most {MOST_MEMORY / 1e6:.0f} MB{over}"
        return f"memory {self.used / 1e6:.0f} MB, {self.private / 1e6:.0f} MB of it private   {most}"


def memory(root: int) -> int:
    """The bytes that the process and what it started use. What they share is counted once (PSS)."""
    return sum(_sum(pid, "Pss:") for pid in tree(root))


def private_memory(root: int) -> int:
    """The bytes that only one of these processes has, because it wrote them itself."""
    return sum(_sum(pid, "Private_Dirty:") for pid in tree(root))


def _cpu(pid: int) -> float:
    """Seconds of a process's threads that run, and, to a tick, of its children that have ended."""
    running = sum(int((_text(thread / "schedstat") or "0").split()[0]) for thread in _threads(pid))
    ended = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[13:15]
    return running / 1e9 + sum(map(int, ended)) / TICKS


def _threads(pid: int) -> list[Path]:
    """The folders of the process's threads; none if it has just ended."""
    with contextlib.suppress(FileNotFoundError):
        return list(Path(f"/proc/{pid}/task").iterdir())
    return []


def _sum(pid: int, word: str) -> int:
    lines = _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(word))


def _text(file: Path) -> str:
    """The file's text; "" if its process has just ended."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
