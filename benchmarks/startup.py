"""What it costs to start: `import govfile` over bare Python, and `govfile --help`.

    python benchmarks/startup.py

Runs are alternated, each row is the median of them; `import govfile` is given over the bare interpreter of the same
round, and the heavy packages that it must not load are looked for.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 15
HEAVY = ("OpenSSL", "SQLAlchemy", "sqlalchemy", "cryptography.x509", "lxml", "paramiko", "signxml", "typer", "zeep")
COMMANDS = {
    "bare": ["-c", "pass"],
    "import": ["-c", "import govfile"],
    "help": ["-m", "govfile", "--help"],
}


def milliseconds(arguments: list[str]) -> float:
    """Wall clock of one run of the interpreter."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - started) * 1000


def loaded() -> list[str]:
    """The heavy packages that `import govfile` loads."""
    code = f"import sys, govfile; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ended.stdout.split()


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Medians in milliseconds: `bare`, `over` (import govfile over bare), `help`; and `ratio` (help over bare)."""
    for arguments in COMMANDS.values():
        milliseconds(arguments)
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, arguments in COMMANDS.items():
            taken[name].append(milliseconds(arguments))
    over = [full - bare for full, bare in zip(taken["import"], taken["bare"], strict=True)]
    ratios = [full / bare for full, bare in zip(taken["help"], taken["bare"], strict=True)]
    return {
        "bare": statistics.median(taken["bare"]),
        "over": statistics.median(over),
        "help": statistics.median(taken["help"]),
        "ratio": statistics.median(ratios),
    }


def main() -> int:
    """Print the rows; 1 when `import govfile` loads a heavy package."""
    heavy, found = loaded(), measure()
    print(f"bare Python {found['bare']:.1f} ms; govfile --help {found['ratio']:.1f} times that")
    print(f"heavy packages loaded by `import govfile`: {', '.join(heavy) or 'none'}")
    print(f"ratio: import govfile over bare Python, ms | {found['over']:.1f} | <= 40")
    print(f"ratio: govfile --help, ms | {found['help']:.1f} | <= 250")
    return int(bool(heavy))


if __name__ == "__main__":
    sys.exit(main())
