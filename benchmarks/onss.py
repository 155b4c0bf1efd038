"""Whole Belgian sets against OpenSSH's server, beside OpenSSH's client sending the same ready files, in turn.

    python benchmarks/onss.py [--rounds 5] [--sets 1000]

A set is checked, hashed, signed (RSA 2048), claimed and started durably in a fresh ledger, sent as FI, FS and GO, each
trigger only behind its own confirmed files, and recorded; the peer's batch only sends files that are ready. Connecting
is part of both. Rows: as a batch by `submit_many`, and one after the other by `submit`.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks._folders import on_disk, use_memory  # noqa: E402
from benchmarks.sftp import openssh, ratio, show  # noqa: E402

from govfile import Credential, Ledger, Submission, onss  # noqa: E402
from govfile.certificates.signer import SoftwareSigner  # noqa: E402
from support import pki  # noqa: E402
from support.programs import find  # noqa: E402
from support.sshd import Server, sshd  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

PURPOSE = "DMFA"


def write_declarations(folder: Path, count: int) -> list[Path]:
    """Declarations of about 4 KiB, each its own."""
    folder.mkdir()
    for number in range(count):
        form = f"<Form><Identification>DMFA</Identification><Note>{number:06}{'0' * 3900}</Note></Form>"
        (folder / f"dmfa-{number:06}.xml").write_text(f"<DmfAOriginal>{form}</DmfAOriginal>")
    return sorted(folder.iterdir())


def credential() -> Credential:
    """A signing certificate with an RSA key of 2048 bits."""
    today = datetime.now(UTC)
    issuer = pki.Authority.create(pki.plain("Benchmark"), not_before=today - timedelta(days=2))
    identity = issuer.issue(
        pki.plain("Signer"),
        key=pki.rsa_key(3),
        not_before=today - timedelta(days=1),
        not_after=today + timedelta(days=30),
    )
    return Credential.from_signer(SoftwareSigner(identity.key), identity.certificate)


class Declaring:
    """Files all declarations through a new ledger each time."""

    def __init__(self, server: Server, place: Path, paths: list[Path]) -> None:
        self._server = server
        self._place = place
        self._paths = paths
        self._runs = itertools.count()
        self._credential = credential()
        self._environment = attrs.evolve(
            onss.PRODUCTION,
            host=server.host,
            port=server.port,
            host_keys=server.pins,
            upload=str(server.files / "IN"),
            answers=str(server.files / "OUT"),
        )

    def _run(self, work: Callable[[onss.Channel], None]) -> None:
        with (
            Ledger.open(self._place / f"filings-{next(self._runs)}.db") as ledger,
            onss.Channel(
                self._environment,
                self._credential,
                sender="101420",
                user=self._server.user,
                ssh_key=self._server.key,
                ledger=ledger,
            ) as channel,
        ):
            work(channel)

    def as_batch(self) -> None:
        """`submit_many` for all."""

        def work(channel: onss.Channel) -> None:
            filings = (onss.Filing(parts=(path,), purpose=PURPOSE) for path in self._paths)
            for _, outcome in channel.submit_many(filings):
                assert isinstance(outcome, Submission), outcome

        self._run(work)

    def one_by_one(self) -> None:
        """`submit` for each."""

        def work(channel: onss.Channel) -> None:
            for path in self._paths:
                channel.submit(path, purpose=PURPOSE)

        self._run(work)


def clear(server: Server) -> None:
    """Empty folders."""
    for folder in (server.files / "IN", server.files / "OUT"):
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()


def make_ready(server: Server, declaring: Declaring, folder: Path) -> str:
    """The same sets as files on disk, and the batch that sends them: each trigger behind its own set."""
    clear(server)
    declaring.as_batch()
    folder.mkdir()
    lines = []
    sets = sorted(path.name[3:] for path in (server.files / "IN").glob("GO.*"))
    for rest in sets:
        for name in (f"FI.{rest}.1", f"FS.{rest}.1", f"GO.{rest}"):
            (folder / name).write_bytes((server.files / "IN" / name).read_bytes())
            lines.append(f"put {folder / name} {server.files}/IN/{name}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sets", type=int, default=1000)
    given = parser.parse_args()
    missing = [program for program in ("sftp", "sshd") if find(program) is None]
    if missing:
        print(f"not run: {', '.join(missing)} not installed")
        return 0
    use_memory()
    with tempfile.TemporaryDirectory() as folder, on_disk() as disk:
        place = Path(folder)
        work = place / "server"
        work.mkdir()
        with sshd(work) as server:
            known = (f"[{server.host}]:{server.port} {key.public_line()}\n" for key in server.host_keys.values())
            (server.log.parent / "known").write_text("".join(known))
            declaring = Declaring(server, Path(disk), write_declarations(place / "declarations", given.sets))
            batch = make_ready(server, declaring, place / "ready")
            works: dict[str, Callable[[], None]] = {
                "OpenSSH, ready files": lambda: openssh(server, batch),
                "govfile, a batch": declaring.as_batch,
                "govfile, one by one": declaring.one_by_one,
            }
            taken: dict[str, list[float]] = {name: [] for name in works}
            for number, (name, run) in itertools.product(range(given.rounds + 1), works.items()):
                clear(server)
                started = time.perf_counter()
                run()
                seconds = time.perf_counter() - started
                assert len(list((server.files / "IN").iterdir())) == 3 * given.sets
                if number:
                    taken[name].append(seconds)
    show(taken, given.sets, "sets/s")
    peer = taken["OpenSSH, ready files"]
    print(f"ratio: onss {given.sets} complete sets over sftp -b | {ratio(peer, taken['govfile, a batch']):.2f} | >= 1")
    print(f"ratio: onss one by one over sftp -b | {ratio(peer, taken['govfile, one by one']):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
