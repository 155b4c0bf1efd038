"""Purposes and error codes as data: every one that the public texts name, and what is said of others."""

from __future__ import annotations

import logging
import re

import pytest

from govfile import InvalidName
from govfile.onss import CODES, PURPOSES, explain, purpose
from govfile.onss.anomalies import ANOMALY_CLASSES
from govfile.onss.codes import SIGNATURE_CODES, Group
from govfile.onss.notification import DIAGNOSES
from govfile.onss.purposes import Direction

SENT = "DIMN DMFA DMWA DMRQ PFRQ DUCN DDTN TWCT VBLV WECH ZIMA AOAT PUBL CDHG LOIC FLEX ATDO ECRQ ECOR RECO"
RECEIVED = "DMDB DMNO DMPI NOTI IDFL PFAN ECAN ECOA REAN BEWA BEWL FINO FISI LIRE PROA SIGN DEFI"


class TestPurposes:
    @pytest.mark.parametrize("code", SENT.split())
    def test_these_are_sent(self, code: str) -> None:
        found = purpose(code)
        assert found.direction is Direction.SENT
        assert found.is_sent
        assert found.is_known
        assert found.meaning

    @pytest.mark.parametrize("code", RECEIVED.split())
    def test_these_are_received(self, code: str) -> None:
        assert purpose(code).direction is Direction.RECEIVED
        assert not purpose(code).is_sent

    def test_there_are_no_others(self) -> None:
        assert set(PURPOSES) == {*SENT.split(), *RECEIVED.split(), "ACRF"}
        assert purpose("ACRF").direction is Direction.BOTH

    def test_an_unknown_code_is_accepted_with_a_warning(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING, logger="govfile.onss"):
            found = purpose("XYZW")
        assert not found.is_known
        assert found.is_sent
        assert found.contradiction("Anything") == ""
        assert "XYZW is not known" in caplog.text

    @pytest.mark.parametrize("code", ["", "dmfa", "DMF", "DMFAX", "DM1A", "DMFÄ", "DMFA\n"])
    def test_what_can_be_no_code(self, code: str) -> None:
        with pytest.raises(InvalidName, match="four capital letters"):
            purpose(code)

    @pytest.mark.parametrize(
        ("code", "root", "identification"),
        [
            ("DIMN", "Dimona", "DIMONA"),
            ("DMFA", "DmfAOriginal", "DMFA"),
            ("NOTI", "NOTIFICATION", "NOTI001"),
            ("ACRF", "ACRF", "ACRF001"),
            ("AOAT", "Whatever", "AOAT002"),
            ("WECH", "Whatever", "WECH011"),
            ("ZIMA", "Whatever", "ZIMA006"),
            ("PUBL", "Whatever", "Whatever"),
        ],
    )
    def test_a_form_that_fits(self, code: str, root: str, identification: str) -> None:
        assert purpose(code).contradiction(root, identification) == ""

    @pytest.mark.parametrize(
        ("code", "root", "identification", "says"),
        [
            ("DMFA", "DmfAUpdate", "", "the root element is DmfAUpdate"),
            ("DMFA", "DmfAOriginal", "DMFAUPD", "the form is DMFAUPD"),
            ("ZIMA", "Whatever", "ZIMA004", "ZIMA001, ZIMA002"),
        ],
    )
    def test_a_form_that_does_not(self, code: str, root: str, identification: str, says: str) -> None:
        assert says in purpose(code).contradiction(root, identification)

    def test_large_files_are_warned_of_by_purpose(self) -> None:
        assert {found.size_warning for found in PURPOSES.values()} == {35_000_000}


GROUPS = {
    Group.NAME: "107 131 132 129 109 110 111 126 112 113 127 367 114 115 116 128 117",
    Group.SENDER: "108 103 154 249 231",
    Group.DIRECTORY: "118 119 257",
    Group.SET: "120 122 123 124 130 121 142 134 157",
    Group.DUPLICATE: "133",
    Group.SIGNATURE: "125 153 524",
    Group.RIGHTS: "101 155 168",
    Group.XML: "102 088 089 090 091 092 093 135 136 137 138 139 158 205 255 312",
    Group.VOLUME: "172 184 275 509",
    Group.COMPRESSION: "229 280 281",
    Group.CANCELLED: "277 430",
    Group.OTHER_TRANSPORT: " ".join(["140 141 143 144 156 171 258", *map(str, [*range(215, 229), *range(283, 312)])]),
}


class TestCodes:
    @pytest.mark.parametrize(
        ("number", "group"), [(number, group) for group, numbers in GROUPS.items() for number in numbers.split()]
    )
    def test_every_published_code_is_explained(self, number: str, group: Group) -> None:
        found = explain(f"ACRF-{number}")
        assert (found.number, found.group, found.is_known, found.place) == (number, group, True, "")
        assert len(found.meaning) > 10
        assert len(found.advice) > 10
        assert explain(number).meaning == found.meaning
        assert explain(f" acrf-{number} ").meaning == found.meaning

    def test_there_are_no_others(self) -> None:
        assert set(CODES) == {number for numbers in GROUPS.values() for number in numbers.split()}

    def test_a_code_of_a_notification_has_a_place(self) -> None:
        found = explain("00011-155")
        assert (found.place, found.number, found.group) == ("00011", "155", Group.RIGHTS)
        assert found.code == "00011-155"

    @pytest.mark.parametrize(("code", "says"), [("90373-333", "same data exists"), ("90373-334", "overlaps")])
    def test_dimona_periods(self, code: str, says: str) -> None:
        assert says in explain(code).meaning
        assert not explain(f"00000-{code[-3:]}").is_known

    @pytest.mark.parametrize("code", ["ACRF-999", "90007-262", "E42", "", "ACRF-12", "\x1b[31m", "ACRF-1255"])
    def test_an_unknown_code_is_kept_as_it_came(self, code: str) -> None:
        found = explain(code)
        assert found.code == code
        assert not found.is_known
        assert not found.same_content_may_follow

    @pytest.mark.parametrize("number", ["133", "102", "172", "281", "140"])
    def test_the_same_content_does_not_simply_follow(self, number: str) -> None:
        """After a duplicate above all: the earlier file may be this one."""
        assert not explain(f"ACRF-{number}").same_content_may_follow

    @pytest.mark.parametrize("number", ["125", "111", "118", "130", "154"])
    def test_the_same_content_may_follow(self, number: str) -> None:
        assert explain(f"ACRF-{number}").same_content_may_follow

    def test_the_old_details_of_signatures(self) -> None:
        assert sorted(SIGNATURE_CODES) == [0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 22, 23, 99]

    def test_classes_and_diagnoses(self) -> None:
        assert set(ANOMALY_CLASSES) == {"B", "P", "NP", "D", "W", "I", "NB"}
        assert set(DIAGNOSES) == set("0123456789")
        assert all(re.match("[a-z]", text) for text in (*ANOMALY_CLASSES.values(), *DIAGNOSES.values()))
