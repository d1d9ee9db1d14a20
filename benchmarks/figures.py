"""The figures of runs, kept in files; `python -m benchmarks --compare OLD NEW` prints two runs beside one another.

A file is JSON: `{"run": {…}, "paths": [{…}, …], "crowds": {name: {measurement: number, …}, …}}`. Of the run it is noted
on which database and with how many rooms and rounds of how many seconds it measured. Each of the paths has the fields
of `benchmarks.measuring.Figures`: its name as `path`; `to_bare`, `to_reference` and `reference_to_bare`, ratios of
processor time, of which higher is faster; `sql`, the number of statements; the budgets; `milliseconds` of processor
time for one request; requests `per_second`. Crowds have the `figures` of `Joined`, `Watched`, `Stalled` and `Memory`,
in seconds and bytes.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path("test-results")


def keep(figures: dict[str, Any]) -> Path:
    """Write a run's figures to a new file; returns it."""
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"bench-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    file.write_text(json.dumps(figures, indent=1))
    return file


def compared(old: Path, new: Path) -> list[str]:
    """One line for each path of both runs, the ratio to the bare page then and now, and its change; then the crowds.

    The first line says of both what they measured on: figures are comparable if that is the same.
    """
    runs = [json.loads(file.read_text()) for file in (old, new)]
    before = {line["path"]: line for line in runs[0]["paths"]}
    lines = [" → ".join(", ".join(f"{name} {value}" for name, value in run["run"].items()) for run in runs)]
    lines += [f"{'path':<22}{'then':>8}{'now':>8}{'change':>9}   sql"]
    for line in runs[1]["paths"]:
        if (then := before.get(line["path"])) is None:
            continue
        change = line["to_bare"] / then["to_bare"] - 1
        sql = f"{then['sql']} → {line['sql']}" if then["sql"] != line["sql"] else str(line["sql"])
        lines.append(f"{line['path']:<22}{then['to_bare']:>8.2f}{line['to_bare']:>8.2f}{change:>+9.0%}   {sql}")
    for crowd, measured in runs[1]["crowds"].items():
        known = runs[0]["crowds"].get(crowd, {})
        lines += [f"{crowd}, {name}: {known[name]:.4g} → {now:.4g}" for name, now in measured.items() if name in known]
    return lines
