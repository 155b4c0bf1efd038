"""What is said, and what is true, when an SFTP server or the wire fails."""

from __future__ import annotations

import io
import os
import threading
from typing import TYPE_CHECKING

import pytest

from govfile.errors import (
    ConfigurationError,
    GovfileError,
    OutcomeUnknown,
    TransferAborted,
    TransferRefused,
)
from govfile.filing.source import Source
from govfile.transports.base import PutReceipt, TransferType
from govfile.transports.sftp import SftpPolicy, SftpTransport, Upload
from support.sftp_faults import Faults, faulty_sftp
from support.sshd import QUICK, Server

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
