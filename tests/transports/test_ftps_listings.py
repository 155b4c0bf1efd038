"""Listings of every kind: read, tolerated, or bounded."""

from __future__ import annotations

import contextlib
import io
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from govfile.errors import ConnectionFailed, ProtocolError, TransferRefused
from govfile.transports.base import RemoteFile
from support.scripted_ftp import ScriptedFtp, Talk

if TYPE_CHECKING:
    from collections.abc import Callable


def sends(content: bytes, *, goodbye: bool = True) -> Callable[[Talk, str], None]:
    return lambda talk, _: talk.send_file(content, goodbye=goodbye)


def not_known(talk: Talk, _: str) -> None:
    talk.reply("500 not known")


def listing(server: ScriptedFtp, **changes: object) -> list[RemoteFile]:
    with contextlib.closing(server.transport(**changes)) as transport:  # type: ignore[arg-type]
        return transport.list("/out")


def test_the_facts_of_mlsd_are_read() -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = sends(
            b"type=cdir;modify=20260101000000; .\r\n"
            b"type=pdir; ..\r\n"
            b"Type=dir;Modify=20260301120000; Udlaan\r\n"
            b"Size=17;Type=file;Modify=20260301120000.250;UNIX.mode=0644; status 1.xml\r\n"
            b"type=file;size=-4;modify=yesterday; odd facts.xml\r\n"
            b"type=file;size=99999999999999999999;modify=20261399000000; bare.xml\n"
        )
        assert listing(server) == [
            RemoteFile(name="Udlaan", is_folder=True, modified=datetime(2026, 3, 1, 12, tzinfo=UTC)),
            RemoteFile(name="status 1.xml", size=17, modified=datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)),
            RemoteFile(name="odd facts.xml"),
            RemoteFile(name="bare.xml"),
        ]


@pytest.mark.parametrize(
    "name",
    [
        b"a\x1b[2Jb.xml",
        b"a\x07.xml",
        b"../../etc/passwd",
        b"a/b.xml",
        b"a\x00b",
        b"\x7f",
        "a\u202etxt.exe".encode(),
        b"",
    ],
)
def test_f16_names_that_cannot_be_files_of_ours_are_skipped_and_reported(
    name: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = sends(b"type=file; " + name + b"\r\ntype=file; good.xml\r\n")
        assert [entry.name for entry in listing(server)] == ["good.xml"]
    assert "1 entries of a listing skipped" in caplog.text
    assert "\x1b" not in caplog.text


@pytest.mark.parametrize("line", [b"no facts here", b" ;;; ", b"x", b";;;; a", b"\xff\xfe"])
def test_f16_lines_that_are_no_entries_are_skipped_and_reported(line: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = sends(line + b"\r\ntype=file; good.xml\r\n")
        assert [entry.name for entry in listing(server)] == ["good.xml"]
    assert "skipped" in caplog.text


def test_a_name_that_is_not_utf8_is_shown_as_latin_1_and_found_again() -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = sends(b"type=file; bl\xe5b\xe6r.xml\r\n")
        with contextlib.closing(server.transport()) as transport:
            [entry] = transport.list("/out")
            assert entry.name == "blåbær.xml"
            server.files["/out/bl\xe5b\xe6r.xml"] = b"<svar/>"
            into = io.BytesIO()
            transport.get(f"/out/{entry.name}", into)
            assert into.getvalue() == b"<svar/>"
        assert "RETR /out/bl\xe5b\xe6r.xml" in server.seen, "the same bytes, not their UTF-8"


UNIX = (
    b"total 12\r\n"
    b"drwxr-xr-x   2 ftp      ftp          4096 Mar 01 12:00 Udlaan\r\n"
    b"-rw-r--r--   1 ftp      ftp            17 Mar 01  2025 status 1.xml\r\n"
    b"lrwxrwxrwx   1 ftp      ftp             4 Mar 01 12:00 link -> there\r\n"
)
ENDLESS = b"-rw-r--r--   1 ftp      ftp  %b Mar 01 12:00 a.xml\r\n"
DOS = b"03-01-26  12:00PM       <DIR>          Udlaan\r\n03-01-2026  01:30AM                   17 status 1.xml\r\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (UNIX, [("Udlaan", True, None), ("status 1.xml", False, 17), ("link", False, 4)]),
        (DOS, [("Udlaan", True, None), ("status 1.xml", False, 17)]),
        (ENDLESS % (b"9" * 5000), [("a.xml", False, None)]),
        (b"03-01-26  12:00PM  %b a.xml\r\n" % (b"9" * 20), [("a.xml", False, None)]),
    ],
    ids=["unix", "dos", "size-of-5000-digits", "size-of-20-digits"],
)
def test_f16_older_listings_are_read(lines: bytes, expected: list[tuple[str, bool, int | None]]) -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = not_known
        server.on["LIST"] = sends(lines)
        assert [(entry.name, entry.is_folder, entry.size) for entry in listing(server)] == expected


