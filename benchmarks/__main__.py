"""`python -m benchmarks [NAME …]`: run all benchmarks, or those named, and close with one table of their ratios.

Each module of this folder is a program of its own, run one after the other so that none disturbs another. What it
prints is passed on; every line like `ratio: 1 GiB over lftp | 1.31 | >= 1.2` (work, measured, target) goes into the
table. A module that cannot run (a peer is missing) says so and the rest goes on.
"""

from __future__ import annotations

import operator
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
RATIO = re.compile(r"ratio: (?P<work>.+?) \| (?P<measured>[0-9.]+)(?: \| (?P<sense>>=|<=) (?P<target>[0-9.]+))?")
SENSES = {">=": operator.ge, "<=": operator.le}


def main(wanted: list[str]) -> int:
    """Run the benchmarks; 1 when a name is unknown or a module failed, whatever the ratios are."""
    there = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    unknown = set(wanted) - set(there)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(there)}", file=sys.stderr)
        return 1
    rows: list[tuple[str, ...]] = []
    failed = []
    for name in wanted or there:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        code, found = run(name)
        rows += [(name, *row) for row in found]
        if code:
            failed.append(name)
        print(f"== {name}: {'failed' if code else 'done'} in {time.monotonic() - began:.0f} s\n", flush=True)
    show(rows)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


def run(name: str) -> tuple[int, list[tuple[str, ...]]]:
    """Run one module, passing on what it prints; its exit code and the table's rows."""
    command = [sys.executable, "-u", str(HERE / f"{name}.py")]
    found = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            match = RATIO.fullmatch(line.strip())
            if match:
                found.append(judged(match))
    return process.returncode, found


def judged(match: re.Match[str]) -> tuple[str, ...]:
    """A row of the table."""
    if match["sense"] is None:
        return match["work"], match["measured"], "", ""
    is_met = SENSES[match["sense"]](float(match["measured"]), float(match["target"]))
    return match["work"], match["measured"], f"{match['sense']} {match['target']}", "met" if is_met else "MISSED"


def show(rows: list[tuple[str, ...]]) -> None:
    """Print the rows as a table."""
    table = [("benchmark", "work", "ratio", "target", ""), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
