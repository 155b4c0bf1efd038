"""SFTP against OpenSSH's server, beside OpenSSH's own client, in turn.

    python benchmarks/sftp.py [--rounds 5] [--files 1000] [--gib 1] [--server internal-sftp]

Rows: files of 4 KiB, each put and then renamed, connecting included; one large file, put and got, with the memory it
takes. Files are in memory. The peer runs with its own choice of cipher, and with AES-GCM, which is ours. Server and
clients share the machine, so only the ratios of alternated runs count.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks._folders import use_memory  # noqa: E402

from govfile.filing.source import Source  # noqa: E402
from govfile.transports.base import PutReceipt  # noqa: E402
from govfile.transports.sftp import SftpTransport, Upload  # noqa: E402
from support.programs import find  # noqa: E402
from support.sshd import Server, sshd  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 1024 * 1024
GCM = ("-c", "aes128-gcm@openssh.com")


def transport(server: Server) -> SftpTransport:
    """A client of the server with the settings everybody gets."""
    return SftpTransport(server.host, server.port, user=server.user, key=server.key, host_keys=server.pins)


def openssh(server: Server, batch: str, *options: str) -> None:
    """OpenSSH's client, driven by a batch."""
    folder = server.log.parent
    command = ["sftp", "-q", "-F", "none", "-P", str(server.port), "-i", str(folder / "rsa-user"), *options]
    command += ["-o", f"UserKnownHostsFile={folder / 'known'}", "-o", "IdentitiesOnly=yes", "-b", "-"]
    subprocess.run(
        [*command, f"{server.user}@{server.host}"], input=batch.encode(), check=True, stdout=subprocess.DEVNULL
    )


def send_many(server: Server, paths: list[Path]) -> None:
    """Put and rename, many on the way at once; each file's rename only after its writes and close were confirmed."""
    with transport(server) as client:
        uploads = [
            Upload(
                path=f"{server.files}/{path.name}.part",
                content=Source.of(path),
                rename_to=f"{server.files}/{path.name}",
            )
            for path in paths
        ]
        outcomes = client.put_many(uploads)
    assert all(isinstance(outcome, PutReceipt) for outcome in outcomes)


def send_one_by_one(server: Server, paths: list[Path]) -> None:
    """The same files by a `put` each, nothing overlapped."""
    with transport(server) as client:
        for path in paths:
            client.put(f"{server.files}/{path.name}", Source.of(path))


def send_many_by_openssh(server: Server, paths: list[Path]) -> None:
    """Put and rename by a batch."""
    lines = (
        f"put {path} {server.files}/{path.name}.part\nrename {server.files}/{path.name}.part {server.files}/{path.name}"
        for path in paths
    )
    openssh(server, "\n".join(lines) + "\n")


