"""What is said, and what is true, when an SFTP server or the wire fails."""

from __future__ import annotations

import io
import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from govfile.errors import (
    ConfigurationError,
    ConnectionFailed,
    GovfileError,
    OutcomeUnknown,
    ProtocolError,
    TimedOut,
    TransferAborted,
    TransferRefused,
    TransportError,
)
from govfile.filing.source import Source
from govfile.transports.base import PutReceipt, Timeouts, TransferType
from govfile.transports.sftp import HostKeys, SftpPolicy, SftpTransport, Upload
from support.sftp_faults import Faults, faulty_sftp
from support.sshd import QUICK, CutWire, Server, ssh_key, sshd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Five WRITEs, the last one short.
DOCUMENT = os.urandom(4 * 131_072 + 1000)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def server(tmp_path: Path, faults: Faults) -> Iterator[Server]:
    root = tmp_path / "root"
    root.mkdir()
    with faulty_sftp(root, faults) as running:
        yield running


@pytest.fixture
def transport(server: Server) -> Iterator[SftpTransport]:
    with server.transport() as opened:
        yield opened


@pytest.mark.parametrize("failing", [0, 2, 4])
def test_s05_a_failed_write_is_raised_and_the_incomplete_file_is_removed(
    server: Server, transport: SftpTransport, faults: Faults, failing: int
) -> None:
    faults.fail_write = failing
    with pytest.raises(TransferRefused, match="No space left on device") as caught:
        transport.put("/FI", Source.of(DOCUMENT))
    assert caught.value.code == 4
    assert "the incomplete file was removed" in caught.value.certain
    assert list(server.files.iterdir()) == []
    faults.fail_write = None
    assert transport.put("/FI", Source.of(DOCUMENT)).size_seen == len(DOCUMENT)


def test_s05_what_cannot_be_removed_is_said_to_lie_there(
    server: Server, transport: SftpTransport, faults: Faults
) -> None:
    faults.fail_write, faults.forbid_remove = 1, True
    with pytest.raises(TransferRefused) as caught:
        transport.put("/FI", Source.of(DOCUMENT))
    assert "an incomplete file may lie there" in caught.value.certain
    assert (server.files / "FI").read_bytes() != DOCUMENT


def test_s05_one_failing_file_of_many_stops_no_other(server: Server, transport: SftpTransport, faults: Faults) -> None:
    faults.fail_write = 3
    uploads = [Upload(path=f"/f{number}", content=Source.of(b"%d" % number * 500)) for number in range(8)]
    outcomes = transport.put_many(uploads)
    failed = [outcome for outcome in outcomes if isinstance(outcome, GovfileError)]
    assert len(failed) == 1
    assert sum(isinstance(outcome, PutReceipt) for outcome in outcomes) == 7
    assert len(list(server.files.iterdir())) == 7


def test_s06_a_failed_close_is_not_reported_as_confirmed(transport: SftpTransport, faults: Faults) -> None:
    faults.fail_close = True
    with pytest.raises(OutcomeUnknown, match="refused to close") as caught:
        transport.put("/FI", Source.of(DOCUMENT))
    assert "every byte was sent" in caught.value.evidence
    assert "Disk quota exceeded" in caught.value.evidence


@pytest.mark.parametrize("fault", ["forbid_stat", "hide_size"])
def test_s07_a_size_that_cannot_be_seen_is_a_weaker_receipt_and_no_error(
    transport: SftpTransport, faults: Faults, fault: str
) -> None:
    setattr(faults, fault, True)
    receipt = transport.put("/FI", Source.of(DOCUMENT))
    assert receipt.size_seen is None
    assert receipt.bytes_sent == len(DOCUMENT)
    assert "every write and the close were confirmed" in receipt.reply


def test_s07_a_server_that_moves_files_at_once_is_believed(
    transport: SftpTransport, faults: Faults, tmp_path: Path
) -> None:
    faults.move_to = tmp_path
    assert transport.put("/GO", Source.of(b"")).size_seen is None
    assert transport.put("/FI", Source.of(DOCUMENT)).size_seen is None
    assert (tmp_path / "FI").read_bytes() == DOCUMENT


