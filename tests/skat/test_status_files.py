"""Status files: names that are never split by guessing, content that is read however it is laid out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from govfile.filing.civil_time import by_rule
from govfile.filing.states import Proof
from govfile.filing.status import read_text, read_xml
from govfile.skat.codes import CODES, NAME_REUSED, explain
from govfile.skat.danish_time import from_stamp
from govfile.skat.status import StatusFile, StatusName, in_words
from support.skat_world import World, report

DELIVERED = b"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<status><file>
  <filename>/ CVR_10101010/UI_00000000-0000-4000-8000-000000000001/Udlaan/10101010_2025_a1.zip</filename>
  <FTPTransaktionsId>10101010_2025_a1.zip</FTPTransaktionsId>
  <SKATTransactionId>ci1767600000000_1_1</SKATTransactionId>
  <timestamp>20260105090005</timestamp>
  <status.code>File delivered to requested Backend System</status.code>
  <service>Udlaan</service>
</file></status>"""

ERROR = b"<error.code>%s</error.code><error.message>a text</error.message><error.resolution>do</error.resolution>"


def status(content: bytes, number: int = 1, middle: str = "Udlaan_10101010_2025_a1.zip") -> StatusFile:
    name = StatusName.parse(f"status_{middle}_{number}.xml")
    assert name is not None
    return StatusFile.read(name, content)


def refusal(errors: bytes, *, inside: bool = True) -> StatusFile:
    ids = b"<FTPTransaktionsId>run7.txt</FTPTransaktionsId><status.code>ERROR</status.code>"
    body = b"<file>" + ids + errors + b"</file>" if inside else b"<file>" + ids + b"</file>" + errors
    return status(b"<status>" + body + b"</status>", 0, "AKSA_run7.txt")


@pytest.mark.parametrize(
    ("remote_name", "middle", "number"),
    [
        ("status_Udlaan_abc.zip_1.xml", "Udlaan_abc.zip", 1),
        (
            "status_Manifest.AnkomstdeklarationOpret_a_b_1_2.xml_3.xml",
            "Manifest.AnkomstdeklarationOpret_a_b_1_2.xml",
            3,
        ),
        ("status_UFO_20160819120000123_0.xml", "UFO_20160819120000123", 0),
        ("STATUS_x_y_9.XML", "x_y", 9),
    ],
)
def test_a_name_is_cut_only_at_its_fixed_ends(remote_name: str, middle: str, number: int) -> None:
    assert StatusName.parse(remote_name) == StatusName(remote_name, middle, number)


@pytest.mark.parametrize(
    "name", ["status_1.xml", "status__x.xml", "Udlaan_a_1.xml", "status_a_b_10.xml", "status_a_1.txt", ""]
)
def test_other_names_are_no_status_files(name: str) -> None:
    assert StatusName.parse(name) is None


def test_every_reading_of_a_name_is_offered_and_none_preferred() -> None:
    name = StatusName.parse("status_A_b_c.zip_2.xml")
    assert name is not None
    assert list(name.readings()) == [("A", "b_c.zip"), ("A_b", "c.zip")]


def test_the_published_shape_is_read_with_its_stray_blank_and_local_time() -> None:
    found = status(DELIVERED)
    block = found.block_for("10101010_2025_a1.zip")
    assert block is not None
    assert block.path == "/CVR_10101010/UI_00000000-0000-4000-8000-000000000001/Udlaan/10101010_2025_a1.zip"
    assert (block.folder, block.upload, block.gateway_id) == ("Udlaan", "10101010_2025_a1.zip", "ci1767600000000_1_1")
    assert block.timestamp == datetime(2026, 1, 5, 8, 0, 5, tzinfo=UTC)
    assert found.proof(block) is Proof.HANDED_OVER
    assert in_words(block) == "File delivered to requested Backend System"
    assert found.reading.raw == DELIVERED


@pytest.mark.parametrize("spelling", [b"SKATTransactionId", b"SKATTransaktionsId", b"skattransaktionsid"])
def test_both_spellings_of_the_ids_and_any_namespace_are_read(spelling: bytes) -> None:
    content = DELIVERED.replace(b"SKATTransactionId", spelling).replace(b"<status>", b'<status xmlns="urn:any">')
    content = content.replace(b"FTPTransaktionsId", b"FTPTransactionId")
    block = status(content).blocks[0]
    assert (block.gateway_id, block.transaction) == ("ci1767600000000_1_1", "10101010_2025_a1.zip")


