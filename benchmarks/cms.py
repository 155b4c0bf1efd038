"""A detached signature over a file of 500 MB: ours beside `openssl cms -sign`, and the memory it takes.

    python benchmarks/cms.py [MEGABYTES]

Both sign the same file with the same key, in turn, each in a process of its own; start-up is measured apart (the same
program over an empty file) and taken off both, since a channel signs many files in one process. Memory is what the
process holds at most beyond the same program over the empty file. The file is read once before, so that no run pays
for the disk. What we wrote is verified by openssl at the end.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ROUNDS = 7
OURS = """
import sys
from govfile.certificates.cms import sign_detached
from govfile.certificates.credential import Credential
credential = Credential.from_pem(sys.argv[1], certificate=sys.argv[2])
with open(sys.argv[3], "rb") as reader:
    signature = sign_detached(reader, credential)
with open(sys.argv[4], "wb") as writer:
    writer.write(signature)
"""


def run(command: list[str]) -> tuple[float, int]:
    """Seconds of wall clock and the most memory (KiB) of one process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed")
    return time.perf_counter() - started, usage.ru_maxrss


def make_identity(folder: Path) -> tuple[Path, Path]:
    """A key and its certificate, each in a file."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchmark")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return key_file, certificate_file


def make_file(place: Path, megabytes: int) -> None:
    """A file that no compression on the way could make smaller, written and so held by the system."""
    block = os.urandom(1_000_000)
    with place.open("wb") as writer:
        for _ in range(megabytes):
            writer.write(block)


def measure(folder: Path, megabytes: int) -> tuple[float, float, float, float]:
    """Seconds of openssl and of ours, the ratio's median, and our extra memory in MiB."""
    key, certificate = make_identity(folder)
    large, empty = folder / "large", folder / "empty"
    make_file(large, megabytes)
    empty.touch()

    def ours(file: Path) -> list[str]:
        return [sys.executable, "-c", OURS, str(key), str(certificate), str(file), str(folder / "ours")]

    def theirs(file: Path) -> list[str]:
        command = ["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-in", str(file)]
        return [*command, "-signer", str(certificate), "-inkey", str(key), "-out", str(folder / "theirs")]

    run(ours(empty)), run(theirs(empty))
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    extra: list[float] = []
    for _ in range(ROUNDS):
        for name, command in (("theirs", theirs), ("ours", ours)):
            start_up, idle = run(command(empty))
            whole, most = run(command(large))
            seconds[name].append(whole - start_up)
            if name == "ours":
                extra.append((most - idle) / 1024)
    ratios = [mine / other for mine, other in zip(seconds["ours"], seconds["theirs"], strict=True)]
    check = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", str(folder / "ours"), "-content"]
    subprocess.run([*check, str(large), "-noverify", "-out", "/dev/null"], check=True, stderr=subprocess.DEVNULL)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return medians["theirs"], medians["ours"], statistics.median(ratios), max(extra)


def main(megabytes: int = 500) -> int:
    """Print the rows; 1 where there is no openssl."""
    if shutil.which("openssl") is None:
        print("openssl is not installed")
        return 1
    with tempfile.TemporaryDirectory(prefix="govfile-cms-") as folder:
        theirs, ours, ratio, extra = measure(Path(folder), megabytes)
    print(f"openssl {theirs:.2f} s, govfile {ours:.2f} s for {megabytes} MB, start-up taken off")
    print(f"ratio: CMS over {megabytes} MB, time over openssl | {ratio:.2f} | <= 1.00")
    print(f"ratio: CMS over {megabytes} MB, extra memory in MiB | {extra:.1f} | <= 8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:2])))
