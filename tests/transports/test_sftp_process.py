"""What an SFTP client does to the process it lives in: it writes no files, and it survives a fork."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.sshd import sshd

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.servers

PROGRAM = """
import io, os, sys
from govfile.certificates.ssh import SshKey
from govfile.filing.source import Source
from govfile.transports.sftp import HostKeys, SftpTransport

port, user, key, folder, *pins = sys.argv[1:]
written = []

def watch(event, details):
    if event == "open" and isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(details[0])

client = SftpTransport("127.0.0.1", int(port), user=user, key=SshKey.from_file(key), host_keys=HostKeys.pinned(*pins))
"""

WRITES_NOTHING = """
sys.addaudithook(watch)
with client:
    client.put(f"{folder}/FI", Source.of(b"x" * 300_000))
    client.get(f"{folder}/FI", io.BytesIO())
print(written)
"""

FORKS = """
client.put(f"{folder}/before", Source.of(b"1"))
child = os.fork()
if not child:
    try:
        client.put(f"{folder}/child", Source.of(b"2"))
        client.close()
    finally:
        os._exit(0)
os.waitpid(child, 0)
session = client._session
client.put(f"{folder}/after", Source.of(b"3"))
print(client._session is session)
client.close()
"""


@pytest.mark.parametrize(
    ("rest", "printed", "files"),
    [(WRITES_NOTHING, "[]", {"FI"}), (FORKS, "True", {"before", "child", "after"})],
    ids=["keys stay in memory", "g07 a forked process opens its own session"],
)
def test_the_process_around_it(tmp_path: Path, rest: str, printed: str, files: set[str]) -> None:
    with sshd(tmp_path / "sshd") as server:
        pins = [key.fingerprint for key in server.host_keys.values()]
        words = [str(server.port), server.user, str(tmp_path / "sshd" / "rsa-user"), str(server.files), *pins]
        command = [sys.executable, "-W", "error", "-c", PROGRAM + rest, *words]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (ended.stdout.strip(), ended.stderr, ended.returncode) == (printed, "", 0)
        assert {path.name for path in server.files.iterdir()} == files
