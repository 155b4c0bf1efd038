"""Notifications: the complete structure as values, a verdict for each form and one for the whole."""

from __future__ import annotations

import pytest

from govfile.filing.states import Verdict
from govfile.onss import parse_notification
from govfile.onss.notification import Result, overall
from support.onss_forms import GO, TICKET, anomaly, file_reference, noti, noti_form, original_form, reference

INSS = "91111111192"
NAME = "Voorbeeldsen"
PERSON = (
    "<NaturalPerson><NaturalPersonSequenceNbr>1</NaturalPersonSequenceNbr><INSS>91111111192</INSS><SIS>1</SIS>"
    "<WorkerName>Voorbeeldsen</WorkerName><WorkerFirstName>An</WorkerFirstName><WorkerInitial>B</WorkerInitial>"
    "<WorkerBirthdate>1991-11-11</WorkerBirthdate><WorkerBirthplace>Gent</WorkerBirthplace>"
    "<WorkerBirthplaceCountry>150</WorkerBirthplaceCountry><WorkerSex>2</WorkerSex><WorkerStreet>Lei</WorkerStreet>"
    "<WorkerHouseNbr>4</WorkerHouseNbr><WorkerPostBox>b</WorkerPostBox><WorkerZIPCode>9000</WorkerZIPCode>"
    "<WorkerCity>Gent</WorkerCity><WorkerCountry>150</WorkerCountry><Nationality>150</Nationality>"
    "<NaturalPersonUserReference>w-7</NaturalPersonUserReference></NaturalPerson>"
)
EMPLOYER = (
    "<EmployerId><NOSSRegistrationNbr>125482497</NOSSRegistrationNbr><CompanyID>0123456749</CompanyID></EmployerId>"
)
WORKER = (
    "<WorkerRecordIdentification><Quarter>20254</Quarter><NOSSRegistrationNbr>125482497</NOSSRegistrationNbr>"
    "<CompanyID>0123456749</CompanyID><NaturalPersonSequenceNbr>1</NaturalPersonSequenceNbr><INSS>91111111192</INSS>"
    "<EmployerClass>578</EmployerClass><WorkerCode>495</WorkerCode><OccupationReference><OccupationSequenceNbr>1"
    "</OccupationSequenceNbr><InternalOccupationNbr>340000FYX400S</InternalOccupationNbr></OccupationReference>"
    "</WorkerRecordIdentification>"
)
CONTACT = (
    "<CoordinatesContactPerson><Name>Voorbeeldsen</Name><FirstName>Jo</FirstName><Communication><PhoneNbr>02</PhoneNbr>"
    "<GSMNbr>04</GSMNbr><FaxNbr>03</FaxNbr><EmailAddress>jo@example.be</EmailAddress></Communication>"
    "</CoordinatesContactPerson>"
)
BEFORE = (
    file_reference()
    + "<FileReceptionInformation><ReceptionDate>2026-03-02</ReceptionDate><ReceptionHour>12:05:50.000</ReceptionHour>"
    "<Channel>9</Channel></FileReceptionInformation><HandledOriginalFile><SenderId>101420</SenderId>"
    "<HandledSenderIdentification><CompanyID>0123456749</CompanyID><SocialSecretariatNumber>700"
    "</SocialSecretariatNumber></HandledSenderIdentification></HandledOriginalFile>"
    + original_form()
    + reference("2025/4-a")
    + reference(TICKET, "2")
    + EMPLOYER
    + PERSON
    + "<ConcernedQuarter><Quarter>20254</Quarter></ConcernedQuarter>"
)
AFTER_HANDLED = (
    WORKER
    + WORKER
    + "<CBSSInformation><KindOfTreatment>M</KindOfTreatment></CBSSInformation><DeclarationComplInformations>"
    "<DMFAWorkersNbr>3</DMFAWorkersNbr><DIMONAWorkersNbr>2</DIMONAWorkersNbr></DeclarationComplInformations>" + CONTACT
)
ANOMALY = anomaly(
    "00011-155",
    "B",
    "<AnomalyLabel>Geen mandaat</AnomalyLabel><SystemCorrection><CorrectionType>RC</CorrectionType><BlockAction>"
    "<Action>1</Action><BlockName>WorkerRecord</BlockName><Quarter>20254</Quarter><DataValue><FieldName>WorkerCode</FieldName><NewValue>495"
    "</NewValue></DataValue></BlockAction></SystemCorrection><AnomalyLocation><LineNbr>4</LineNbr><ColumnNbr>2"
    "</ColumnNbr><Location>1,1,7,2</Location></AnomalyLocation><Path><Quarter>20254</Quarter><INSS>91111111192</INSS>"
    "</Path><AnomalyComplInformation><DimonaPeriod><DimonaPeriodId>123456789012</DimonaPeriodId><IsLocked>0</IsLocked>"
    "<IsCancelled>0</IsCancelled><StartingDate>2026-01-01</StartingDate><ErrorID>90373-333</ErrorID><DimonaFeatures>"
    "<WorkerType>STU</WorkerType></DimonaFeatures></DimonaPeriod><QuotaFeatures><QuotaType>1</QuotaType>"
    "<ExceedingHoursNbr>12</ExceedingHoursNbr></QuotaFeatures></AnomalyComplInformation>",
).replace("<AnomalyClass>", "<TagName>NOSSRegistrationNbr</TagName><Value>125482497</Value><AnomalyClass>")
IMPACT = (
    "<ImpactReport><DimonaImpactReport><DimonaPeriodId>123456789012</DimonaPeriodId><IsLocked>0</IsLocked>"
    "<DimonaPeriodBefore><StartingDate>2026-01-01</StartingDate></DimonaPeriodBefore><DimonaPeriodAfter><StartingDate>"
    "2026-01-02</StartingDate><PlannedDaysNbr>5</PlannedDaysNbr></DimonaPeriodAfter></DimonaImpactReport>"
    "<AVWDDTImpactReport><BlockName>Site</BlockName></AVWDDTImpactReport><CapeloImpactReport><ResultCode>1</ResultCode>"
    "</CapeloImpactReport></ImpactReport>"
)


