"""Matching: the name, the ticket, our reference, the stamp of the form, in this order; and never a guess."""

from __future__ import annotations

import io

import pytest

from govfile import InvalidContent
from govfile.onss import BatchName, parse_acrf, parse_notification
from govfile.onss.matching import Evidence, Marks, Match, Register, Sent
from support.onss_forms import GO, TICKET, acrf, file_reference, header, noti, noti_form, original_form, reference

OTHER_TICKET = "0380579A83Q1Z"
STRANGER = "GO.DMFA.999998.20260302.00001.R.1"


def sent(number: int, **changes: object) -> Sent:
    name = BatchName.parse(GO.replace("00007", f"{number:05}"))
    return Sent(id=f"id-{number}", name=name, **changes)  # type: ignore[arg-type]


def marks(*references: str, hour: str = "11:34:30.001") -> Marks:
    return Marks(references=frozenset(references), stamps=frozenset({("DMFA", "2026-03-02", hour)}))


@pytest.fixture
def register() -> Register:
    return Register(
        [
            sent(7, ticket=TICKET, marks=marks("2025/4-a", "shared")),
            sent(8, ticket=OTHER_TICKET, marks=marks("2025/4-b", "shared", hour="11:34:30.002")),
            sent(9, marks=marks("2025/4-c", hour="11:34:30.002")),
        ]
    )


def notified(register: Register, before: str) -> Match:
    return register.notified(parse_notification(noti(noti_form(before=before))).forms[0])


class TestNotifications:
    def test_1_by_the_name_of_the_file(self, register: Register) -> None:
        for name in (GO, GO + ".1", GO.replace("GO.", "FI."), GO.removesuffix(".1")):
            found = notified(register, file_reference(name))
            assert (found.id, found.evidence, found.remark) == ("id-7", Evidence.FILE_NAME, "")

    def test_1_the_name_stands_over_everything_else(self, register: Register) -> None:
        before = file_reference(GO) + original_form(hour="11:34:30.002") + reference(OTHER_TICKET, "2")
        assert notified(register, before).id == "id-7"

    def test_1_a_ticket_that_differs_is_remarked(self, register: Register) -> None:
        """A published client's samples show it: an acknowledgement and a notification with tickets of their own."""
        found = notified(register, file_reference(GO, "03804UAVJS3PZ"))
        assert found.id == "id-7"
        assert "03804UAVJS3PZ" in found.remark

    def test_1_the_file_of_somebody_else_is_not_claimed_by_what_looks_alike(self, register: Register) -> None:
        found = notified(register, file_reference(STRANGER, None) + original_form() + reference("2025/4-a"))
        assert found.id is None
        assert STRANGER in found.remark

    def test_2_by_the_ticket_among_the_references(self, register: Register) -> None:
        found = notified(register, original_form(hour="00:00:00.000") + reference(OTHER_TICKET, "2"))
        assert (found.id, found.evidence) == ("id-8", Evidence.TICKET)

    def test_2_by_the_ticket_beside_a_name_that_cannot_be_read(self, register: Register) -> None:
        found = notified(register, file_reference("dmfa.xml", TICKET))
        assert (found.id, found.evidence) == ("id-7", Evidence.TICKET)

    def test_3_by_our_own_reference(self, register: Register) -> None:
        found = notified(register, reference("2025/4-c"))
        assert (found.id, found.evidence) == ("id-9", Evidence.OWN_REFERENCE)

    def test_3_a_reference_by_others_is_not_ours(self, register: Register) -> None:
        assert notified(register, reference("2025/4-c", "5")).id is None

    def test_4_by_the_stamp_of_the_form(self, register: Register) -> None:
        found = notified(register, original_form(hour="11:34:30.001"))
        assert (found.id, found.evidence) == ("id-7", Evidence.FORM_STAMP)

    def test_4_hours_are_compared_to_the_millisecond(self, register: Register) -> None:
        assert notified(register, original_form(hour="11:34:30.0010000")).id == "id-7"
        assert notified(register, original_form(hour="11:34:30")).id is None
        assert notified(register, original_form(identification="DMFAUPD", hour="11:34:30.001")).id is None

    def test_what_fits_several_is_told_apart_by_the_next(self, register: Register) -> None:
        found = notified(register, reference("shared") + original_form(hour="11:34:30.002"))
        assert notified(register, original_form(hour="11:34:30.002") + reference("shared")).id == "id-8"
        assert (found.id, found.evidence) == ("id-8", Evidence.FORM_STAMP)

    @pytest.mark.parametrize("before", [reference("shared"), original_form(hour="11:34:30.002")])
    def test_what_cannot_be_told_apart_is_nobodys(self, register: Register, before: str) -> None:
        found = notified(register, before)
        assert found.id is None
        assert "2 of our files fit" in found.remark

    @pytest.mark.parametrize("before", ["", reference("unknown"), reference("unknown", "2"), original_form(hour="x")])
    def test_what_points_nowhere(self, register: Register, before: str) -> None:
        found = notified(register, before)
        assert found.id is None
        assert "nothing in it points" in found.remark

    @pytest.mark.parametrize(("sender", "expected"), [("101420", "id-9"), ("999998", None), ("", "id-9")])
    def test_the_form_of_another_sender_is_not_claimed(
        self, register: Register, sender: str, expected: str | None
    ) -> None:
        named = f"<HandledOriginalFile><SenderId>{sender}</SenderId></HandledOriginalFile>"
        assert notified(register, named + reference("2025/4-c")).id == expected

    def test_a_ticket_learnt_later(self, register: Register) -> None:
        assert notified(register, reference("NEWTICKET0001", "2")).id is None
        register.add(sent(9, ticket="NEWTICKET0001"))
        assert notified(register, reference("NEWTICKET0001", "2")).id == "id-9"


