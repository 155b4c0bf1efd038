"""How fast the ledger is, beside its peers; prints ratios.

    python benchmarks/ledger.py [sqlite] [lookup] [postgresql]

The peer runs in turn (A B A B …), and the median of the ratios of neighbouring runs counts: single figures move with
whatever else the machine does. What fsync costs decides most of it (it is printed first), so run it on the disk that
matters (TMPDIR).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from govfile import Ledger
from govfile.filing.claim import Claim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.postgres import Server

ROUNDS = 7
SINGLE = 400
BATCHES = 60
BATCH = 100

_counter = iter(range(10**12))

COLUMNS = (
    "id, authority, environment, sender, service, name, folded, size, sha256, guard, filed_by, certificate, is_dry_run,"
    " key, again, source_path, state, verdict, created, revision, history, answers, owner, crc"
)


def claims(count: int) -> list[Claim]:
    """Fresh claims, each with a name and content of its own."""
    made = []
    for _ in range(count):
        number = next(_counter)
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        made.append(
            Claim(
                authority="skat",
                environment="test",
                sender="10101010",
                service="Udlaan",
                name=f"10101010_2025_{number}.zip",
                size=4096,
                sha256=digest,
                filed_by="CVR_10101010_UID_1234567890",
                certificate="ab" * 32,
            )
        )
    return made


def rows(count: int) -> list[tuple[object, ...]]:
    """The same as plain rows, for the peer."""
    return [
        (
            f"{number:032x}",
            wanted.authority,
            wanted.environment,
            wanted.sender,
            wanted.service,
            wanted.name,
            wanted.name,
            wanted.size,
            wanted.sha256,
            "",
            wanted.filed_by,
            wanted.certificate,
            0,
            None,
            None,
            None,
            "prepared",
            None,
            1_772_442_005_000_000,
            1,
            "",
            "",
            "",
            123456789,
        )
        for number, wanted in enumerate(claims(count), start=next(_counter) * 1000)
    ]


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def in_turn(label: str, ours: Callable[[], float], peer: Callable[[], float], *, target: float | None = None) -> None:
    """Run both in turn; each gives a rate (a second). Print the median rates and the median of the ratios."""
    pairs = [(ours(), peer()) for _ in range(ROUNDS)]
    ratio = statistics.median(a / b for a, b in pairs)
    a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"{label}: {a:,.0f}/s, peer {b:,.0f}/s")
    print(f"ratio: {label} | {ratio:.2f}" + ("" if target is None else f" | >= {target}"))


def fsync_cost(folder: Path) -> float:
    """Seconds for one fsync of a file that has grown by a page: the median of many."""
    with (folder / "fsync").open("wb", buffering=0) as file:

        def once() -> float:
            file.write(bytes(4096))
            return timed(lambda: os.fsync(file.fileno()))

        return statistics.median(once() for _ in range(SINGLE))


def sqlite_rates(folder: Path) -> None:
    """Durable claims, one by one and in batches, against bare sqlite3 on the same tables and fsync level."""
    print(f"one fsync takes {fsync_cost(folder) * 1000:.2f} ms here")
    Ledger.open(folder / "peer.db").close()
    insert = f"INSERT INTO govfile_submission ({COLUMNS}) VALUES ({', '.join('?' * 24)}) ON CONFLICT DO NOTHING"
    with Ledger.open(folder / "ours.db") as ledger, closing(sqlite3.connect(folder / "peer.db")) as bare:
        bare.isolation_level = None
        bare.execute("PRAGMA synchronous = FULL")

        def ours_single() -> float:
            wanted = claims(SINGLE)
            return SINGLE / timed(lambda: [ledger.claim(claim) for claim in wanted])

        def bare_single() -> float:
            wanted = rows(SINGLE)
            return SINGLE / timed(lambda: [bare.execute(insert, row) for row in wanted])

        def ours_batch() -> float:
            wanted = [claims(BATCH) for _ in range(BATCHES)]
            return BATCH * BATCHES / timed(lambda: [ledger.claim_many(batch) for batch in wanted])

        def bare_batch() -> float:
            wanted = [rows(BATCH) for _ in range(BATCHES)]

            def work() -> None:
                for batch in wanted:
                    bare.execute("BEGIN IMMEDIATE")
                    bare.executemany(insert, batch)
                    bare.execute("COMMIT")

            return BATCH * BATCHES / timed(work)

        in_turn("ledger, single durable claims over bare sqlite3", ours_single, bare_single, target=0.5)
        in_turn(f"ledger, batches of {BATCH} over bare sqlite3", ours_batch, bare_batch)
        in_turn(f"ledger, batches of {BATCH} over single claims", ours_batch, ours_single, target=20)
        in_turn(f"bare sqlite3, batches of {BATCH} over single rows (what this disk allows)", bare_batch, bare_single)


def lookup_rates(folder: Path) -> None:
    """Finding a name among a million records beside finding it among a thousand."""
    with Ledger.open(folder / "small.db") as small, Ledger.open(folder / "big.db") as big:
        names = {}
        for ledger, count in ((small, 1_000), (big, 1_000_000)):
            kept = []
            for _ in range(count // 1000):
                batch = claims(1000)
                ledger.claim_many(batch)
                kept.append(batch[500].name)
            names[id(ledger)] = kept

        def finder(ledger: Ledger) -> Callable[[], float]:
            kept = names[id(ledger)]
            wanted = [kept[(number * 7919) % len(kept)] for number in range(3000)]

            def work() -> None:
                for name in wanted:
                    assert ledger.find(authority="skat", environment="test", sender="10101010", name=name)

            return lambda: len(wanted) / timed(work)

        in_turn("ledger, look-up among 1,000,000 over among 1,000", finder(big), finder(small), target=0.8)


def postgresql_rates(server: Server, folder: Path) -> None:
    """Eight writers beside pgbench with as many clients, inserting the same rows."""
    writers, each = 8, 150
    server.create("ours")
    server.create("peer")
    Ledger.open(server.url("peer")).close()
    script = folder / "insert.sql"
    row = rows(1)[0]
    literals = ["NULL" if value is None else f"'{value}'" for value in row]
    literals[0] = "md5(random()::text || clock_timestamp()::text)"
    literals[5] = literals[6] = "'10101010_2025_' || :client_id || '_' || :number || '_' || random()::text || '.zip'"
    literals[8] = "encode(sha256((random()::text || :number)::bytea), 'hex')"
    script.write_text(
        "\\set number random(1, 1000000000)\n"
        f"INSERT INTO govfile_submission ({COLUMNS}) VALUES ({', '.join(literals)}) ON CONFLICT DO NOTHING;\n"
    )
    script.chmod(0o644)
    with Ledger.open(server.url("ours")) as ledger:

        def ours() -> float:
            wanted = [claims(each) for _ in range(writers)]
            threads = [
                threading.Thread(target=lambda b=batch: [ledger.claim(claim) for claim in b]) for batch in wanted
            ]

            def work() -> None:
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()

            return writers * each / timed(work)

        def peer() -> float:
            return _pgbench(server, script, writers, each)

        in_turn(f"ledger on PostgreSQL, {writers} writers over pgbench", ours, peer, target=0.5)


def _pgbench(server: Server, script: Path, clients: int, each: int) -> float:
    from support.programs import require

    command = [require("pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-t", str(each)]
    command += ["-f", str(script), server.url("peer")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


def chosen() -> Iterator[str]:
    """What to measure: the arguments, or everything."""
    yield from sys.argv[1:] or ("sqlite", "lookup", "postgresql")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what in chosen():
            if what == "sqlite":
                sqlite_rates(folder)
            elif what == "lookup":
                lookup_rates(folder)
            else:
                from support import postgres

                with postgres.running() as server:
                    postgresql_rates(server, folder)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    main()
