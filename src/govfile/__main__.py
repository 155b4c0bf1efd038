"""`python -m govfile` and the `govfile` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; where the `cli` extra is missing, say so in one line and return 2."""
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