@pytest.mark.parametrize(
    ("layout", "inside"),
    [
        (b"<error>%s</error>", True),
        (b"%s", True),
        (b"<errors><list><error>%s</error></list></errors>", True),
        (b"<error>%s</error>", False),
        (b'<e:error xmlns:e="urn:e">%s</e:error>', False),
    ],
)
def test_errors_are_found_at_any_depth(layout: bytes, inside: bool) -> None:
    found = refusal(layout % (ERROR % b"RECORD_LENGTH_INCORRECT"), inside=inside)
    block = found.block_for("run7.txt")
    assert block is not None
    assert [(error.code, error.message, error.resolution) for error in block.errors] == [
        ("RECORD_LENGTH_INCORRECT", "a text", "do")
    ]
    assert found.proof(block) is Proof.REFUSED


def test_errors_nested_where_their_names_have_dots_are_found_too() -> None:
    found = refusal(b"<error><Code>ONE</Code><message>a text</message><resolution>do</resolution></error>")
    (error,) = found.blocks[0].errors
    assert (error.code, error.message, error.resolution) == ("ONE", "a text", "do")
    assert refusal(b"<other><code>ONE</code></other>").blocks[0].errors == ()


def test_a_code_deeper_than_its_message_is_not_lost(world: World) -> None:
    filed = world.gateway().submit(report(), service="Udlaan", name="19552101_2025_a1.zip")
    error = "<error><error.message>a text</error.message><x><error.code>LAST_RECORD_INCORRECT</error.code></x></error>"
    world.server.status("Udlaan", filed.name, 0, more=error)
    (refused,) = world.gateway().collect(world.into).submissions
    assert refused.rejection is not None
    assert refused.rejection.code == "LAST_RECORD_INCORRECT"


def test_several_errors_side_by_side_keep_their_own_texts() -> None:
    found = refusal(b"<error>" + ERROR % b"ONE" + ERROR % b"TWO" + b"</error>")
    assert [(error.code, error.message) for error in found.blocks[0].errors] == [("ONE", "a text"), ("TWO", "a text")]


def test_a_reused_name_is_its_own_evidence() -> None:
    found = refusal(ERROR % NAME_REUSED.encode())
    assert found.proof(found.blocks[0]) is Proof.NAME_REUSED


def test_a_refusal_without_any_error_block_is_still_a_refusal() -> None:
    found = refusal(b"")
    assert found.proof(found.blocks[0]) is Proof.REFUSED


def test_several_file_blocks_are_told_apart() -> None:
    one, two = (b"<file><FTPTransaktionsId>%s</FTPTransaktionsId></file>" % name for name in (b"a.zip", b"b.zip"))
    found = status(b"<status>" + one + two + ERROR % b"X" + b"</status>", 0)
    block = found.block_for("b.zip")
    assert block is not None
    assert (block.transaction, block.errors[0].code) == ("b.zip", "X")
    assert found.block_for("c.zip") is None


@pytest.mark.parametrize(
    "response",
    [
        b"<response><filename>/CVR_1/UI_2/out/svar.xml</filename></response>",
        b"<response>svar.xml</response>",
        b"<x><response><files><filename> svar.xml </filename></files></response></x>",
    ],
)
def test_an_announced_answer_is_not_mistaken_for_the_upload(response: bytes) -> None:
    content = DELIVERED.replace(b"<file>", b"<file>" + response)
    found = status(content, 3)
    assert found.blocks[0].responses == ("svar.xml",)
    assert found.blocks[0].upload == "10101010_2025_a1.zip"
    assert found.proof(found.blocks[0]) is Proof.ANNOUNCED


def test_unknown_elements_are_kept() -> None:
    content = DELIVERED.replace(b"</file>", b"<tal><antal>12</antal></tal></file>")
    assert ("file/tal/antal", "12") in status(content).blocks[0].unknown


