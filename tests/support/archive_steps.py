"""A program that archives whatever is finished in a ledger; then it is killed.

Usage: python -m support.archive_steps LEDGER FILE
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from govfile import Ledger


def main(place: str, into: str) -> None:
    ledger = Ledger.open(place, create=False)
    os.write(1, b"opened\n")
    count = ledger.archive(datetime(2100, 1, 1, tzinfo=UTC), into)
    os.write(1, f"{count}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
