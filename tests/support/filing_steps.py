"""A program that files as far as the ledger goes: opens one, claims a name, starts and records; then it is killed.

Usage: python -m support.filing_steps LEDGER
Says aloud, in one write to the standard output, what it was promised to be durable.
"""

from __future__ import annotations

import os
import sys

from govfile import Ledger
from govfile.filing.states import Proof
from govfile.filing.submission import Evidence
from support.filing import claim


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def main(place: str) -> None:
    say("begun")
    ledger = Ledger.open(place)
    say("opened")
    submission, _ = ledger.claim(claim())
    say("claimed")
    ledger.start(submission.id)
    say("started")
    ledger.record(submission.id, Evidence(proof=Proof.CONFIRMED))
    say("recorded")
    ledger.claim_many([claim(f"{number}.zip") for number in range(3)])
    say("claimed many")
    ledger.close()
    say("closed")


if __name__ == "__main__":
    main(sys.argv[1])