def complete() -> bytes:
    form = noti_form("0", ANOMALY, IMPACT, before=BEFORE, diagnoses="34")
    form = form.replace("</HandledReference>", "</HandledReference>" + AFTER_HANDLED)
    return noti(form.replace("</Form>", "<ApplicationData><Own>7</Own></ApplicationData></Form>"))


def test_the_header_and_what_was_handled() -> None:
    found = parse_notification(complete())
    assert found.problem == ""
    assert found.unknown == ()
    (form,) = found.forms
    assert form.unknown == ()
    assert form.identification == "NOTI001"
    assert form.file is not None
    assert (str(form.file.name), form.file.ticket) == (GO, TICKET)
    assert form.reception is not None
    assert form.reception.channel == "9"
    assert form.reception.received is not None
    assert form.reception.received.hour == 11
    assert form.original_file is not None
    assert form.original_file.sender == "101420"
    assert form.original_file.identification is not None
    assert form.original_file.identification.social_secretariat == "700"
    assert form.original_form is not None
    assert form.original_form.key == ("DMFA", "2026-03-02", "11:34:30.001")
    assert form.original_form.type_form == "SU"
    assert [(found.origin, found.number) for found in form.references] == [("1", "2025/4-a"), ("2", TICKET)]
    assert form.own_references == ("2025/4-a",)
    assert form.tickets == (TICKET,)
    assert form.handled is not None
    assert form.handled.number == "0340822PQ9CMZ"


