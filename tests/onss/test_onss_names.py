"""File names of the Belgian batch channel: every published form, and every refusal with its own message and code."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from govfile import InvalidName
from govfile.onss import CODES, BatchName, Prefix
from govfile.onss.name_rules import NameLimits, faults_of, faults_of_set, folder_fault

TODAY = date(2026, 3, 2)

PUBLISHED = [
    ("FI.DMFA.123456.20260302.00001.R.1.1", Prefix.FI, 1, 1),
    ("FI.DMFA.123456.20260302.00001.R.4.3", Prefix.FI, 4, 3),
    ("FS.DMFA.123456.20260302.00001.R.4.3", Prefix.FS, 4, 3),
    ("GO.DMPI.012996.20090718.50002.R.1", Prefix.GO, 1, None),
    ("TD.DMFA.123456.20260302.00001.T.1", Prefix.TD, 1, None),
    ("FO.ACRF.999999.20070423.00001.R", Prefix.FO, None, None),
    ("FS.ACRF.999999.20070423.00001.R", Prefix.FS, None, None),
    ("GO.ACRF.999999.20070423.00001.R", Prefix.GO, None, None),
    ("FO.DMNO.999999.20070425.00010.R.1.1", Prefix.FO, 1, 1),
    ("CO.NOTI.999999.20140628.00001.R", Prefix.CO, None, None),
    ("FI.WECH.123456.20030801.00001.R", Prefix.FI, None, None),
    ("GO.AOAT.000001.20090728.00901.R", Prefix.GO, None, None),
    ("FI.ACRF.006400.20070424.00001.R", Prefix.FI, None, None),
    ("FI.DIMN.006400.20260302.0A0ZZ.S.1.1", Prefix.FI, 1, 1),
]


@pytest.mark.parametrize(("text", "prefix", "parts", "part"), PUBLISHED)
def test_every_published_form_is_read(text: str, prefix: Prefix, parts: int | None, part: int | None) -> None:
    name = BatchName.parse(text)
    assert (name.prefix, name.parts, name.part) == (prefix, parts, part)
    assert str(name) == text
    assert BatchName.recognise(text) == name
    assert name.stem == ".".join(text.split(".")[1:6])


def test_the_elements_are_told_apart() -> None:
    name = BatchName.parse("FI.DMFA.006400.20260302.0000A.T.2.1")
    assert name.purpose == "DMFA"
    assert name.sender == "006400"
    assert name.created == "20260302"
    assert name.date == TODAY
    assert name.sequence == "0000A"
    assert name.environment == "T"


def test_a_date_that_is_none_is_read_and_refused() -> None:
    assert BatchName.parse("FO.ACRF.999999.20261345.00001.R").date is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FI",
        "dmfa.xml",
        "FI.DMFA.123456.20260302.00001.R.1.1.xml",
        "FI.DMFA.123456.20260302.00001.R.1.1\n",
        " FI.DMFA.123456.20260302.00001.R.1.1",
        "fi.dmfa.123456.20260302.00001.r.1.1",
        "FI.DMFA.123456.20260302.00001.X.1.1",
        "FI.ATDO.123456.20210901.000001.T.1.1",
        "FI.DMFA.12345\uff16.20260302.00001.R.1.1",
        "../FI.DMFA.123456.20260302.00001.R.1.1",
        "FI.DMFA.123456.20260302.00001.R.10.1",
        "FI.DMFA.123456.20260302.00001.R.0.1",
        "XX.DMFA.123456.20260302.00001.R.1.1",
        "FO.ACRF.999999.20070423.00001.R.1.1.1",
        "A" * 10_000,
    ],
)
def test_other_names_are_not_ours(text: str) -> None:
    assert BatchName.recognise(text) is None
    with pytest.raises(InvalidName) as caught:
        BatchName.parse(text)
    assert len(caught.value.what) < 400
    assert "\n" not in caught.value.what


#: A name to be sent, the code the authority would answer with, and words of our message.
REFUSALS = [
    ("GO.DMFA.123456.20260302.00001.R.1.1", "107", "8 elements where GO names have 7"),
    ("GO.DMFA.123456.20260302.00001.R", "107", "6 elements"),
    ("FI.DMFA.123456.20260302.00001.R.1", "131", "7 elements where FI names have 8"),
    ("FI.DMFA.123456.20260302.00001.R.1.1.xml", "131", "9 elements"),
    ("FS.DMFA.123456.20260302.00001.R", "132", "6 elements where FS names have 8"),
    ("TD.DMFA.123456.20260302.00001.R.1.1", "", "8 elements where TD names have 7"),
    ("XX.DMFA.123456.20260302.00001.R.1.1", "129", "'XX' is no prefix"),
    ("fi.DMFA.123456.20260302.00001.R.1.1", "129", "'fi' is no prefix"),
    ("FO.ACRF.123456.20260302.00001.R.1.1", "129", "name of an answer"),
    ("FI.dmfa.123456.20260302.00001.R.1.1", "131", "four capital letters"),
    ("FI.DMFAX.123456.20260302.00001.R.1.1", "131", "four capital letters"),
    ("FS.DM1A.123456.20260302.00001.R.1.1", "132", "four capital letters"),
    ("GO..123456.20260302.00001.R.1", "107", "four capital letters"),
    ("FI.DMFA.6400.20260302.00001.R.1.1", "131", "leading zeros count"),
    ("FI.DMFA.12345A.20260302.00001.R.1.1", "131", "six digits"),
    ("FI.DMFA.999998.20260302.00001.R.1.1", "108", "not that of the login, 123456"),
    ("FI.DMFA.123456.2026032.00001.R.1.1", "109", "eight positions"),
    ("FI.DMFA.123456.02032026X.00001.R.1.1", "109", "eight positions"),
    ("FI.DMFA.123456.20260230.00001.R.1.1", "110", "no date"),
    ("FI.DMFA.123456.02032026.00001.R.1.1", "110", "no date"),
    ("FI.DMFA.123456.2026 3 2.00001.R.1.1", "110", "no date"),
    ("FI.DMFA.123456.20260303.00001.R.1.1", "111", "in Belgium it is 20260302"),
    ("FI.DMFA.123456.20250101.00001.R.1.1", "126", "more than 365 days old"),
    ("FI.DMFA.123456.20260302.0001.R.1.1", "112", "five positions"),
    ("FI.DMFA.123456.20260302.000001.R.1.1", "112", "five positions"),
    ("FI.DMFA.123456.20260302.00000.R.1.1", "127", "zero"),
    ("FI.DMFA.123456.20260302.0000a.R.1.1", "367", "outside 0-9 and A-Z"),
    ("FI.DMFA.123456.20260302.0000É.R.1.1", "367", "outside 0-9 and A-Z"),
    ("FI.DMFA.123456.20260302.0000-.R.1.1", "367", "outside 0-9 and A-Z"),
    ("FI.DMFA.123456.20260302.00001.P.1.1", "117", "none of R (real)"),
    ("FI.DMFA.123456.20260302.00001.r.1.1", "117", "none of R (real)"),
    ("FI.DMFA.123456.20260302.00001..1.1", "117", "none of R (real)"),
    ("FI.DMFA.123456.20260302.00001.R.10.1", "114", "one position"),
    ("FI.DMFA.123456.20260302.00001.R..1", "114", "one position"),
    ("FI.DMFA.123456.20260302.00001.R.A.1", "115", "no digit"),
    ("FI.DMFA.123456.20260302.00001.R.0.1", "116", "zero"),
    ("GO.DMFA.123456.20260302.00001.R.0", "116", "zero"),
    ("FI.DMFA.123456.20260302.00001.R.7.1", "128", "more than the 6"),
    ("FI.DMFA.123456.20260302.00001.R.2.3", "123", "none of the 2 parts"),
    ("FI.DMFA.123456.20260302.00001.R.2.0", "123", "none of the 2 parts"),
    ("FI.DMFA.123456.20260302.00001.R.2.A", "123", "none of the 2 parts"),
    ("FS.DMFA.123456.20260302.00001.R.2.3", "124", "none of the 2 parts"),
    ("FI.DMFA.123456.20260302.00009.R.1.1", "133", "was sent before"),
]


@pytest.mark.parametrize(("text", "code", "says"), REFUSALS)
def test_every_refusal_is_foreseen_with_its_code(text: str, code: str, says: str) -> None:
    limits = NameLimits(oldest=timedelta(days=365), most_parts=6)
    used = {"FI.DMFA.123456.20260302.00009.R.1.1"}
    (fault,) = faults_of(text, on=TODAY, sender="123456", used=used, limits=limits)
    assert fault.code == code
    assert says in fault.message
    assert str(fault).endswith(f"(ACRF-{code})") == bool(code)


def test_every_code_of_a_refusal_is_one_that_is_explained() -> None:
    assert {code for _, code, _ in REFUSALS if code} <= set(CODES)


def test_several_faults_are_told_together() -> None:
    text = "FI.dmfa.1.2026.1.X.0.1"
    assert [fault.code for fault in faults_of(text)] == ["131", "131", "109", "112", "117", "116"]
    with pytest.raises(InvalidName, match=r"ACRF-109.*ACRF-112.*ACRF-117"):
        BatchName.strict(text, on=TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "FI.DMFA.123456.20260302.00001.R.1.1",
        "FI.DMFA.123456.20260302.ZZZZZ.R.9.9",
        "FS.DMFA.123456.19990101.00001.S.1.1",
        "GO.XYZW.123456.20260302.00001.T.1",
        "TD.DMFA.123456.20260302.00001.T.1",
    ],
)
def test_what_may_be_sent(text: str) -> None:
    assert faults_of(text, on=TODAY, sender="123456") == ()
    assert str(BatchName.strict(text, on=TODAY, sender="123456")) == text


@pytest.mark.parametrize("text", ["FI.WECH.123456.20030801.00001.R", "GO.AOAT.000001.20090728.00901.R"])
def test_the_short_form_is_read_and_not_written(text: str) -> None:
    assert faults_of(text, strictly=False) == ()
    assert [fault.code for fault in faults_of(text)] == [{"FI": "131", "GO": "107"}[text[:2]]]


class TestMaking:
    def clock(self, *moment: int) -> datetime:
        return datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type, misc]

    def test_the_names_of_a_set_in_order(self) -> None:
        name = BatchName.make(
            purpose="DMFA",
            sender="101420",
            sequence="00007",
            environment="R",
            parts=2,
            clock=lambda: self.clock(2026, 3, 2),
        )
        assert [str(found) for found in name.in_order()] == [
            "FI.DMFA.101420.20260302.00007.R.2.1",
            "FI.DMFA.101420.20260302.00007.R.2.2",
            "FS.DMFA.101420.20260302.00007.R.2.1",
            "FS.DMFA.101420.20260302.00007.R.2.2",
            "GO.DMFA.101420.20260302.00007.R.2",
        ]
        assert [str(found)[:2] for found in name.in_order(signed=False)] == ["FI", "FI", "GO"]
        assert str(name.td()) == "TD.DMFA.101420.20260302.00007.R.2"
        assert str(name.fi(2).fs()) == "FS.DMFA.101420.20260302.00007.R.2.2"
        assert str(name.fi(2).go()) == str(name)
        assert faults_of_set(map(str, name.in_order())) == ()

    @pytest.mark.parametrize("part", [0, 3, -1])
    def test_a_part_that_does_not_exist(self, part: int) -> None:
        name = BatchName.parse("GO.DMFA.101420.20260302.00007.R.2")
        with pytest.raises(InvalidName, match="no part"):
            name.fi(part)

    @pytest.mark.parametrize(
        ("moment", "expected"),
        [
            ((2026, 3, 2, 22, 59), "20260302"),
            ((2026, 3, 2, 23, 0), "20260303"),
            ((2026, 7, 2, 21, 59), "20260702"),
            ((2026, 7, 2, 22, 0), "20260703"),
            ((2026, 12, 31, 23, 0), "20270101"),
        ],
    )
    def test_the_date_is_that_of_belgium(self, moment: tuple[int, ...], expected: str) -> None:
        name = BatchName.make(
            purpose="DMFA", sender="101420", sequence="00001", environment="R", clock=lambda: self.clock(*moment)
        )
        assert name.created == expected

    def test_tomorrow_is_refused_and_yesterday_is_not(self) -> None:
        def make(on: date) -> BatchName:
            return BatchName.make(
                purpose="DMFA",
                sender="101420",
                sequence="00001",
                environment="R",
                on=on,
                clock=lambda: self.clock(2026, 3, 2, 12),
            )

        assert make(date(2026, 3, 1)).created == "20260301"
        with pytest.raises(InvalidName, match="ACRF-111"):
            make(date(2026, 3, 3))

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"purpose": "dmfa"}, "107"),
            ({"sender": "6400"}, "107"),
            ({"sequence": "00000"}, "127"),
            ({"sequence": "abcde"}, "367"),
            ({"environment": "P"}, "117"),
            ({"parts": 0}, "116"),
            ({"parts": 10}, "114"),
        ],
    )
    def test_nothing_wrong_is_made(self, wrong: dict[str, object], code: str) -> None:
        right = {"purpose": "DMFA", "sender": "101420", "sequence": "00001", "environment": "R", "parts": 1}
        with pytest.raises(InvalidName, match=f"ACRF-{code}"):
            BatchName.make(**{**right, **wrong})  # type: ignore[arg-type]


class TestSets:
    FOUR = tuple(str(name) for name in BatchName.parse("GO.DMFA.101420.20260302.00007.R.4").in_order())

    def without(self, *prefixes: str) -> list[str]:
        return [name for name in self.FOUR if not name.startswith(prefixes)]

    @pytest.mark.parametrize(
        ("change", "codes"),
        [
            (lambda names: names, []),
            (lambda names: [name for name in names if not name.startswith("GO")], ["130"]),
            (lambda names: names[1:], ["120"]),
            (lambda names: [*names, "FI.DMFA.101420.20260302.00007.R.4.4"], ["120"]),
            (lambda names: [name for name in names if not name.startswith("FS") or not name.endswith("2")], ["122"]),
            (lambda names: ["FI.DMFA.101420.20260302.00007.R.4.2", *names[1:]], ["123"]),
            (lambda names: [*names[:4], "FS.DMFA.101420.20260302.00007.R.4.2", *names[5:]], ["124"]),
            (lambda names: [name for name in names if not name.startswith("FI")], ["142", "120"]),
            (lambda names: [*names[:-1], "GO.DMFA.101420.20260302.00008.R.4"], [""]),
        ],
    )
    def test_what_is_missing_or_too_much(self, change: object, codes: list[str]) -> None:
        assert [fault.code for fault in faults_of_set(change(self.FOUR))] == codes  # type: ignore[operator]

    def test_signatures_where_none_belong(self) -> None:
        assert [fault.code for fault in faults_of_set(self.FOUR, signed=False)] == ["121"]
        assert faults_of_set(self.without("FS"), signed=False) == ()
        assert [fault.code for fault in faults_of_set(self.without("FS"))] == ["122"]

    @pytest.mark.parametrize(
        ("letter", "folder", "code"),
        [
            ("R", "IN", None),
            ("T", "/INTEST", None),
            ("S", "INTEST-S/", None),
            ("R", "INTEST", "118"),
            ("T", "IN", "119"),
            ("S", "INTEST", "257"),
            ("P", "IN", "117"),
        ],
    )
    def test_each_environment_has_its_folder(self, letter: str, folder: str, code: str | None) -> None:
        fault = folder_fault(letter, folder)
        assert (fault.code if fault else None) == code


class TestAnswers:
    OURS = BatchName.parse("FI.DMFA.101420.20260302.00007.R.4.1")

    @pytest.mark.parametrize(
        "named",
        [
            "GO.DMFA.101420.20260302.00007.R.4",
            "GO.DMFA.101420.20260302.00007.R",
            "FI.DMFA.101420.20260302.00007.R.4.3",
            "FS.DMFA.101420.20260302.00007.R.4.3",
            " GO.DMFA.101420.20260302.00007.R.4\n",
        ],
    )
    def test_any_of_the_sets_names_is_ours(self, named: str) -> None:
        assert self.OURS.matches(named)
        assert BatchName.parse(named.strip()).matches(self.OURS)

    @pytest.mark.parametrize(
        "named",
        [
            "GO.DMWA.101420.20260302.00007.R.4",
            "GO.DMFA.101421.20260302.00007.R.4",
            "GO.DMFA.101420.20260301.00007.R.4",
            "GO.DMFA.101420.20260302.00008.R.4",
            "GO.DMFA.101420.20260302.00007.T.4",
            "nothing of the kind",
            "",
        ],
    )
    def test_others_are_not(self, named: str) -> None:
        assert not self.OURS.matches(named)

    def test_an_answers_other_files(self) -> None:
        answer = BatchName.parse("FO.ACRF.999999.20070423.00001.R")
        assert str(answer.fs()) == "FS.ACRF.999999.20070423.00001.R"
        assert str(answer.go()) == "GO.ACRF.999999.20070423.00001.R"
        packed = BatchName.parse("CO.NOTI.999999.20140628.00001.R")
        assert str(packed.fs()) == "FS.NOTI.999999.20140628.00001.R"
        parted = BatchName.parse("FO.DMNO.999999.20070425.00010.R.1.1")
        assert str(parted.fs()) == "FS.DMNO.999999.20070425.00010.R.1.1"
        assert [str(name) for name in parted.triggers()] == [
            "GO.DMNO.999999.20070425.00010.R.1.1",
            "GO.DMNO.999999.20070425.00010.R.1",
            "GO.DMNO.999999.20070425.00010.R",
        ]
