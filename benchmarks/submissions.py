"""Whole skat submissions against ProFTPD, beside lftp sending the same files, in turn.

    python benchmarks/submissions.py [--rounds 5] [--files 1000] [--tls 1.2|1.3]

A submission is checked (zip rules), claimed and started durably in a fresh ledger, sent and recorded; lftp only sends.
The ledger is on the disk, all else in memory. Rows: one after the other by `submit`; as a batch by `submit_many` over
one and over four connections.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import statistics
import sys
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks._folders import on_disk, use_memory  # noqa: E402
from benchmarks.ftps import alternate, check_arrived, ratio, send_by_lftp  # noqa: E402

from govfile import Ledger, Submission  # noqa: E402
from govfile.skat import Environment, Gateway  # noqa: E402
from govfile.transports.ftps_policy import TlsVersion  # noqa: E402
from support.ftp_servers import FtpServer, authority, client_identity, proftpd  # noqa: E402
from support.programs import find  # noqa: E402
from support.scripted_ftp import credential_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = "Udlaan"


def write_documents(folder: Path, count: int) -> list[Path]:
    """Zips of about 4 KiB, as the Rente areas take them."""
    folder.mkdir()
    for number in range(count):
        content = BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(f"konto{number:06}.xml", f"<konto nr='{number:06}'>{'0' * 3900}</konto>")
        (folder / f"10101010_2025_run{number:05}.zip").write_bytes(content.getvalue())
    return sorted(folder.iterdir())


class Filing:
    """Files all documents through a new ledger each time."""

    def __init__(self, server: FtpServer, place: Path, paths: list[Path]) -> None:
        self._server = server
        self._place = place
        self._paths = paths
        self._runs = itertools.count()
        self._environment = Environment(
            name="benchmark", host=server.host, port=server.port, is_test=None, policy=server.policy()
        )

    def _run(self, work: Callable[[Gateway], None]) -> None:
        with (
            Ledger.open(self._place / f"filings-{next(self._runs)}.db") as ledger,
            Gateway(
                self._environment,
                credential_of(),
                password=self._server.password,
                ledger=ledger,
            ) as gateway,
        ):
            work(gateway)

    def one_by_one(self) -> None:
        """`submit` for each."""

        def work(gateway: Gateway) -> None:
            for path in self._paths:
                gateway.submit(path, service=SERVICE, name=path.name)

        self._run(work)

    def as_batch(self, connections: int) -> None:
        """`submit_many` for all."""

        def work(gateway: Gateway) -> None:
            for _, outcome in gateway.submit_many(self._paths, service=SERVICE, connections=connections):
                assert isinstance(outcome, Submission), outcome

        self._run(work)


def main() -> int:
    """Run and print the rows."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--files", type=int, default=1000)
    arguments.add_argument("--tls", choices=[version.value for version in TlsVersion], action="append")
    given = arguments.parse_args()
    missing = [program for program in ("lftp", "proftpd") if find(program) is None]
    if missing:
        print(f"not run: {', '.join(missing)} not installed")
        return 0
    use_memory()
    for version in given.tls or [version.value for version in TlsVersion]:
        run(TlsVersion(version), given.files, given.rounds)
    return 0


def run(tls: TlsVersion, count: int, rounds: int) -> None:
    """The rows of one TLS version."""
    with tempfile.TemporaryDirectory() as folder, on_disk() as disk, proftpd(tls=tls) as server:
        place = Path(folder)
        secrets = place / "secrets"
        secrets.mkdir(mode=0o700)
        (secrets / "ca.pem").write_bytes(authority().pem)
        (secrets / "cert.pem").write_bytes(client_identity().pem)
        (secrets / "key.pem").write_bytes(client_identity().key_pem())
        paths = write_documents(place / "documents", count)
        filing = Filing(server, Path(disk), paths)
        ways: dict[str, Callable[[], None]] = {
            "one by one": filing.one_by_one,
            "a batch": functools.partial(filing.as_batch, 1),
            "a batch over four connections": functools.partial(filing.as_batch, 4),
        }
        for label, way in ways.items():
            found = alternate(
                rounds,
                way,
                lambda: send_by_lftp(server, place / "documents", secrets),
                lambda: check_arrived(server, paths),
            )
            mine, theirs = (statistics.median(column) for column in zip(*found, strict=True))
            print(f"TLS {tls.value}, {label}: govfile {count / mine:.0f}/s, lftp {count / theirs:.0f}/s")
            work = f"{count} whole submissions, TLS {tls.value}, {label}, over lftp"
            print(f"ratio: {work} | {ratio(found):.2f} | >= 1.5")


if __name__ == "__main__":
    sys.exit(main())