def test_employer_worker_and_whom_to_ask() -> None:
    (form,) = parse_notification(complete()).forms
    assert form.employer is not None
    assert (form.employer.registration, form.employer.company) == ("125482497", "0123456749")
    assert form.person is not None
    assert (form.person.inss, form.person.name, form.person.zip_code) == (INSS, NAME, "9000")
    assert form.person.user_reference == "w-7"
    assert form.concerned_quarter is not None
    assert form.concerned_quarter.quarter == "20254"
    assert len(form.workers) == 2
    assert form.workers[0].worker_code == "495"
    assert form.workers[0].occupations[0].internal == "340000FYX400S"
    assert form.worker_counts is not None
    assert (form.worker_counts.dmfa, form.worker_counts.dimona) == ("3", "2")
    assert form.contact is not None
    assert form.contact.communication is not None
    assert form.contact.communication.email == "jo@example.be"
    assert form.cbss == (("KindOfTreatment", "M"),)
    assert form.application_data == (("Own", "7"),)


def test_the_result_its_anomalies_and_its_impact() -> None:
    (form,) = parse_notification(complete()).forms
    assert form.handling is not None
    assert form.handling.diagnoses == ("3", "4")
    (found,) = form.anomalies
    assert found.error_id == "00011-155"
    assert (found.tag, found.value) == ("NOSSRegistrationNbr", "125482497")
    assert found.is_blocking
    assert found.explained.number == "155"
    assert found.label == "Geen mandaat"
    assert found.correction is not None
    assert found.correction.is_reliable is True
    assert found.correction.actions[0].values[0].field_name == "WorkerCode"
    assert found.correction.actions[0].keys == (("Quarter", "20254"),)
    assert found.location is not None
    assert (found.location.line, found.location.location) == ("4", "1,1,7,2")
    assert found.path == (("Quarter", "20254"), ("INSS", INSS))
    assert found.information is not None
    (period,) = found.information.dimona_periods
    assert (period.period_id, period.starting_date, period.error_ids) == ("123456789012", "2026-01-01", ("90373-333",))
    assert period.features == (("WorkerType", "STU"),)
    assert found.information.quotas[0].exceeding_hours == "12"
    impact = form.handling.impact
    assert impact is not None
    assert impact.dimona is not None
    assert impact.dimona.before is not None
    assert impact.dimona.after is not None
    assert (impact.dimona.before.starting_date, impact.dimona.after.planned_days) == ("2026-01-01", "5")
    assert impact.works[0].block_name == "Site"
    assert impact.capelo is not None
    assert "no mandate" in found.in_words()
    assert "refused" in found.in_words()


def test_no_person_is_shown_by_a_repr_or_by_our_words() -> None:
    found = parse_notification(complete())
    (form,) = found.forms
    shown = [repr(found), repr(form), repr(form.person), repr(form.workers), repr(form.contact), repr(form.anomalies)]
    shown += [report.in_words() for report in form.anomalies]
    for text in shown:
        assert INSS not in text
        assert NAME not in text
        assert "example.be" not in text


def test_words_hold_nothing_that_a_terminal_obeys() -> None:
    hostile = anomaly("00011-155", "\u009b", "").replace("</ErrorID>", "</ErrorID><TagName>\u009b31m</TagName>")
    (form,) = parse_notification(noti(noti_form("1", hostile))).forms
    assert form.anomalies[0].in_words().isprintable()


@pytest.mark.parametrize(
    ("code", "anomalies", "kind", "verdict"),
    [
        ("1", (), "FA", Verdict.ACCEPTED),
        ("1", (anomaly("90007-262"),), "FA", Verdict.ACCEPTED_WITH_REMARKS),
        ("1", (anomaly("00024-152", "NB"),), "FA", Verdict.ACCEPTED_WITH_REMARKS),
        ("0", (), "FA", Verdict.REJECTED),
        ("0", (anomaly("00011-155", "B"),), "FA", Verdict.REJECTED),
        ("2", (), "FA", Verdict.PROVISIONAL),
        ("3", (), "FA", Verdict.PROVISIONAL),
        ("4", (), "FA", Verdict.PROVISIONAL),
        ("1", (), "PA", Verdict.PROVISIONAL),
        ("0", (), "PA", Verdict.PROVISIONAL),
        ("5", (), "FA", Verdict.UNREAD),
        ("", (), "FA", Verdict.UNREAD),
        (None, (), "FA", Verdict.UNREAD),
        ("9", (), "PA", Verdict.UNREAD),
    ],
)
def test_the_verdict_on_a_form(code: str | None, anomalies: tuple[str, ...], kind: str, verdict: Verdict) -> None:
    found = parse_notification(noti(noti_form(code, *anomalies, kind=kind)))
    assert found.forms[0].verdict is verdict
    assert found.verdict is verdict
    assert len(found.forms[0].anomalies) == len(anomalies)


