"""What a service takes: names and content, checked before anything leaves."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from govfile import skat
from govfile.errors import ConfigurationError, InvalidContent, InvalidName
from govfile.filing.source import Source
from govfile.skat.naming import remote_name
from govfile.skat.services import Services
from govfile.skat.username import Login
from govfile.transports.base import TransferType
from support.skat_world import CVR, records, report

LOGIN = Login(username="x", cvr=CVR, folder=None)


def check(service: str, content: bytes) -> None:
    skat.PROFILES[service].check(Source.of(content))


def zipped(*names: str, flag_utf8: bool = True) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "<Laan/>")
    return content.getvalue() if flag_utf8 else content.getvalue().replace("æ".encode(), b"\x91 ")


def test_the_shipped_profiles_are_the_published_services() -> None:
    assert (len(skat.ICS), len(skat.MANIFEST), len(skat.RENTE), len(skat.CLASSIC)) == (3, 12, 5, 12)
    assert {found.transfer for found in skat.CLASSIC} == {TransferType.ASCII}
    assert {found.transfer for found in (*skat.ICS, *skat.MANIFEST, *skat.RENTE)} == {TransferType.BINARY}
    assert {found.name for found in skat.PROFILES.values() if found.validation_prefix} == {
        found.name for found in skat.RENTE
    }


@pytest.mark.parametrize("service", sorted(skat.PROFILES))
def test_f18_an_empty_document_is_refused_everywhere(service: str) -> None:
    with pytest.raises(InvalidContent, match="empty"):
        check(service, b"")


# --- Rente --------------------------------------------------------------------------------------------------------


def test_a_rente_zip_in_the_published_shape_passes() -> None:
    check("Udlaan", report(accounts=50))
    check("Indlaan", zipped("123.xml", "æøå.xml", "a" * 30))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<xml/>", "not a zip"),
        (report()[:-30], "not a zip"),
        (report()[30:], "not a zip"),
        (zipped(), "empty"),
        (zipped("folder/123.xml"), "folder"),
        (zipped("folder/"), "folder"),
        (zipped("..\\123.xml"), "folder"),
        (zipped("a" * 31), "31 characters"),
        *((zipped(f"1{letter}2.xml"), "must not hold") for letter in "!*'();:@&=+$,?#[]"),
        (zipped("1\n2.xml"), "must not hold"),
        (zipped("123.xml", "æ.xml", flag_utf8=True).replace(b"\x00\x08", b"\x00\x00"), "UTF-8"),
    ],
)
def test_a_zip_that_breaks_a_rule_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(InvalidContent, match=says):
        check("Udlaan", content)


def test_an_inner_file_without_a_name_is_refused() -> None:
    whole = zipped("x")
    entry, end = whole.index(b"PK\1\2"), whole.index(b"PK\5\6")
    nameless = whole[entry : entry + 28] + b"\0\0" + whole[entry + 30 : end - 1]
    size = len(nameless).to_bytes(4, "little")
    with pytest.raises(InvalidContent, match="file 1 of 1 in the zip has no name"):
        check("Udlaan", whole[:entry] + nameless + whole[end : end + 12] + size + whole[end + 16 :])


def test_an_encrypted_inner_file_is_refused() -> None:
    whole = bytearray(zipped("123.xml"))
    for place in (6, whole.index(b"PK\1\2") + 8):
        whole[place] |= 1  # as a packer that was given a password marks it
    with pytest.raises(InvalidContent, match="is encrypted"):
        check("Udlaan", bytes(whole))


def test_a_zip_given_as_an_open_file_is_judged_like_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "report.zip"
    for content, fits in ((report(), True), (zipped("folder/123.xml"), False), (report()[:-30], False)):
        path.write_bytes(content)
        with path.open("rb") as reader:
            reader.seek(3)
            if fits:
                skat.PROFILES["Udlaan"].check(Source.of(reader))
            else:
                with pytest.raises(InvalidContent):
                    skat.PROFILES["Udlaan"].check(Source.of(reader))
            assert not reader.closed


def test_two_inner_files_of_one_name_are_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = zipped("123.xml", "123.xml")
    with pytest.raises(InvalidContent, match="file 2 of 2 in the zip has the same name"):
        check("Udlaan", content)


def test_an_account_number_is_not_repeated_in_the_error() -> None:
    with pytest.raises(InvalidContent) as refused:
        check("Udlaan", zipped("0101701234;.xml"))
    assert "0101701234" not in str(refused.value)


def test_g04_a_bomb_is_judged_by_its_directory_alone() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.xml", bytes(64 * 1024 * 1024))
    check("Udlaan", bomb.getvalue())


# --- Classic ------------------------------------------------------------------------------------------------------


def test_classic_records_in_the_published_shape_pass() -> None:
    check("AKSA", records("a", "b"))
    check("AKSA", records("a").replace(b"\r\n", b"\n").removesuffix(b"\n"))
    check("CPS", records("a", width=868))


@pytest.mark.parametrize(
    ("service", "content", "says"),
    [
        ("AKSA", records("a")[2:], "FIRST_RECORD_INCORRECT"),
        ("AKSA", records("a")[:-82], "LAST_RECORD_INCORRECT"),
        ("AKSA", records("a").replace(b"0100a ", b"0100a"), "record 2 has 79 bytes, not 80"),
        ("AKSA", records("a") + b"\r\n", "record 4 has 0 bytes"),
        ("AKSA", records("a").replace(b"\r\n", b"\r"), "LAST_RECORD_INCORRECT"),
        ("CPS", records("a"), "record 1 has 80 bytes, not 868"),
        ("AKSA", b"0001" + bytes(2 * 1024 * 1024), "longer than"),
    ],
)
def test_records_that_break_a_rule_are_refused(service: str, content: bytes, says: str) -> None:
    with pytest.raises(InvalidContent, match=re.escape(says)):
        check(service, content)


def test_whether_bytes_or_characters_count_is_a_setting() -> None:
    danish = records("æøå").decode().encode("utf-8")  # the padding was counted in characters
    with pytest.raises(InvalidContent):
        check("AKSA", danish)
    by_character = skat.classic_profile("AKSA", skat.RecordRules(counting=skat.Counting.CHARACTERS))
    by_character.check(Source.of(danish))
    with pytest.raises(InvalidContent, match="not utf-8 at byte"):
        by_character.check(Source.of(records("æ").decode().encode("latin-1")))
    unknown = skat.classic_profile("X", skat.RecordRules(counting=skat.Counting.CHARACTERS, encoding="none"))
    with pytest.raises(ConfigurationError, match="no encoding"):
        unknown.check(Source.of(danish))


# --- XML ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["Manifest.AnkomstdeklarationOpret", "SummariskIndgangsangivelseOpretService"])
def test_customs_messages_are_well_formed_xml_and_nothing_else(service: str) -> None:
    check(service, b"<Ankomst><Linje/></Ankomst>")
    for content in (b"UNB+UNOC:3+SENDER'", b"<a>", b"<!DOCTYPE a><a/>"):
        with pytest.raises(InvalidContent, match="well-formed"):
            check(service, content)


# --- own profiles -------------------------------------------------------------------------------------------------


def test_a_user_adds_services_and_changes_those_that_ship() -> None:
    own = skat.ServiceProfile(name="DMR", folder="Motor.Register", largest=10)
    services = Services.of([own, attrs.evolve(skat.PROFILES["Udlaan"], largest=5)])
    assert services.get("DMR").folder == "Motor.Register"
    with pytest.raises(InvalidContent, match="at most 5"):
        services.get("Udlaan").check(Source.of(report()))
    assert services.get("Indlaan") is skat.PROFILES["Indlaan"]
    with pytest.raises(ConfigurationError, match="two profiles"):
        Services.of([own, own])


@pytest.mark.parametrize("prefix", ["", "../", "prøve_", "a b", "a\r\n"])
def test_a_prefix_that_would_file_for_real_or_spoil_the_name_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="prefix"):
        skat.ServiceProfile(name="DMR", validation_prefix=prefix)


def test_a_real_filing_never_carries_the_prefix_of_its_own_service() -> None:
    profile = skat.ServiceProfile(name="DMR", validation_prefix="check-")
    for name in ("check-a.xml", "CHECK-a.xml", "a_check-b.xml"):
        with pytest.raises(InvalidName, match="holds check- where"):
            remote_name(profile.naming, name, prefix=profile.validation_prefix, is_dry_run=False)
    assert remote_name(profile.naming, "val_a.xml", prefix="check-", is_dry_run=False) == "val_a.xml"


def test_records_that_cannot_begin_so_are_a_mistake_of_the_profile() -> None:
    with pytest.raises(ConfigurationError, match="ASCII"):
        skat.RecordRules(first="æ")


def test_an_unlisted_service_is_taken_as_a_plain_binary_one() -> None:
    found = Services.of().get("Ny.Service")
    assert (found.folder, found.transfer, found.content_check) == ("Ny.Service", TransferType.BINARY, None)
    found.check(Source.of(b"x"))


@pytest.mark.parametrize("name", ["", "..", "out", "a/b", "a\r\nb", None, 5, ["Udlaan"]])
def test_what_cannot_be_a_service_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError):
        Services.of().get(name)


@pytest.mark.parametrize("service", ["Udlaan", "AKSA"])
def test_a_name_that_is_no_text_is_refused(service: str) -> None:
    not_text: Any = Path("19552101_2025_a1.zip")
    profile = skat.PROFILES[service]
    with pytest.raises(InvalidName, match="not text"):
        remote_name(profile.naming, not_text, prefix=profile.validation_prefix, is_dry_run=False)


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a\r\nDELE b", "a\x00b", "a/b", "..", "../a", "a\\b", "blåbær.xml", "a b", "x" * 101, "", ".hidden", "a\x1bb"],
)
@pytest.mark.parametrize("service", ["Manifest.AnkomstdeklarationOpret", "Udlaan", "AKSA", "UFO"])
def test_f14_hostile_names_are_refused_here(service: str, name: str) -> None:
    with pytest.raises(InvalidName):
        remote_name(skat.PROFILES[service].naming, name, prefix=None, is_dry_run=False)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("19552101_2025_a1.zip", True),
        ("19552101_2025-1_a_1.zip", True),
        ("19552101_2025_" + "u" * 82 + ".zip", True),
        ("19552101_2025_" + "u" * 83 + ".zip", False),
        ("19552101_2025_a-1.zip", False),
        ("19552101_2025_a1.xml", False),
        ("19552101_2025_a.1.zip", False),
    ],
)
def test_rente_names_keep_length_and_alphabet(name: str, fits: bool) -> None:
    naming = skat.PROFILES["Udlaan"].naming
    if fits:
        naming.check(name)
    else:
        with pytest.raises(InvalidName):
            naming.check(name)


def test_the_inferred_shape_of_rente_names_is_enforced_only_on_request(caplog: pytest.LogCaptureFixture) -> None:
    naming = skat.PROFILES["Udlaan"].naming
    naming.check("report.zip")
    assert "does not have the shape" in caplog.text
    with pytest.raises(InvalidName, match="shape"):
        attrs.evolve(naming, is_strict=True).check("report.zip")


def test_a_dry_run_gets_its_prefix_and_leaves_room_for_it() -> None:
    profile = skat.PROFILES["Udlaan"]

    def dry(name: str) -> str:
        return remote_name(profile.naming, name, prefix=profile.validation_prefix, is_dry_run=True)

    assert dry("19552101_2025_a1.zip") == "val_19552101_2025_a1.zip"
    assert len(dry("19552101_2025_" + "u" * 78 + ".zip")) == 100
    with pytest.raises(InvalidName, match="shorten it by 1"):
        dry("19552101_2025_" + "u" * 79 + ".zip")


@pytest.mark.parametrize("is_dry_run", [True, False])
@pytest.mark.parametrize("name", ["val_19552101_2025_a1.zip", "VAL_x.zip", "19552101_2025_val_a1.zip"])
def test_a_name_the_gateway_could_take_for_a_dry_run_is_refused(name: str, is_dry_run: bool) -> None:
    profile = skat.PROFILES["Udlaan"]
    with pytest.raises(InvalidName, match="check only"):
        remote_name(profile.naming, name, prefix=profile.validation_prefix, is_dry_run=is_dry_run)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("12345678_123", True),
        ("12345678_123.xml", True),
        ("12345678_" + "a" * 25, True),
        ("12345678_" + "a" * 26, False),
        ("1234567_123", False),
        ("12345678-123", False),
        ("12345678_1 3", False),
    ],
)
def test_crs_names_are_the_cvr_and_a_short_id(name: str, fits: bool) -> None:
    naming = skat.crs_profile("CRS", "Some.Folder").naming
    if fits:
        naming.check(name)
    else:
        with pytest.raises(InvalidName):
            naming.check(name)


def test_names_made_here_keep_the_rule_and_carry_the_time() -> None:
    def make(service: str, source: str | None) -> str:
        return skat.PROFILES[service].naming.make(
            LOGIN,
            source,
            clock=lambda: datetime(2026, 1, 5, 9, 0, 5, 123000, tzinfo=UTC),
            randomness=lambda count: bytes(range(count)),
        )

    assert make("AKSA", "Kørsel 7.TXT") == "20260105090005123-00010203.txt"
    assert make("Manifest.AnkomstdeklarationOpret", None) == "20260105090005123-00010203"
    assert make("UFO", "report.xml") == "10101010_2026010509000512300010203.xml"
    assert make("Udlaan", "19552101_2025_a1.zip") == "19552101_2025_a1.zip"
    with pytest.raises(InvalidName, match="carry a meaning"):
        make("Udlaan", None)
    with pytest.raises(InvalidName):
        make("Udlaan", "rapport å.zip")