def test_s07_another_size_than_was_sent_is_unknown(transport: SftpTransport, faults: Faults) -> None:
    faults.show_size = 7
    with pytest.raises(OutcomeUnknown, match="shows 7 bytes"):
        transport.put("/FI", Source.of(DOCUMENT))


def test_nobody_looks_where_the_policy_says_so(server: Server, faults: Faults) -> None:
    faults.show_size = 7
    with server.transport(policy=SftpPolicy(timeouts=QUICK, confirm_size=False)) as transport:
        assert transport.put("/FI", Source.of(DOCUMENT)).size_seen is None


def test_a_refused_rename_leaves_all_of_it_under_the_first_name(
    server: Server, transport: SftpTransport, faults: Faults
) -> None:
    faults.fail_rename = True
    (outcome,) = transport.put_many([Upload(path="/a.part", content=Source.of(DOCUMENT), rename_to="/a")])
    assert isinstance(outcome, TransferRefused)
    assert "all of it lies at /a.part" in outcome.certain
    assert (server.files / "a.part").read_bytes() == DOCUMENT


def test_a_cancelled_upload_leaves_nothing_behind(server: Server, transport: SftpTransport) -> None:
    def cancel(done: int, _size: int | None) -> None:
        if done:
            raise RuntimeError("enough")

    with server.transport(policy=SftpPolicy(timeouts=QUICK, in_flight=128 * 1024)) as slow:
        with pytest.raises(TransferAborted) as caught:
            slow.put("/FI", Source.of(DOCUMENT), progress=cancel)
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert "removed" in caught.value.certain
        assert list(server.files.iterdir()) == []
        assert slow.put("/FI", Source.of(DOCUMENT)).size_seen == len(DOCUMENT)


def test_cancelling_before_the_first_byte_sends_nothing(server: Server, transport: SftpTransport) -> None:
    def cancel(_done: int, _size: int | None) -> None:
        raise RuntimeError("no")

    with pytest.raises(TransferAborted, match="cancelled"):
        transport.put("/FI", Source.of(b"x"), progress=cancel)
    assert list(server.files.iterdir()) == []


class Changing:
    """A document that is not what it promised."""

    size = len(DOCUMENT)
    sha256 = Source.of(DOCUMENT).sha256

    def __init__(self, actual: bytes) -> None:
        self._actual = actual

    def open(self) -> io.BytesIO:
        return io.BytesIO(self._actual)


@pytest.mark.parametrize("actual", [DOCUMENT[:-1], DOCUMENT + b"x", b"\0" + DOCUMENT[1:]])
def test_a_source_that_changed_is_never_sent_whole(server: Server, transport: SftpTransport, actual: bytes) -> None:
    with pytest.raises(TransferAborted, match="source changed"):
        transport.put("/FI", Changing(actual))
    assert list(server.files.iterdir()) == []


def test_there_is_no_ascii_type(transport: SftpTransport) -> None:
    with pytest.raises(ConfigurationError, match="byte for byte"):
        transport.put("/FI", Source.of(b"x"), transfer_type=TransferType.ASCII)


# --- deadlines and bounds -----------------------------------------------------------------------------------------


def short(**changes: float) -> SftpPolicy:
    return SftpPolicy(timeouts=Timeouts(**{"connect": 5, "tls": 10, "reply": 10, "data": 10, "close": 1, **changes}))


def test_s10_a_server_that_stalls_in_a_transfer_meets_the_deadline(server: Server, faults: Faults) -> None:
    faults.stall_write = 0
    with server.transport(policy=short(data=0.4)) as transport, pytest.raises(GovfileError) as caught:
        transport.put("/FI", Source.of(DOCUMENT))
    assert isinstance(caught.value, OutcomeUnknown)  # every byte had left
    with server.transport(policy=short(data=0.4)) as transport:
        faults.stall_write = faults.writes
        with pytest.raises(TimedOut) as late:
            transport.put("/FI2", Source.of(bytes(20_000_000)))
        assert late.value.which == "data"
        assert "not handed over" in late.value.certain