def timed(server: Server, work: Callable[[], None]) -> float:
    """Seconds of a piece of work, on a server folder that is empty but for `big`."""
    for path in server.files.iterdir():
        if path.name != "big":
            path.unlink()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(server: Server, rounds: int, works: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
    """Each piece of work once a round, after one round to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            seconds = timed(server, work)
            if number:
                taken[name].append(seconds)
    return taken


def ratio(peer: list[float], ours: list[float]) -> float:
    """The median of the rounds' ratios: how many times as fast as the peer."""
    return statistics.median(theirs / mine for theirs, mine in zip(peer, ours, strict=True))


def show(taken: dict[str, list[float]], amount: float, unit: str) -> None:
    """The plain figures, which count for little."""
    for name, seconds in taken.items():
        print(f"  {name}: {amount / statistics.median(seconds):.0f} {unit}")


def small(server: Server, folder: Path, count: int, rounds: int) -> None:
    """Many small files."""
    paths = []
    for number in range(count):
        path = folder / f"FI.{number:05}"
        path.write_bytes(os.urandom(4096))
        paths.append(path)
    works = {
        "OpenSSH": lambda: send_many_by_openssh(server, paths),
        "govfile": lambda: send_many(server, paths),
        "govfile, one by one": lambda: send_one_by_one(server, paths),
    }
    taken = in_turn(server, rounds, works)
    show(taken, count, "files/s")
    print(f"ratio: SFTP {count} files of 4 KiB over OpenSSH | {ratio(taken['OpenSSH'], taken['govfile']):.2f} | >= 3")
    print(f"ratio: one by one over OpenSSH | {ratio(taken['OpenSSH'], taken['govfile, one by one']):.2f}")


def large(server: Server, folder: Path, gib: float, rounds: int) -> None:
    """One large file, both ways."""
    path, size = folder / "big", int(gib * 1024) * BLOCK
    with path.open("wb") as file:
        for _ in range(size // BLOCK):
            file.write(os.urandom(BLOCK))
    source = Source.of(path)

    def put() -> None:
        with transport(server) as client:
            client.put(f"{server.files}/big", source, rewrite=True)

    def get() -> None:
        with transport(server) as client, Path(os.devnull).open("wb") as into:
            assert client.get(f"{server.files}/big", into).sha256 == source.sha256

    sending, fetching = f"put {path} {server.files}/big\n", f"get {server.files}/big /dev/null\n"
    puts = {"OpenSSH": lambda: openssh(server, sending), "gcm": lambda: openssh(server, sending, *GCM), "govfile": put}
    gets = {
        "OpenSSH": lambda: openssh(server, fetching),
        "gcm": lambda: openssh(server, fetching, *GCM),
        "govfile": get,
    }
    for way, works, target in (("put", puts, 0.9), ("get", gets, 1.0)):
        taken = in_turn(server, rounds, works)
        print(f"{way}:")
        show(taken, size / BLOCK, "MiB/s")
        beside, with_gcm = (ratio(taken[peer], taken["govfile"]) for peer in ("OpenSSH", "gcm"))
        print(f"ratio: SFTP {gib:g} GiB {way} over OpenSSH | {beside:.2f} | >= {target}")
        print(f"ratio: {way} over OpenSSH with AES-GCM | {with_gcm:.2f}")
    assert hashlib.sha256((server.files / "big").read_bytes()).hexdigest() == source.sha256


MEMORY = """
import resource, sys
from govfile.certificates.ssh import SshKey
from govfile.filing.source import Source
from govfile.transports.sftp import HostKeys, SftpTransport

port, user, key, folder, big, *pins = sys.argv[1:]
with SftpTransport(
    "127.0.0.1", int(port), user=user, key=SshKey.from_file(key), host_keys=HostKeys.pinned(*pins)
) as client:
    client.put(f"{folder}/small", Source.of(b"x"))
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    client.put(f"{folder}/big", Source.of(big), rewrite=True)
    with open("/dev/null", "wb") as into:
        client.get(f"{folder}/big", into)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle) / 1024)
"""


def memory(server: Server, folder: Path) -> None:
    """MiB over an idle session, at its highest."""
    pins = [key.fingerprint for key in server.host_keys.values()]
    key = server.log.parent / "rsa-user"
    command = [sys.executable, "-c", MEMORY, str(server.port), server.user, key, server.files, folder / "big", *pins]
    found = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
    print(f"ratio: SFTP memory over idle, MiB | {float(found):.1f} | <= 48")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--gib", type=float, default=1)
    parser.add_argument("--server", default="internal-sftp", help="as sshd_config's Subsystem names it")
    chosen = parser.parse_args()
    if find("sshd") is None or find("sftp") is None:
        print("OpenSSH's server and client are needed")
        return 1
    use_memory()
    with tempfile.TemporaryDirectory(prefix="govfile-sftp-") as name:
        folder = Path(name)
        with sshd(folder / "sshd", subsystem=chosen.server) as server:
            known = (f"[{server.host}]:{server.port} {key.public_line()}\n" for key in server.host_keys.values())
            (server.log.parent / "known").write_text("".join(known))
            small(server, folder, chosen.files, chosen.rounds)
            large(server, folder, chosen.gib, chosen.rounds)
            memory(server, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