def test_f16_names_come_from_nlst_where_list_is_in_an_unknown_form() -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = not_known
        server.on["LIST"] = sends(UNIX + b"VAX$FILE;1   2/3   1-MAR-2026 [SYSTEM]\r\n")
        server.on["NLST"] = sends(b"/out/Udlaan\r\n/out/status 1.xml\r\n/out/link\r\n/out/other.xml\r\n")
        assert [entry.name for entry in listing(server)] == ["Udlaan", "status 1.xml", "link", "other.xml"]


def test_mlsd_is_asked_for_once_only_where_it_is_not_known() -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = not_known
        server.on["LIST"] = sends(UNIX)
        with contextlib.closing(server.transport()) as transport:
            assert transport.list("/out") == transport.list("/out")
        assert server.count("MLSD") == 1


@pytest.mark.parametrize("answer", [sends(b""), lambda talk, _: talk.reply("550 no files found")], ids=["empty", "550"])
@pytest.mark.parametrize("exists", [True, False])
def test_an_empty_list_is_told_from_a_folder_that_is_not_there(
    answer: Callable[[Talk, str], None], exists: bool
) -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = not_known
        server.on["LIST"] = answer
        server.on["CWD"] = lambda talk, _: talk.reply("250 fine" if exists else "550 not here")
        if exists:
            assert listing(server) == []
            assert [line for line in server.seen if line.startswith("CWD")] == ["CWD /out", "CWD /"]
        else:
            with pytest.raises(TransferRefused, match="cannot be entered"):
                listing(server)


@pytest.mark.parametrize("reply", ["550 not here", "530 not for you", "450 busy", "501 not a folder"])
def test_a_folder_that_may_not_be_listed_is_a_refusal(reply: str) -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = lambda talk, _: talk.reply(reply)
        with pytest.raises(TransferRefused) as caught:
            listing(server)
        assert caught.value.code == int(reply[:3])
        assert server.count("LIST") == 0


def test_f16_a_hundred_thousand_entries_are_read() -> None:
    lines = b"".join(b"type=file;size=%d; status_%d.xml\r\n" % (number, number) for number in range(100_000))
    with ScriptedFtp() as server:
        server.on["MLSD"] = sends(lines)
        started = time.monotonic()
        found = listing(server)
        assert len(found) == 100_000
        assert found[-1] == RemoteFile(name="status_99999.xml", size=99_999)
        assert time.monotonic() - started < 60


def test_f16_more_entries_than_allowed_are_a_protocol_error() -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = sends(b"type=file; a\r\n" * 101)
        with pytest.raises(ProtocolError, match="more than 100 entries"):
            listing(server, listing_limit=100)


@pytest.mark.parametrize("end", [b"\r\n", b""])
def test_f16_an_endless_line_is_a_protocol_error(end: bytes) -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = sends(b"type=file; " + b"x" * 100_000 + end)
        with pytest.raises(ProtocolError, match="a listing line of more than") as refused:
            listing(server)
    assert "listing_limit" not in refused.value.advice


def test_f12_a_listing_without_a_tls_close_counts_when_the_server_calls_it_complete() -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = sends(b"type=file; a.xml\r\n", goodbye=False)
        assert [entry.name for entry in listing(server)] == ["a.xml"]


def test_f12_a_listing_cut_off_in_a_line_is_an_error() -> None:
    with ScriptedFtp() as server:
        server.on["MLSD"] = sends(b"type=file; a.xml\r\ntype=file; statu", goodbye=False)
        with pytest.raises(ConnectionFailed, match="cut off"):
            listing(server)


def test_f16_a_hundred_thousand_bare_names_are_read_in_time() -> None:
    names = [f"status_{number}.xml" for number in range(100_000)]
    with ScriptedFtp() as server:
        server.on["MLSD"] = not_known
        server.on["LIST"] = sends(b"a form that nobody knows\r\n")
        server.on["NLST"] = sends("".join(f"{name}\r\n" for name in names).encode())
        began = time.monotonic()
        assert [entry.name for entry in listing(server)] == names
        assert time.monotonic() - began < 30


def test_a_name_that_came_back_in_utf8_is_asked_for_in_utf8() -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        for raw in (b"bl\xe5.xml", "blå.xml".encode()):
            server.on["MLSD"] = sends(b"type=file; " + raw + b"\r\n")
            assert [entry.name for entry in transport.list("/out/")] == ["blå.xml"]
            with pytest.raises(TransferRefused):
                transport.get("/out/blå.xml", io.BytesIO())
        assert [line for line in server.seen if line.startswith("RETR")] == [
            "RETR /out/bl\xe5.xml",
            "RETR /out/blå.xml".encode().decode("latin-1"),
        ]
