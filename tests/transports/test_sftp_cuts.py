"""The wire is cut at every packet: what the SFTP client then says is true of the server's files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from govfile.errors import ConnectionFailed, OutcomeUnknown, TransportError
from govfile.filing.source import Source
from govfile.transports.base import PutReceipt
from govfile.transports.sftp import Upload
from support.sshd import CutWire, Server, sshd

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.servers


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


@pytest.mark.parametrize("way", ["sent", "received"])
def test_s03_s04_a_link_that_breaks_while_logging_in_is_no_refused_login(tmp_path: Path, way: str) -> None:
    with sshd(tmp_path / "sshd") as server, CutWire(server.port) as wire:
        with server.transport(port=wire.port) as transport:
            transport.connect()
            packets = wire.counts[way]
        for number in range(packets):
            with server.transport(port=wire.port) as transport:
                wire.cut = (way, number)
                with pytest.raises(ConnectionFailed):
                    transport.connect()
                wire.cut = None
                assert transport.connect().signature == "rsa-sha2-512"


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
