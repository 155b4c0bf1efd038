"""What the gateway and the back ends refuse in a document, each broken in one way."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.skat import Settings, SkatSandbox, documents, rules
from govfile.sandbox.skat.rules import judge
from govfile.sandbox.skat.services import ALL, CLASSIC
from support.ftps_client import log_in

if TYPE_CHECKING:
    from pathlib import Path

    from govfile.sandbox.skat.rules import Judgement


def look(service: str, content: bytes, *, name: str = "a.zip", is_ascii: bool = True) -> Judgement:
    return judge(service, name, io.BytesIO(content), is_ascii=is_ascii, settings=Settings())


@pytest.mark.parametrize("kind", documents.KINDS)
def test_every_example_is_sound_and_always_the_same(kind: str) -> None:
    document = documents.example(kind, seed=7)
    assert look(kind, document, name=documents.file_name(kind, seed=7)).is_sound
    assert document == documents.example(kind, seed=7)
    assert document != documents.example(kind, seed=8)


def test_the_examples_have_the_published_shapes() -> None:
    for service in ("Udlaan", "Indlaan", "Pantebreve", "Prioritetslaan", "Pensiondiverse"):
        with zipfile.ZipFile(io.BytesIO(documents.example(service, size=5))) as archive:
            assert len(archive.namelist()) == 5
            for konto_id in archive.namelist():
                assert f"<KontoID>{konto_id}</KontoID>".encode() in archive.read(konto_id)
    records = documents.example("CPS", size=4).split(b"\r\n")
    assert [len(record) for record in records] == [868] * 6 + [0]
    assert (records[0][:4], records[-2][:4]) == (b"0001", b"9998")


# --- Classic: the gateway's own codes

PENSION = documents.example("CPS")
LINES = PENSION.split(b"\r\n")[:-1]


def records(*lines: bytes, end: bytes = b"\r\n") -> bytes:
    return b"".join(line + end for line in lines)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (PENSION, None),
        (PENSION.removesuffix(b"\r\n"), None),
        (records(*LINES[1:]), "FIRST_RECORD_INCORRECT"),
        (b"", "FIRST_RECORD_INCORRECT"),
        (records(*LINES[:-1]), "LAST_RECORD_INCORRECT"),
        (records(LINES[0]), "LAST_RECORD_INCORRECT"),
        (records(LINES[0], LINES[1][:-1], *LINES[2:]), "RECORD_LENGTH_INCORRECT"),
        (records(LINES[0], LINES[1] + b" ", *LINES[2:]), "RECORD_LENGTH_INCORRECT"),
        (records(LINES[0][:867], *(line[:867] for line in LINES[1:])), "RECORD_LENGTH_INCORRECT"),
        (records(*LINES, b""), "RECORD_LENGTH_INCORRECT"),
        (records(*LINES, end=b"\n"), "RECORD_LENGTH_INCORRECT"),
        (b"0001" + b"x" * 10_000_000, "RECORD_LENGTH_INCORRECT"),
    ],
    ids=[
        "sound",
        "no line end after the last",
        "no start record",
        "empty",
        "no end record",
        "start record only",
        "one too short",
        "one too long",
        "all one short of 868",
        "an empty record",
        "bare line feeds on the wire",
        "one endless line",
    ],
)
def test_pension_records(content: bytes, code: str | None) -> None:
    assert look("CPS", content).code == code


@pytest.mark.parametrize("service", CLASSIC)
def test_classic_areas_without_a_published_length_want_records_of_one_length(service: str) -> None:
    assert look(service, b"0001abc\r\n1000abc\r\n9998abc\r\n").code == (
        "RECORD_LENGTH_INCORRECT" * (service == "CPS") or None
    )
    assert look(service, b"0001abc\r\n1000ab\r\n9998abc\r\n").code == "RECORD_LENGTH_INCORRECT"
    assert look(service, documents.example(service), is_ascii=False).code == "FILE_NOT_UPLOADED_IN_ASCII_MODE"


# --- Rente: the back end's words


def packed(*members: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return held.getvalue()


def encrypted() -> bytes:
    content = bytearray(packed(("123.xml", b"<a/>")))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    return bytes(content)


def damaged() -> bytes:
    content = bytearray(packed(("123.xml", b"<a>uforstyrret</a>")))
    content[content.index(b"uforstyrret")] ^= 1
    return bytes(content)


def nameless() -> bytes:
    return packed(("Q", b"<a/>")).replace(b"Q", b"\0")


def cut_short() -> bytes:
    content = bytearray(packed(("123.xml", b"<a/>")))
    start = content.index(b"PK\x01\x02")
    content[start + 20 : start + 28] = (5000).to_bytes(4, "little") * 2  # so many bytes are not there
    return bytes(content)


def damaged_lzma() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("123.xml", b"<a>uforstyrret</a>")
    content = bytearray(held.getvalue())
    content[content.index(b"123.xml") + 11] = 255  # how the stream is packed
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (packed(("123.xml", b"<a/>")), None),
        (packed(("Æ" * 30, b"<a/>")), None),
        (packed(("x" * 30, b"<a/>")), None),
        (packed(("x" * 31, b"<a/>")), "31 characters"),
        (packed(("mappe/123.xml", b"<a/>")), "folders are not allowed"),
        (packed(("mappe/", b"")), "folders are not allowed"),
        (packed(("mappe\\123.xml", b"<a/>")), "folders are not allowed"),
        *((packed((f"12{found}3", b"<a/>")), "forbidden characters") for found in "!*'();:@&=+$,?#[]"),
        (packed(), "empty"),
        (b"PK not a zip", "cannot be read"),
        (packed(("123.xml", b"<a/>"))[:-30], "cannot be read"),
        (encrypted(), "encrypted"),
        (damaged(), "damaged"),
        (nameless(), "without a name"),
        (cut_short(), "cannot be read"),
        (damaged_lzma(), "cannot be read"),
    ],
)
def test_rente_zips(content: bytes, finding: str | None) -> None:
    judgement = look("Udlaan", content)
    assert judgement.code is None
    assert bool(judgement.findings) == bool(finding)
    assert (finding or "") in "".join(judgement.findings)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_konto_id_may_be_there_once() -> None:
    assert "used twice" in look("Udlaan", packed(("123.xml", b"<a/>"), ("123.xml", b"<b/>"))).findings[0]


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_UNPACK_LIMIT", 1_000_000)
    monkeypatch.setattr(zipfile.ZipFile, "testzip", lambda _: pytest.fail("it was unpacked"))
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("123.xml", bytes(1_000_001))
    assert look("Udlaan", bomb.getvalue()).is_sound


# --- customs: XML


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (b"<a/>", None),
        (b"<a>", "not well-formed"),
        (b"", "not well-formed"),
        (b"UNB+UNOC:3+X'", "not well-formed"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', None),
        *(
            (f'<?xml version="1.0" encoding="{found}"?><a/>'.encode(), "encoding")
            for found in ("shift_jis", "findes-ikke", "rot13", "idna")
        ),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "document type"),
    ],
)
def test_customs_services_want_xml(content: bytes, finding: str | None) -> None:
    judgement = look("Manifest.AnkomstdeklarationOpret", content)
    assert bool(judgement.findings) == bool(finding)
    assert (finding or "") in "".join(judgement.findings)


# --- how it is told


def test_the_gateway_refuses_by_status_0_and_the_back_end_by_its_answer(tmp_path: Path) -> None:
    with SkatSandbox() as sandbox, log_in(sandbox, tmp_path) as client:
        assert client.upload("CPS/binary.txt", PENSION).startswith("226")
        assert client.upload("Udlaan/mappe.zip", packed(("mappe/1", b"<a/>"))).startswith("226")
        sandbox.clock.advance(1)
        out = sandbox.out(sandbox.identity)
        assert sandbox.filed == ()
        assert [arrival.code for arrival in sandbox.arrived] == ["FILE_NOT_UPLOADED_IN_ASCII_MODE", None]
        refusal = out.pop("status_CPS_binary.txt_0.xml").decode()
        assert "<error.code>FILE_NOT_UPLOADED_IN_ASCII_MODE</error.code>" in refusal
        assert "<status.code>ERROR</status.code>" in refusal
        assert sorted(out) == ["Udlaan_SvarFil_mappe.xml"] + [f"status_Udlaan_mappe.zip_{n}.xml" for n in (1, 2, 3)]
        assert b"<Resultat>AFVIST</Resultat>" in out["Udlaan_SvarFil_mappe.xml"]
        assert "folders are not allowed in the zip: mappe/1" in out["Udlaan_SvarFil_mappe.xml"].decode()


def test_every_service_takes_its_own_example(tmp_path: Path) -> None:
    with SkatSandbox() as sandbox, log_in(sandbox, tmp_path) as client:
        for service in ALL:
            name = sandbox.example_name(service)
            client.upload(f"{service}/{name}", sandbox.example(service), ascii_type=service in CLASSIC)
        assert [arrival.service for arrival in sandbox.filed] == list(ALL)
        assert {arrival.service for arrival in sandbox.filed if arrival.transfer_type == "ascii"} == set(CLASSIC)