@pytest.mark.parametrize(
    "content",
    [
        b"",
        DELIVERED[:100],
        b"\x00\xff garbage",
        b"<html><body>Service unavailable</body></html>",
        b"<status/>",
        b'<!DOCTYPE s [<!ENTITY a "b">]><status><file><filename>&a;</filename></file></status>',
        b"<status>" * 300,
        b" " * (1024 * 1024 + 1),
    ],
    ids=["empty", "truncated", "garbage", "a web page", "nothing in it", "entities", "deep", "too large"],
)
def test_f15_what_cannot_be_read_says_so_and_never_raises(content: bytes) -> None:
    found = status(content)
    assert found.problem
    assert found.blocks == ()
    assert found.reading.raw == content


def test_a_status_about_another_upload_is_not_taken_for_ours() -> None:
    assert status(DELIVERED, middle="Udlaan_other.zip").block_for("other.zip") is None


@pytest.mark.parametrize("number", [4, 9])
def test_numbers_no_text_speaks_of_move_nothing(number: int) -> None:
    found = status(DELIVERED, number)
    assert found.proof(found.blocks[0]) is Proof.NOTED


def test_every_published_code_has_meaning_and_advice() -> None:
    assert len(CODES) == 13
    assert all(known.meaning and known.advice and known.is_known for known in CODES.values())
    assert {code for code, known in CODES.items() if not known.is_retired} == {
        NAME_REUSED,
        "FILE_NOT_UPLOADED_IN_ASCII_MODE",
        "RECORD_LENGTH_INCORRECT",
        "FIRST_RECORD_INCORRECT",
        "LAST_RECORD_INCORRECT",
    }
    assert explain("record_length_incorrect ").code == "RECORD_LENGTH_INCORRECT"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (b"<error.message>a text</error.message><error.resolution>do this</error.resolution>", "a text; do this"),
        (b"<error.resolution>do this</error.resolution>", "do this"),
        (b"", "a code this version does not know; read the authority's own text in the saved status file"),
    ],
)
def test_of_an_unknown_code_the_authoritys_remedy_is_told(texts: bytes, words: str) -> None:
    assert in_words(refusal(b"<error.code>NEW</error.code>" + texts).blocks[0]) == words


def test_an_unknown_code_is_kept_verbatim_with_the_authoritys_words() -> None:
    error = b"<error><error.code>Ny Kode 7</error.code><error.message>se 010170-1234</error.message></error>"
    found = refusal(error)
    block = found.blocks[0]
    assert block.errors[0].code == "Ny Kode 7"
    assert not explain("Ny Kode 7").is_known
    assert explain("Ny Kode 7").code == "Ny Kode 7"
    assert in_words(block) == "se **********"
    assert "010170" not in repr(found)


@pytest.mark.parametrize(
    ("stamp", "utc"),
    [
        ("20201210143002", datetime(2020, 12, 10, 13, 30, 2, tzinfo=UTC)),
        ("20200710143002", datetime(2020, 7, 10, 12, 30, 2, tzinfo=UTC)),
        ("20160819120000123", datetime(2016, 8, 19, 10, 0, 0, tzinfo=UTC)),
        ("20261025023000", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("20261399000000", None),
        ("yesterday", None),
        ("", None),
        ("٢٠٢٠١٢١٠١٤٣٠٠٢", None),
    ],
)
def test_stamps_are_danish_local_time(stamp: str, utc: datetime | None) -> None:
    assert from_stamp(stamp) == utc


def test_the_built_in_rule_agrees_with_the_time_zone_database() -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Europe/Copenhagen")
    for year in (2016, 2020, 2025, 2026, 2030):
        for month, day, hour in ((1, 1, 0), (3, 29, 1), (3, 29, 4), (6, 1, 12), (10, 25, 1), (10, 28, 4), (12, 31, 23)):
            local = datetime(year, month, day, hour)  # noqa: DTZ001 local time is the point
            assert by_rule(local) == local.replace(tzinfo=zone).utcoffset(), local


def test_text_answers_are_read_in_the_encoding_that_fits() -> None:
    assert read_text("fejl æ".encode()).text == "fejl æ"
    assert read_text("fejl æ".encode("latin-1")).text == "fejl æ"
    assert read_text(b"").problem
    assert read_text(b"a\x00b").problem
    assert read_text(b"abc", limit=2).problem
    assert not read_xml(b"<a/>").problem


def test_l09_raw_bytes_and_texts_do_not_show_in_a_repr() -> None:
    for reading in (read_xml(b"<a b='0101701234'>0101701234</a>"), read_text(b"0101701234")):
        assert "0101701234" not in repr(reading)
