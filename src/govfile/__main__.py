"""`python -m govfile` and the `govfile` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; where the `cli` extra is missing, say so in one line and return 2."""
    try:
        return _run()
    except KeyboardInterrupt as stop:  # while modules were loaded: a command that has begun says more
        sys.stderr.write("govfile: interrupted\n")
        return 130 if type(stop) is KeyboardInterrupt else 143  # SIGTERM comes as one derived from it


def _run() -> int:
    try:
        from govfile.cli import run
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] not in {"typer", "rich", "click"}:
            raise
        sys.stderr.write(f"govfile: the command line needs {missing.name}: pip install 'govfile[cli]'\n")
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())