def test_s10_the_total_deadline_bounds_the_call(server: Server, faults: Faults) -> None:
    faults.stall_write = 0
    with server.transport(policy=short(total=1.5)) as transport, pytest.raises(GovfileError) as caught:
        transport.put("/FI", Source.of(bytes(20_000_000)))
    assert isinstance(caught.value, TimedOut)
    assert caught.value.which == "total"


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"", TimedOut),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200, ProtocolError),
        (b"x" * 100_000, ProtocolError),
        (b"SSH-2.0-flood\r\n" + b"\xff\xff\xff\xff" * 1000, ProtocolError),
        (b"SSH-1.5-old\r\n", ProtocolError),
    ],
)
def test_s16_whatever_greets_us_is_bounded(greeting: bytes, error: type[GovfileError]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_greet, args=(listener, greeting), daemon=True).start()
        transport = SftpTransport(
            "127.0.0.1",
            listener.getsockname()[1],
            user="u",
            key=ssh_key("rsa-user"),
            host_keys=HostKeys.pinned("SHA256:" + "A" * 43),
            policy=short(tls=1.0),
        )
        with transport, pytest.raises(error):
            transport.home()


def _greet(listener: socket.socket, greeting: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        try:
            connection.sendall(greeting)
            connection.settimeout(5)
            while connection.recv(65536):
                pass
        except OSError:
            return


def test_s16_a_folder_without_end_is_bounded(server: Server, faults: Faults) -> None:
    faults.endless_listing = True
    policy = SftpPolicy(timeouts=QUICK, listing_limit=1000)
    with server.transport(policy=policy) as transport, pytest.raises(ProtocolError, match="does not end"):
        transport.list("/")


def test_s16_an_answer_larger_than_the_limit_is_refused(server: Server, faults: Faults) -> None:
    faults.names = tuple(b"%d" % number + b"n" * 250 for number in range(100))
    policy = SftpPolicy(timeouts=QUICK, reply_limit=10_000)
    with server.transport(policy=policy) as transport, pytest.raises(ProtocolError, match="announces"):
        transport.list("/")


def test_s16_a_banner_is_read_and_ignored(tmp_path: Path) -> None:
    faults = Faults(banner="\x1b[31mAuthorised use only\n" * 500)
    with faulty_sftp(tmp_path, faults) as server, server.transport() as transport:
        assert transport.home() == "/"


def test_s11_names_that_lead_elsewhere_are_left_out(
    transport: SftpTransport, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    faults.names = (b".", b"..", b"../x", b"/etc/passwd", b"a/b", b"", b"nul\0", b"tab\t", b"del\x7f", b"good", b"..x")
    assert [entry.name for entry in transport.list("/")] == ["good", "..x"]
    assert "7 entries" in caplog.text


def test_used_by_two_threads_it_says_so(server: Server, transport: SftpTransport) -> None:
    seen: list[GovfileError] = []

    def intrude() -> None:
        try:
            transport.home()
        except ConfigurationError as error:
            seen.append(error)

    def committing() -> None:
        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()

    transport.put("/FI", Source.of(b"x"), committing=committing)
    assert "two threads" in str(seen[0])


def test_an_interruption_goes_through_and_the_next_call_connects_anew(server: Server, transport: SftpTransport) -> None:
    def interrupt(_done: int, _size: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transport.put("/FI", Source.of(b"x"), progress=interrupt)
    assert transport.put("/FI", Source.of(b"x")).size_seen == 1


# --- downloads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [10_007, 131_071, 131_072])
def test_a_server_that_gives_less_than_asked_is_asked_again(
    server: Server, transport: SftpTransport, faults: Faults, piece: int
) -> None:
    (server.files / "FO").write_bytes(DOCUMENT)
    faults.short_reads = piece
    into = io.BytesIO()
    told: list[int] = []
    receipt = transport.get("/FO", into, progress=lambda done, _size: told.append(done))
    assert into.getvalue() == DOCUMENT
    assert receipt.size == told[-1] == len(DOCUMENT)


def test_s15_a_download_that_breaks_is_an_error_never_a_short_success(
    server: Server, transport: SftpTransport, faults: Faults
) -> None:
    (server.files / "FO").write_bytes(DOCUMENT)
    faults.cut_reads_at = 262_144
    with pytest.raises(TransferRefused, match="SSH_FX_FAILURE"):
        transport.get("/FO", io.BytesIO())
    faults.cut_reads_at = None
    into = io.BytesIO()
    transport.get("/FO", into)
    assert into.getvalue() == DOCUMENT
    assert (server.files / "FO").exists()


def test_a_download_beyond_the_limit_stops(server: Server, transport: SftpTransport) -> None:
    (server.files / "FO").write_bytes(DOCUMENT)
    into = io.BytesIO()
    with pytest.raises(TransferAborted, match="larger than the limit"):
        transport.get("/FO", into, limit=len(DOCUMENT) - 1)
    assert len(into.getvalue()) < len(DOCUMENT)
    assert transport.get("/FO", io.BytesIO(), limit=len(DOCUMENT)).size == len(DOCUMENT)


def test_a_download_that_cannot_be_written_here_stops(server: Server, transport: SftpTransport) -> None:
    (server.files / "FO").write_bytes(DOCUMENT)

    class Full(io.BytesIO):
        def write(self, _data: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(TransferAborted, match="cannot be written here"):
        transport.get("/FO", Full())


# --- the wire is cut ----------------------------------------------------------------------------------------------


@pytest.mark.servers
@pytest.mark.parametrize("size", [0, 150_000])
@pytest.mark.parametrize("way", ["sent", "received"])
def test_s04_cut_at_every_packet_what_is_said_is_true(tmp_path: Path, size: int, way: str) -> None:
    document = os.urandom(size)
    with sshd(tmp_path / "sshd") as server, CutWire(server.port) as wire:
        with server.transport(port=wire.port) as transport:
            transport.connect()
            first = wire.counts[way]
            transport.put(f"{server.files}/whole", Source.of(document))
            last = wire.counts[way]
        assert last > first + 1
        said = set()
        for number in range(first, last):
            said.add(_cut(server, wire, (way, number), document))
        if way == "received":
            assert said >= {OutcomeUnknown}
        if size:
            assert ConnectionFailed in said


def _cut(server: Server, wire: CutWire, cut: tuple[str, int], document: bytes) -> type:
    """One upload cut at one packet; what was said of it must be true of the server's files."""
    name = f"FI.{cut[0]}.{cut[1]}"
    target = server.files / name
    with server.transport(port=wire.port) as transport:
        transport.connect()
        wire.cut = cut
        outcome = transport.put_many([Upload(path=f"{server.files}/{name}", content=Source.of(document))])[0]
        wire.cut = None
        said = type(outcome)
        if isinstance(outcome, TransportError):
            assert "not handed over" in outcome.certain
        there = target.read_bytes() if target.exists() else None
        if said is PutReceipt:
            assert there == document
        elif said is not OutcomeUnknown:
            assert there is None or (document and there != document)
        assert transport.put(f"{server.files}/{name}", Source.of(document), rewrite=True).size_seen == len(document)
        assert target.read_bytes() == document
    return said


@pytest.mark.servers
def test_many_uploads_cut_half_way_each_say_what_is_true(tmp_path: Path) -> None:
    documents = {f"f{number}": os.urandom(3000 + number) for number in range(150)}
    with sshd(tmp_path / "sshd") as server, CutWire(server.port) as wire, server.transport(port=wire.port) as transport:
        transport.connect()
        wire.cut = ("sent", wire.counts["sent"] + 9)
        uploads = [Upload(path=f"{server.files}/{name}", content=Source.of(data)) for name, data in documents.items()]
        outcomes = transport.put_many(uploads)
        wire.cut = None
        for (name, data), outcome in zip(documents.items(), outcomes, strict=True):
            target = server.files / name
            if isinstance(outcome, PutReceipt):
                assert target.read_bytes() == data
            elif not isinstance(outcome, OutcomeUnknown):
                assert isinstance(outcome, TransportError)
                assert not target.exists() or target.read_bytes() != data
        assert not any(isinstance(outcome, PutReceipt) for outcome in outcomes[-64:])
        assert "nothing of it was sent" in str(outcomes[-1])