def test_every_result_code_has_a_word() -> None:
    codes = [parse_notification(noti(noti_form(str(code)))).forms[0].result for code in range(5)]
    assert codes == [Result.REFUSED, Result.ACCEPTED, Result.TO_VALIDATE, Result.TEMPORARY, Result.TIMED_OUT]


A, R, X, P, U, M = (
    Verdict.ACCEPTED,
    Verdict.ACCEPTED_WITH_REMARKS,
    Verdict.REJECTED,
    Verdict.PROVISIONAL,
    Verdict.UNREAD,
    Verdict.MIXED,
)


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ((A, A, A), A),
        ((A, R), R),
        ((R, R), R),
        ((X, X), X),
        ((A, X), M),
        ((A, R, X), M),
        ((A, P), P),
        ((X, P), P),
        ((A, U), U),
        ((P, U), U),
        ((M, A), M),
        ((), U),
    ],
)
def test_the_verdict_on_the_whole(verdicts: tuple[Verdict, ...], whole: Verdict) -> None:
    assert overall(verdicts) is whole
    assert overall(reversed(verdicts)) is whole


def test_three_forms_with_three_fates() -> None:
    found = parse_notification(noti(noti_form("1"), noti_form("0", ANOMALY), noti_form("1", anomaly("90001-476"))))
    assert [form.verdict for form in found.forms] == [A, X, R]
    assert found.verdict is M


def test_a_form_without_a_file_reference() -> None:
    (form,) = parse_notification(noti(noti_form(before=original_form() + reference("2025/4-a")))).forms
    assert form.file is None
    assert form.tickets == ()
    assert form.own_references == ("2025/4-a",)


def test_unknown_elements_are_kept_wherever_they_stand() -> None:
    raw = complete().replace(b"</TypeForm>", b"</TypeForm><Later>1</Later>", 1)
    raw = raw.replace(b"<AnomalyClass>", b"<Weight>7</Weight><AnomalyClass>", 1)
    (form,) = parse_notification(raw).forms
    assert form.unknown == (
        ("Later", "1"),
        ("HandlingResult/AnomalyReport/Weight", "7"),
    )


def test_a_second_result_is_not_believed_over_the_first() -> None:
    raw = noti(noti_form("0")).replace(b"</ResultCode>", b"</ResultCode><ResultCode>1</ResultCode>")
    (form,) = parse_notification(raw).forms
    assert form.verdict is X
    assert ("HandlingResult/ResultCode", "1") in form.unknown


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (b"<NOTIFICATION/>", "no Form"),
        (b"<ACRF><Form/></ACRF>", "not NOTIFICATION"),
        (noti()[:-10], "cannot be read as XML"),
        (b"<!DOCTYPE a><NOTIFICATION/>", "document type"),
        (b"<NOTIFICATION>" + b"<a>" * 100 + b"</a>" * 100 + b"</NOTIFICATION>", "levels deep"),
    ],
)
def test_s13_what_cannot_be_used_says_so_and_never_raises(raw: bytes, says: str) -> None:
    found = parse_notification(raw)
    assert says in found.problem
    assert found.verdict is U
    assert found.reading.raw == raw


def test_two_thousand_forms() -> None:
    found = parse_notification(noti(*(noti_form("1", before=reference(f"r-{number}")) for number in range(2000))))
    assert len(found.forms) == 2000
    assert found.verdict is A