class TestAcknowledgements:
    @pytest.mark.parametrize("name", [GO, GO + ".1", GO.replace("GO.", "FI.") + ".1", GO.removesuffix(".1")])
    def test_by_any_name_of_the_set(self, register: Register, name: str) -> None:
        found = register.acknowledged(parse_acrf(acrf("1", name=name)).forms[0])
        assert (found.id, found.evidence) == ("id-7", Evidence.FILE_NAME)

    @pytest.mark.parametrize("name", [STRANGER, GO.replace(".R.", ".T."), GO.replace("DMFA", "DMWA")])
    def test_s13_somebody_elses(self, register: Register, name: str) -> None:
        found = register.acknowledged(parse_acrf(acrf("0", "ACRF-133", name=name)).forms[0])
        assert found.id is None
        assert name in found.remark

    @pytest.mark.parametrize("raw", [acrf("1", name="x"), b"<ACRF><Form/></ACRF>"])
    def test_no_name_that_can_be_read(self, register: Register, raw: bytes) -> None:
        found = register.acknowledged(parse_acrf(raw).forms[0])
        assert found.id is None
        assert "no file that can be read" in found.remark


class TestMarks:
    def declaration(self, *forms: str) -> io.BytesIO:
        return io.BytesIO(f"<DmfAOriginal>{''.join(forms)}</DmfAOriginal>".encode())

    def form(self, hour: str, inside: str = "") -> str:
        return f"<Form>{header('DMFA', 'SU').replace('12:05:55.075', hour)}{inside}<Body><Reference/></Body></Form>"

    def test_what_a_declaration_says_of_itself(self) -> None:
        forms = [
            self.form("10:00:00.001", reference("own-1") + reference("sector-1", "3")),
            self.form("10:00:00.002", reference("own-2")),
            self.form("10:00:00.003"),
        ]
        found = Marks.of(self.declaration(*forms))
        assert found.root == "DmfAOriginal"
        assert found.identifications == {"DMFA"}
        assert found.references == {"own-1", "own-2"}
        assert found.stamps == {("DMFA", "2026-03-02", f"10:00:00.00{number}") for number in (1, 2, 3)}

    def test_a_reference_of_ours_after_one_of_others(self) -> None:
        """The origin belongs to its own reference, not to the one before."""
        without_origin = "<Reference><ReferenceNbr>nobody's</ReferenceNbr></Reference>"
        found = Marks.of(self.declaration(self.form("10:00:00.001", reference("own-1") + without_origin)))
        assert found.references == {"own-1"}

    def test_a_form_without_a_header(self) -> None:
        found = Marks.of(self.declaration("<Form><FormCreationHour>10:00:00.001</FormCreationHour></Form>"))
        assert found.stamps == frozenset()

    def test_it_leads_back_to_its_notification(self) -> None:
        register = Register([sent(7, marks=Marks.of(self.declaration(self.form("10:00:00.001"))))])
        assert notified(register, original_form(hour="10:00:00.001")).id == "id-7"

    @pytest.mark.parametrize("content", [b"", b"<a>", b"not XML", b"<!DOCTYPE a><a/>"])
    def test_what_is_not_well_formed(self, content: bytes) -> None:
        with pytest.raises(InvalidContent, match="the declaration is not well-formed"):
            Marks.of(io.BytesIO(content))
