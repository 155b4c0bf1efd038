"""FTPS against ProFTPD (client certificate and session reuse demanded), beside lftp, in turn.

    python benchmarks/ftps.py [--rounds 5] [--files 1000] [--gib 1] [--tls 1.2|1.3]

Rows: files of 4 KiB over one connection; one large file, with the memory it takes; the files over four connections,
in threads of one process and in a process each, beside our own single one. Files are in memory. Server and client share
the machine, so only the ratios of alternated runs count.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks._folders import use_memory  # noqa: E402

from govfile.filing.source import Source  # noqa: E402
from govfile.transports.ftps import FtpsTransport  # noqa: E402
from govfile.transports.ftps_policy import TlsVersion  # noqa: E402
from support.ftp_servers import FtpServer, authority, client_identity, proftpd  # noqa: E402
from support.programs import find  # noqa: E402
from support.scripted_ftp import credential_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 1024 * 1024

#: Seconds between runs: ProFTPD takes no connection for 0.4 s after a session has ended.
SETTLE = 1.0


def transport(server: FtpServer) -> FtpsTransport:
    """A client of the server; the credential is loaded once a process."""
    return FtpsTransport(
        server.host,
        server.port,
        user=server.user,
        password=server.password,
        credential=credential_of(),
        policy=server.policy(),
    )


def send(server: FtpServer, paths: list[Path]) -> None:
    """Put files one after the other over one connection, connecting included."""
    with contextlib.closing(transport(server)) as client:
        for path in paths:
            client.put(f"/Udlaan/{path.name}", Source.of(path))


def send_by_four(server: FtpServer, paths: list[Path]) -> None:
    """The same over four connections, each in a thread of its own."""
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(send, server, paths[lane::4]) for lane in range(4)]:
            done.result()


def send_by_four_processes(server: FtpServer, paths: list[Path]) -> None:
    """The same over four connections, each in a process of its own."""
    children = []
    for lane in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                send(server, paths[lane::4])
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert not any(codes), "a sending process failed"


def send_by_lftp(server: FtpServer, folder: Path, secrets: Path) -> None:
    """The same by lftp's `mput`."""
    script = f"""
set ftp:ssl-force true
set ftp:ssl-protect-data true
set ssl:ca-file {secrets}/ca.pem
set ssl:cert-file {secrets}/cert.pem
set ssl:key-file {secrets}/key.pem
set net:max-retries 1
set cmd:fail-exit true
open -u "{server.user}","{server.password.reveal()}" -p {server.port} {server.host}
lcd {folder}
cd /Udlaan
mput *
"""
    subprocess.run(["lftp", "-f", "/dev/stdin"], input=script, text=True, check=True, stdout=subprocess.DEVNULL)


def check_arrived(server: FtpServer, paths: list[Path]) -> None:
    """Every file lies there, byte for byte; then the folder is emptied."""
    for path in paths:
        arrived = server.root / "Udlaan" / path.name
        assert digest(arrived) == digest(path), f"{path.name} arrived changed"
        arrived.unlink()


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as reader:
        return hashlib.file_digest(reader, "sha256").hexdigest()


