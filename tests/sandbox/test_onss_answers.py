"""Answers: what they say of a declaration, in which order they come, and how they can be asked for."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.onss import Anomaly, Packing, Schedule, Settings
from support.onss_sender import acknowledged, connected, form_of, forms_of, standing_still, text

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ["Identification", "FormCreationDate", "FormCreationHour", "AttestationStatus", "TypeForm"]


def test_each_answer_is_an_fo_an_fs_and_a_go(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        sender.declare(authority.example("DMFA"))
        sender.wait()
        names = [f"{purpose}.999999.{sender.day()}.00001.R" for purpose in ("ACRF", "NOTI")]
        assert sorted(sender.answers("")) == sorted(f"{each}.{name}" for name in names for each in ("FO", "FS", "GO"))
        assert all(content == b"" for content in sender.answers("GO").values())
        assert sorted(sender.sftp.listdir("OUT")) == sorted(sender.answers(""))


def test_an_acknowledgement_has_the_published_structure(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        name = sender.declare(authority.example("DMFA"))
        sender.wait()
        form = form_of(next(iter(sender.answers("FO.ACRF").values())))
        assert [each.tag for each in form] == [*HEADER, "FileReference", "ReceptionResult"]
        assert form.findtext("Identification") == "ACRF001"
        assert form.findtext("FileReference/FileName") == name
        assert form.findtext("FileReference/ReferenceOrigin") == "2"
        ticket = form.findtext("FileReference/ReferenceNbr")
        assert ticket == authority.declared[0].ticket
        assert len(ticket or "") == 13


def test_a_notification_has_the_published_structure(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        name = sender.declare(authority.example("DMFA", seed=7))
        sender.wait()
        form = form_of(next(iter(sender.answers("FO.NOTI").values())))
        assert [each.tag for each in form] == [
            *HEADER,
            "FileReference",
            "HandledOriginalFile",
            "HandledOriginalForm",
            "Reference",
            "Reference",
            "HandledReference",
            "HandlingResult",
        ]
        assert form.findtext("FileReference/FileName") == name
        assert form.findtext("HandledOriginalForm/Identification") == "DMFA"
        assert form.findtext("HandlingResult/ResultCode") == "1"
        references = {
            each.findtext("ReferenceOrigin"): each.findtext("ReferenceNbr") for each in form.findall("Reference")
        }
        assert references == {"2": authority.declared[0].ticket, "1": "DMFA000007-1"}
        declared = authority.example("DMFA", seed=7).decode()
        assert f"<FormCreationHour>{form.findtext('HandledOriginalForm/FormCreationHour')}<" in declared


def test_answers_come_when_their_time_has_come(tmp_path: Path) -> None:
    schedule = Schedule(pickup=10, acrf=100, noti=1000)
    with standing_still(schedule=schedule) as authority, connected(authority, tmp_path) as sender:
        sender.declare(authority.example("DMFA"))
        seen = []
        for seconds in (9, 2, 98, 2, 998, 2):
            sender.wait(seconds)
            seen.append((len(authority.folder("IN")), len(authority.declared), len(sender.answers())))
        assert seen == [(3, 0, 0), (0, 1, 0), (0, 1, 0), (0, 1, 1), (0, 1, 1), (0, 1, 2)]


def test_a_refused_set_gets_no_notification(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        sender.declare(b"no xml")
        sender.wait(3600)
        assert [name[:7] for name in sender.answers()] == ["FO.ACRF"]
        assert authority.filed == ()


def test_codes_can_be_asked_for(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        with authority.replies.during(refuse_with=("101", "249")):
            name = sender.declare(authority.example("DMFA"))
            assert sender.codes(name) == ["101", "249"]
        assert sender.codes(sender.declare(authority.example("DMFA"))) == []


def test_an_acknowledgement_may_name_the_declaration_and_carry_no_ticket(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        with authority.replies.during(names_declaration=True, has_ticket=False):
            name = sender.declare(authority.example("DMFA"))
            sender.wait()
        form = form_of(next(iter(sender.answers("FO.ACRF").values())))
        assert form.findtext("FileReference/FileName") == f"FI{name[2:]}.1"
        assert form.find("FileReference/ReferenceNbr") is None


def test_a_provisional_acknowledgement_may_come_first(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        with authority.replies.during(provisional_first=True, refuse_with=("101",)):
            sender.declare(authority.example("DMFA"))
            sender.wait()
        first, second = (form_of(each) for each in sender.answers("FO.ACRF").values())
        assert [form.findtext("TypeForm") for form in (first, second)] == ["PA", "FA"]
        assert [form.findtext("ReceptionResult/ResultCode") for form in (first, second)] == ["1", "0"]


@pytest.mark.parametrize("results", [(0,), (1,), (2,), (3,), (4,), (1, 0, 2)])
def test_each_form_gets_its_result(tmp_path: Path, results: tuple[int, ...]) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        with authority.replies.during(results=results, diagnosis=3):
            sender.declare(authority.example("DIMN", forms=3), purpose="DIMN")
            sender.wait()
        forms = forms_of(next(iter(sender.answers("FO.NOTI").values())))
        got = [form.findtext("HandlingResult/ResultCode") for form in forms]
        assert got == [str(results[number % len(results)]) for number in range(3)]
        assert [form.findtext("HandlingResult/Diagnosis") for form in forms] == [
            "3" if each == "0" else None for each in got
        ]
        assert len({form.findtext("HandledReference/ReferenceNbr") for form in forms}) == 3


def test_forms_may_be_answered_one_by_one(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        with authority.replies.during(split=True, results=(1, 0)):
            sender.declare(authority.example("DIMN", forms=3), purpose="DIMN")
            sender.wait()
        got = [form_of(each).findtext("HandlingResult/ResultCode") for each in sender.answers("FO.NOTI").values()]
        assert got == ["1", "0", "1"]


def test_a_temporary_answer_may_be_followed_by_a_final_one(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        with authority.replies.during(results=(3,), final_after=(1,)):
            sender.declare(authority.example("DMFA"))
            sender.wait()
        forms = [form_of(each) for each in sender.answers("FO.NOTI").values()]
        assert [form.findtext("HandlingResult/ResultCode") for form in forms] == ["3", "1"]
        assert [form.findtext("TypeForm") for form in forms] == ["PA", "FA"]


def test_anomalies_are_attached_on_request_also_to_what_is_accepted(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        asked = (Anomaly(), Anomaly(error_id="90373-333", anomaly_class="B", tag="DimonaIn", correction="RC"))
        with authority.replies.during(anomalies=asked):
            sender.declare(authority.example("DMFA"))
            sender.wait()
        reports = form_of(next(iter(sender.answers("FO.NOTI").values()))).findall("HandlingResult/AnomalyReport")
        assert [report.findtext("ErrorID") for report in reports] == ["00011-155", "90373-333"]
        assert [report.findtext("AnomalyClass") for report in reports] == ["W", "B"]
        assert [report.findtext("SystemCorrection/CorrectionType") for report in reports] == [None, "RC"]


@pytest.mark.parametrize(
    ("setting", "missing"),
    [("file_reference", "FileReference"), ("original_form", "HandledOriginalForm"), ("own_reference", "")],
)
def test_each_way_of_matching_can_be_left_out(tmp_path: Path, setting: str, missing: str) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        with authority.replies.during(**{setting: False, "ticket_reference": False}):
            sender.declare(authority.example("DMFA"))
            sender.wait()
        form = form_of(next(iter(sender.answers("FO.NOTI").values())))
        origins = [text(each) for each in form.iterfind("Reference/ReferenceOrigin")]
        if missing:
            assert form.find(missing) is None
            assert origins == ["1"]
        else:
            assert origins == []


@pytest.mark.parametrize("packing", list(Packing))
def test_notifications_come_compressed_on_request(tmp_path: Path, packing: Packing) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        with authority.replies.during(packing=packing):
            sender.declare(authority.example("DMFA"))
            sender.wait()
        (name,) = sender.answers("CO")
        assert name.startswith("CO.NOTI.999999.")
        content = sender.answers("CO")[name]
        match packing:
            case Packing.ZIP:
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    (member,) = archive.namelist()
                    content = archive.read(member)
            case Packing.GZIP:
                content = gzip.decompress(content)
            case Packing.ZLIB:
                content = zlib.decompress(content)
        assert form_of(content).findtext("Identification") == "NOTI001"
        assert [name[:7] for name in sender.answers("FO")] == ["FO.ACRF"]


@pytest.mark.parametrize(
    ("purpose", "root"), [("DMNO", "DmfAUpdateNotification"), ("DMPI", "DmfAPID"), ("BEWA", "BewareNotification")]
)
def test_things_come_unasked(tmp_path: Path, purpose: str, root: str) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        name = authority.send(purpose)
        assert name == f"FO.{purpose}.999999.{sender.day()}.00001.R"
        assert f"<{root} ".encode() in sender.answers()[name]
        assert authority.send(purpose, b"<own/>").endswith("00002.R")
        assert b"<own/>" in sender.answers().values()


def test_somebody_elses_acknowledgement_comes_on_request(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        name = authority.send_strangers_acknowledgement()
        subject, codes = acknowledged(sender.answers()[name])
        assert subject.split(".")[2] != sender.account.sender
        assert codes == []


def test_answers_may_be_deleted_and_inboxes_not(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        sender.declare(authority.example("DMFA"))
        with pytest.raises(PermissionError):
            sender.sftp.remove(f"IN/{sender.sftp.listdir('IN')[0]}")
        sender.wait()
        for name in sender.sftp.listdir("OUT"):
            sender.sftp.remove(f"OUT/{name}")
        assert sender.answers("") == {}


def test_other_rights_can_be_set(tmp_path: Path) -> None:
    settings = Settings(may_delete=True, may_rename=True, may_overwrite=False, may_delete_answers=False)
    with standing_still(settings=settings) as authority, connected(authority, tmp_path) as sender:
        stem = sender.stem()
        sender.put("IN/wrong", b"x")
        sender.sftp.rename("IN/wrong", f"IN/FI.{stem}.1.1")
        with pytest.raises(PermissionError):
            sender.put(f"IN/FI.{stem}.1.1", b"y")
        sender.sftp.remove(f"IN/FI.{stem}.1.1")
        name = authority.send("DMNO")
        with pytest.raises(PermissionError):
            sender.sftp.remove(f"OUT/{name}")


def test_without_the_right_nothing_is_renamed(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        stem = sender.stem()
        sender.put(f"IN/FI.{stem}.1.1", b"x")
        with pytest.raises(PermissionError):
            sender.sftp.rename(f"IN/FI.{stem}.1.1", f"IN/FI.{stem}.1.2")
        with pytest.raises(PermissionError):
            sender.sftp.posix_rename(f"IN/FI.{stem}.1.1", f"IN/FI.{stem}.1.2")


def test_answers_vanish_at_the_age_that_is_set(tmp_path: Path) -> None:
    settings = Settings(retention=timedelta(days=30))
    with standing_still(settings=settings) as authority, connected(authority, tmp_path) as sender:
        authority.send("DMNO")
        sender.wait(29 * 86400)
        assert len(sender.answers("")) == 3
        sender.wait(2 * 86400)
        assert sender.answers("") == {}


def test_taken_files_stay_in_sight_when_set_so_and_count_once(tmp_path: Path) -> None:
    with (
        standing_still(settings=Settings(clears_inbox=False)) as authority,
        connected(authority, tmp_path) as sender,
    ):
        name = sender.declare(authority.example("DMFA"))
        sender.wait()
        assert name in authority.folder("IN")
        sender.put(f"IN/{name}")
        sender.wait()
        assert [each.codes for each in authority.declared] == [(), ("133",)]
