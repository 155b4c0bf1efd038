"""The SFTP transport against OpenSSH's own server, configured in each of the ways that matter."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from govfile.errors import (
    ConnectionFailed,
    DuplicateName,
    Phase,
    TransferRefused,
)
from govfile.filing.source import Source
from govfile.transports.base import FileTransport, PutReceipt, Timeouts
from govfile.transports.sftp import HostKeys, SftpPolicy, SftpTransport, Upload
from support.programs import lacking, require
from support.sshd import QUICK, CutWire, Server, free_port, ssh_key, sshd

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd(tmp_path_factory.mktemp("sshd") / "it") as running:
        yield running


@pytest.fixture
def transport(server: Server) -> Iterator[SftpTransport]:
    with server.transport() as opened:
        yield opened


@pytest.fixture
def folder(server: Server, tmp_path: Path) -> Path:
    place = server.files / tmp_path.name
    place.mkdir()
    return place


@pytest.mark.parametrize("size", [0, 1, 4096, 131_072, 131_073, 700_001])
def test_a_file_arrives_whole_and_the_receipt_says_what_was_confirmed(
    transport: SftpTransport, folder: Path, size: int
) -> None:
    document = os.urandom(size)
    receipt = transport.put(f"{folder}/FI", Source.of(document))
    assert (folder / "FI").read_bytes() == document
    assert receipt.bytes_sent == receipt.size_seen == size
    assert receipt.sha256 == hashlib.sha256(document).hexdigest()
    assert "every write and the close were confirmed" in receipt.reply
    into = io.BytesIO()
    assert transport.get(f"{folder}/FI", into).sha256 == receipt.sha256
    assert into.getvalue() == document


def test_it_is_a_file_transport(transport: SftpTransport) -> None:
    assert isinstance(transport, FileTransport)


def test_listing_looking_and_removing(transport: SftpTransport, folder: Path) -> None:
    transport.put(f"{folder}/one", Source.of(b"1"))
    (folder / "two").mkdir()
    found = {entry.name: entry for entry in transport.list(str(folder))}
    assert sorted(found) == ["one", "two"]
    assert (found["one"].size, found["one"].is_folder, found["two"].is_folder) == (1, False, True)
    assert found["one"].modified is not None
    assert found["one"].modified.tzinfo is not None
    seen = transport.look(f"{folder}/one")
    assert seen is not None
    assert (seen.name, seen.size) == ("one", 1)
    transport.remove(f"{folder}/one")
    assert transport.look(f"{folder}/one") is None
    assert [entry.name for entry in transport.list(str(folder))] == ["two"]


def test_the_home_folder_is_absolute(transport: SftpTransport) -> None:
    assert transport.home().startswith("/")


def test_committing_comes_right_before_the_first_trace(transport: SftpTransport, folder: Path) -> None:
    seen: list[bool] = []
    transport.put(f"{folder}/GO", Source.of(b""), committing=lambda: seen.append((folder / "GO").exists()))
    assert seen == [False]

    def refuse() -> None:
        raise RuntimeError("the ledger is full")

    with pytest.raises(RuntimeError, match="ledger is full"):
        transport.put(f"{folder}/GO2", Source.of(b"x"), committing=refuse)
    assert not (folder / "GO2").exists()
    assert transport.put(f"{folder}/GO2", Source.of(b"x")).size_seen == 1


def test_many_files_at_once_each_with_its_own_outcome(transport: SftpTransport, folder: Path) -> None:
    (folder / "f7").write_bytes(b"somebody's")
    documents = {f"f{number}": os.urandom(number * 37) for number in range(200)}
    uploads = [Upload(path=f"{folder}/{name}", content=Source.of(data)) for name, data in documents.items()]
    committed: list[str] = []
    outcomes = transport.put_many(uploads, committing=lambda upload: committed.append(upload.path))
    assert committed == [upload.path for upload in uploads]
    assert isinstance(outcomes[7], DuplicateName)
    assert (folder / "f7").read_bytes() == b"somebody's"
    for name, outcome in zip(documents, outcomes, strict=True):
        if name != "f7":
            assert isinstance(outcome, PutReceipt)
            assert (folder / name).read_bytes() == documents[name]
            assert outcome.path == f"{folder}/{name}"


def test_a_last_name_is_given_once_all_is_confirmed(transport: SftpTransport, folder: Path) -> None:
    upload = Upload(path=f"{folder}/a.part", content=Source.of(b"abc"), rename_to=f"{folder}/a")
    (receipt,) = transport.put_many([upload])
    assert isinstance(receipt, PutReceipt)
    assert receipt.path == f"{folder}/a"
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_progress_counts_confirmed_bytes(transport: SftpTransport, folder: Path) -> None:
    told: list[tuple[int, int | None]] = []
    transport.put(f"{folder}/p", Source.of(bytes(300_000)), progress=lambda done, size: told.append((done, size)))
    assert told[0] == (0, 300_000)
    assert told[-1] == (300_000, 300_000)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


# --- names and rights ---------------------------------------------------------------------------------------------


def test_s08_a_file_that_is_there_is_never_touched(transport: SftpTransport, folder: Path) -> None:
    (folder / "FI").write_bytes(b"the first")
    with pytest.raises(DuplicateName) as caught:
        transport.put(f"{folder}/FI", Source.of(b"another"))
    assert "nothing was sent" in caught.value.certain
    assert (folder / "FI").read_bytes() == b"the first"


def test_s08_our_own_part_is_written_again_when_the_caller_says_so(transport: SftpTransport, folder: Path) -> None:
    (folder / "FI").write_bytes(b"an incomplete part that was longer")
    receipt = transport.put(f"{folder}/FI", Source.of(b"whole"), rewrite=True)
    assert receipt.size_seen == 5
    assert (folder / "FI").read_bytes() == b"whole"


@pytest.mark.parametrize(
    ("path", "code", "advice"),
    [("nowhere/FI", 2, "folder is there"), ("FI/below", 2, "folder is there"), ("", 4, "")],
)
def test_s09_a_refusal_names_the_code_and_the_session_goes_on(
    transport: SftpTransport, folder: Path, path: str, code: int, advice: str
) -> None:
    (folder / "FI").write_bytes(b"a file")
    with pytest.raises((TransferRefused, DuplicateName)) as caught:
        transport.put(f"{folder}/{path}".rstrip("/"), Source.of(b"x"))
    if isinstance(caught.value, TransferRefused):
        assert caught.value.code == code
        assert caught.value.retry.value == "never"
    assert advice in caught.value.advice
    assert transport.put(f"{folder}/next", Source.of(b"x")).size_seen == 1


def test_s09_a_read_only_account_is_refused(tmp_path: Path) -> None:
    with (
        sshd(tmp_path / "sshd", "ForceCommand internal-sftp -R") as server,
        server.transport() as transport,
    ):
        with pytest.raises(TransferRefused, match="SSH_FX_PERMISSION_DENIED") as caught:
            transport.put(f"{server.files}/FI", Source.of(b"x"))
        assert caught.value.phase is Phase.REQUEST
        assert list(server.files.iterdir()) == []


def test_s11_unsafe_names_are_left_out_and_odd_ones_are_found_again(
    transport: SftpTransport, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "line\nbreak").write_bytes(b"x")
    (folder / "\x1b[31mred").write_bytes(b"x")
    latin = os.fsencode(folder) + b"/l\xf8n"
    with open(latin, "wb") as file:  # noqa: PTH123 - a path of bytes
        file.write(b"7500")
    (folder / "CON").write_bytes(b"x")
    (folder / "link").symlink_to("/etc/passwd")
    names = sorted(entry.name for entry in transport.list(str(folder)))
    assert names == ["CON", "link", "løn"]
    assert "3 entries" in caplog.text
    into = io.BytesIO()
    transport.get(f"{folder}/løn", into)
    assert into.getvalue() == b"7500"
    transport.remove(f"{folder}/løn")
    assert not os.path.exists(latin)  # noqa: PTH110 - a path of bytes


# --- sessions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_s10_keys_are_renewed_in_the_middle_of_a_transfer(tmp_path: Path, side: str) -> None:
    theirs = ("RekeyLimit 1M",) if side == "theirs" else ()
    rekey_after = 1 << 20 if side == "ours" else 1 << 30
    document = os.urandom(6 << 20)
    with (
        sshd(tmp_path / "sshd", *theirs, "LogLevel DEBUG") as server,
        server.transport(policy=SftpPolicy(timeouts=QUICK, rekey_after=rekey_after)) as transport,
    ):
        transport.put(f"{server.files}/big", Source.of(document))
        into = io.BytesIO()
        transport.get(f"{server.files}/big", into)
        assert (server.files / "big").read_bytes() == into.getvalue() == document
        assert server.log.read_text().count("KEX done") + server.log.read_text().count("rekey in after") > 2


def test_a_chrooted_account_sees_its_own_root(tmp_path: Path) -> None:
    if os.getuid():
        lacking("only root can be put into a root folder of its own")
    with tempfile.TemporaryDirectory(dir="/run") as name:  # sshd wants every folder above to be root's alone
        root = Path(name)
        root.chmod(0o755)
        (root / "IN").mkdir()
        with sshd(tmp_path / "sshd", f"ChrootDirectory {root}") as server, server.transport() as transport:
            assert transport.home() == "/"
            transport.put("/IN/FI", Source.of(b"x"))
            assert (root / "IN" / "FI").read_bytes() == b"x"


def test_an_idle_session_that_the_server_ended_is_opened_again(server: Server, folder: Path) -> None:
    with CutWire(server.port) as wire, server.transport(port=wire.port) as transport:
        transport.put(f"{folder}/one", Source.of(b"1"))
        wire.hang_up()
        assert transport._session is not None
        for _ in range(100):
            if not transport._session.is_alive():
                break
            time.sleep(0.05)
        assert transport.put(f"{folder}/two", Source.of(b"2")).size_seen == 1
        assert wire.connections == 2


def test_a_session_idle_for_long_is_asked_first(server: Server, folder: Path) -> None:
    now = [1000.0]
    with CutWire(server.port) as wire:
        transport = SftpTransport(
            "127.0.0.1",
            wire.port,
            user=server.user,
            key=server.key,
            host_keys=server.pins,
            policy=SftpPolicy(timeouts=Timeouts(connect=10, tls=20, reply=0.5, data=20)),
            monotonic=lambda: now[0] + time.monotonic(),
        )
        with transport:
            transport.put(f"{folder}/one", Source.of(b"1"))
            wire.stall, wire.cut = True, ("sent", wire.counts["sent"])  # the path is dead, and nobody has noticed
            now[0] += 3600
            assert transport.put(f"{folder}/two", Source.of(b"2")).size_seen == 1
            assert wire.connections == 2


def test_nobody_is_there() -> None:
    with (
        SftpTransport(
            "127.0.0.1", free_port(), user="u", key=ssh_key("rsa-user"), host_keys=HostKeys.pinned("SHA256:" + "A" * 43)
        ) as transport,
        pytest.raises(ConnectionFailed),
    ):
        transport.home()


def test_our_own_public_key_line_is_what_ssh_keygen_reads(tmp_path: Path) -> None:
    program = require("ssh-keygen")
    (tmp_path / "id.pub").write_text(ssh_key("rsa-user").public_line("payroll") + "\n")
    printed = subprocess.run([program, "-lf", str(tmp_path / "id.pub")], check=True, capture_output=True, text=True)
    assert printed.stdout.split()[1] == ssh_key("rsa-user").fingerprint