def timed(run: Callable[[], None]) -> float:
    """Seconds of wall clock."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def alternate(
    rounds: int, ours: Callable[[], None], peer: Callable[[], None], after: Callable[[], None]
) -> list[tuple[float, float]]:
    """Seconds of (ours, peer) for each round, in turn; one round before is not counted."""
    found = []
    for number in range(rounds + 1):
        mine = timed(ours)
        after()
        time.sleep(SETTLE)
        theirs = timed(peer)
        after()
        time.sleep(SETTLE)
        if number:
            found.append((mine, theirs))
    return found


def ratio(found: list[tuple[float, float]]) -> float:
    """How many times as fast as the peer: the median of the rounds."""
    return statistics.median(theirs / mine for mine, theirs in found)


def small_files(server: FtpServer, place: Path, secrets: Path, count: int, rounds: int, label: str) -> None:
    """1000 files of 4 KiB: over one connection beside lftp, over four beside our own one."""
    folder = place / "small"
    folder.mkdir()
    for number in range(count):
        (folder / f"file-{number:04}.zip").write_bytes(os.urandom(4096))
    paths = sorted(folder.iterdir())

    def after() -> None:
        check_arrived(server, paths)

    found = alternate(rounds, lambda: send(server, paths), lambda: send_by_lftp(server, folder, secrets), after)
    ours, theirs = (statistics.median(column) for column in zip(*found, strict=True))
    print(f"{label}: {count} files of 4 KiB: govfile {count / ours:.0f}/s, lftp {count / theirs:.0f}/s")
    print(f"ratio: FTPS {label}, {count} files of 4 KiB over lftp | {ratio(found):.2f} | >= 2.5")
    for how, by_four in (("threads", send_by_four), ("processes", send_by_four_processes)):
        found = alternate(rounds, functools.partial(by_four, server, paths), lambda: send(server, paths), after)
        print(f"ratio: FTPS {label}, four connections in {how} over one | {ratio(found):.2f} | >= 1.3")


def large_file(server: FtpServer, place: Path, secrets: Path, size: int, rounds: int, label: str) -> None:
    """One large file beside lftp, and the memory it takes over idle."""
    folder = place / "large"
    folder.mkdir()
    path = folder / "large.zip"
    with path.open("wb") as writer:
        block = os.urandom(BLOCK)
        for _ in range(size // BLOCK):
            writer.write(block)

    def after() -> None:
        arrived = server.root / "Udlaan" / path.name
        assert arrived.stat().st_size == size
        arrived.unlink()

    source = Source.of(path)  # hashed when it is claimed; the transport reads and hashes it again while it sends

    def ours() -> None:
        with contextlib.closing(transport(server)) as client:
            client.put(f"/Udlaan/{path.name}", source)

    found = alternate(rounds, ours, lambda: send_by_lftp(server, folder, secrets), after)
    mib = size / BLOCK
    mine, theirs = (statistics.median(column) for column in zip(*found, strict=True))
    print(f"{label}: one file of {mib:.0f} MiB: govfile {mib / mine:.0f} MiB/s, lftp {mib / theirs:.0f} MiB/s")
    print(f"ratio: FTPS {label}, one large file over lftp | {ratio(found):.2f} | >= 1.2")
    print(f"ratio: FTPS {label}, MiB of memory over idle | {memory(server, path):.1f} | <= 48")
    after()


def memory(server: FtpServer, path: Path) -> float:
    """MiB by which the peak of a process grows while it sends the file, over the same process connected and idle."""
    child = os.fork()
    if child == 0:
        reached = Path(path.parent.parent, "memory")
        try:
            with contextlib.closing(transport(server)) as client:
                client.home()
                Path("/proc/self/clear_refs").write_text("5")
                idle = _peak()
                client.put(f"/Udlaan/{path.name}", Source.of(path))
                reached.write_text(str((_peak() - idle) / 1024))
        finally:
            os._exit(0 if reached.exists() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "the measuring process failed"
    return float(Path(path.parent.parent, "memory").read_text())


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def main() -> int:
    """Run and print the rows."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--files", type=int, default=1000)
    arguments.add_argument("--gib", type=float, default=1.0)
    arguments.add_argument("--tls", choices=[version.value for version in TlsVersion], action="append")
    given = arguments.parse_args()
    missing = [program for program in ("lftp", "proftpd") if find(program) is None]
    if missing:
        print(f"not run: {', '.join(missing)} not installed")
        return 0
    use_memory()
    with tempfile.TemporaryDirectory() as folder:
        secrets = Path(folder, "secrets")
        secrets.mkdir(mode=0o700)
        (secrets / "ca.pem").write_bytes(authority().pem)
        (secrets / "cert.pem").write_bytes(client_identity().pem)
        (secrets / "key.pem").write_bytes(client_identity().key_pem())
        for version in given.tls or [version.value for version in TlsVersion]:
            place = Path(folder, version)
            place.mkdir()
            with proftpd(tls=TlsVersion(version)) as server:
                small_files(server, place, secrets, given.files, given.rounds, f"TLS {version}")
                large_file(server, place, secrets, int(given.gib * 1024) * BLOCK, given.rounds, f"TLS {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
