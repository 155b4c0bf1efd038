"""The register behind the certificate: who is let in, echo, records, and their status as time passes."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
from signxml.signer import XMLSigner

from govfile.errors import ConfigurationError
from govfile.sandbox import pki
from govfile.sandbox.vero import SandboxClock, Settings, VeroSandbox, throw_away
from govfile.sandbox.vero.throw_away import Key
from support.vero_customer import ID, Customer, Heard, key, papers, payload, signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography import x509

START = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
INCLUSIVE = CanonicalizationMethod.CANONICAL_XML_1_0
STATUS = "http://www.tulorekisteri.fi/2017/1/StatusRequestToIR"
PROCESSING = timedelta(minutes=20)


@attrs.frozen(kw_only=True)
class Payroll:
    """A customer with a certificate, and how it sends."""

    customer: Customer
    certificate: x509.Certificate

    def send(
        self, record: bytes | str, operation: str = "SendWageReports", service: str = "WageReportService"
    ) -> Heard:
        return self.customer.service(service, operation, self.signed(record))

    def signed(self, record: bytes | str) -> str:
        return signed(record, throw_away.key(Key.CUSTOMER), self.certificate)

    def echo(self, message: bytes | str | None = None) -> Heard:
        return self.send(message or self.customer.authority.example("Echo"), "SendEcho", "EchoService")

    def status(self, delivery_id: str = "example-0000", *, ir_id: str = "", owner: str = ID, sender: str = ID) -> Heard:
        asked = [
            ("Timestamp", "2026-11-23T12:00:00Z"),
            ("DeliveryDataType", "100"),
            *([("DeliveryId", delivery_id)] if delivery_id else []),
            *([("IRDeliveryId", ir_id)] if ir_id else []),
            ("ProductionEnvironment", "false"),
            *(
                (f"DeliveryData{role}", f"<Type>1</Type><Code>{who}</Code>")
                for role, who in (("Owner", owner), ("Creator", sender), ("Sender", sender))
            ),
        ]
        message = payload("StatusRequestToIR", *asked, namespace=STATUS)
        return self.send(message, "GetDeliveryDataStatus", "StatusService")


@pytest.fixture
def payroll(tmp_path: Path) -> Iterator[Payroll]:
    """A payroll office with a certificate, and a register that takes its time."""
    clock = SandboxClock(START)
    with VeroSandbox(clock=clock, settings=Settings(processing=PROCESSING)) as authority:
        place, certificate = papers(authority, tmp_path)
        with Customer(authority, shows=place) as customer:
            yield Payroll(customer=customer, certificate=certificate)


# --- who is let in


def test_an_echo_comes_back_signed(payroll: Payroll) -> None:
    heard = payroll.echo()
    assert (heard.status, heard["Data"]) == (200, "hello")
    assert b"<ds:SignatureValue>" in heard.payload


def test_w08_nobody_comes_in_without_a_certificate() -> None:
    with VeroSandbox() as authority, Customer(authority) as customer:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            customer.service("EchoService", "SendEcho", "<x/>")
        deadline = time.monotonic() + 20
        while not any("certificate" in why for why in authority.findings):  # its thread may be a moment behind
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert authority.requests == ()


def test_w08_a_certificate_of_somebody_else_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "stranger.pem"
    place.write_bytes(pki.server().pem())
    with (
        VeroSandbox() as authority,
        Customer(authority, shows=place) as customer,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        customer.service("EchoService", "SendEcho", "<x/>")


def test_w08_the_register_can_turn_everybody_away(payroll: Payroll) -> None:
    authority = payroll.customer.authority
    with authority.faults.during(refuses_clients=True), pytest.raises((ssl.SSLError, ConnectionError)):
        payroll.echo()
    assert payroll.echo().status == 200


@pytest.mark.parametrize("days", [-1, 731])
def test_a_certificate_out_of_date_by_the_sandboxs_clock_is_refused(tmp_path: Path, days: int) -> None:
    clock = SandboxClock(START)
    with VeroSandbox(clock=clock) as authority:
        issued = START - timedelta(days=days)
        credential = authority.credential_for(ID, issued=issued)
        place = tmp_path / "old.pem"
        private = throw_away.key(Key.CUSTOMER)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        place.write_bytes(pem + credential.certificate.public_bytes(Encoding.PEM))
        with Customer(authority, shows=place) as customer:
            assert customer.service("EchoService", "SendEcho", "<x/>").status == 403
    assert "valid from" in authority.findings[-1]


def test_a_renewed_certificate_opens_the_register_long_after_today(tmp_path: Path) -> None:
    """Its dates are judged by the sandbox's clock, not by the machine's."""
    clock = SandboxClock(datetime(2040, 1, 1, tzinfo=UTC))
    with VeroSandbox(clock=clock) as authority:
        place, certificate = papers(authority, tmp_path)
        assert certificate.not_valid_before_utc.year == 2040
        with Customer(authority, shows=place) as customer:
            assert Payroll(customer=customer, certificate=certificate).echo().status == 200


# --- signatures


def test_messages_must_be_signed_by_somebody_known(payroll: Payroll) -> None:
    record = payroll.customer.authority.example("WageReports")
    for message, why in (
        (record.decode(), "Signature"),
        (payroll.signed(record).replace("example-0000", "example-0001"), "digest"),
        (signed(record, throw_away.key(Key.CUSTOMER), pki.server().issuer), "does not hold"),
        (signed(record, key("other"), payroll.certificate), "value is wrong"),
    ):
        heard = payroll.customer.service("WageReportService", "SendWageReports", message)
        assert heard.status == 500
        assert why in heard.fault
    assert payroll.customer.authority.records == ()


def test_a_record_signed_as_in_the_published_examples_is_taken(payroll: Payroll) -> None:
    """Inclusive canonical XML, a comment inside, the key beside the certificate; spaces between the elements."""
    record = payroll.customer.authority.example("WageReports").replace(b"<Source>", b"\n <!-- payroll --> <Source>")
    signer = XMLSigner(method=SignatureConstructionMethod.enveloped, c14n_algorithm=INCLUSIVE)
    pem = payroll.certificate.public_bytes(Encoding.PEM).decode()
    private = throw_away.key(Key.CUSTOMER)
    made = signer.sign(etree.fromstring(record), key=private, cert=[pem], always_add_key_value=True)
    message = etree.tostring(made).decode()
    assert "KeyValue" in message
    heard = payroll.customer.service("WageReportService", "SendWageReports", message)
    assert (heard.status, heard["DeliveryDataStatus"]) == (200, "2")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("<Data>12345678901</Data>", "Data"),
        ("<Data/>", "Data"),
        ("<Data>1</Data><Data>2</Data>", "Data"),
        ("<Other>1</Other>", "Data"),
        ("", "Data"),
    ],
)
def test_an_echo_has_one_to_ten_characters(payroll: Payroll, message: str, why: str) -> None:
    document = f'<e:Echo xmlns:e="http://www.tulorekisteri.fi/2017/1/Echo">{message}</e:Echo>'
    heard = payroll.echo(document)
    assert heard.status == 500
    assert why in heard.fault


# --- records


def test_a_record_is_acknowledged_worked_on_and_found_valid(payroll: Payroll) -> None:
    authority = payroll.customer.authority
    acknowledged = payroll.send(authority.example("WageReports"))
    assert (acknowledged.status, acknowledged["DeliveryDataStatus"]) == (200, "2")
    ir_id = acknowledged["IRDeliveryId"]
    assert len(ir_id) == 32
    assert acknowledged["DeliveryId"] == "example-0000"
    assert payroll.status()["DeliveryDataStatus"] == "2"
    authority.clock.advance(PROCESSING)
    for heard in (payroll.status(), payroll.status("", ir_id=ir_id)):
        assert (heard["DeliveryDataStatus"], heard["IRDeliveryId"]) == ("3", ir_id)
    (record,) = authority.records
    assert record.delivery.reports == ("0000-00000", "0000-00001", "0000-00002")


def test_one_report_is_answered_in_real_time(payroll: Payroll) -> None:
    authority = payroll.customer.authority
    heard = payroll.send(authority.example("WageReport"), "SendWageReport")
    assert heard["DeliveryDataStatus"] == "3"
    assert b"StatusResponseFromIR" in heard.payload
    several = authority.example("WageReports", seed=1).replace(b"WageReportsRequestToIR", b"WageReportRequestToIR")
    heard = payroll.send(several, "SendWageReport")
    assert (heard["DeliveryDataStatus"], heard.code) == ("4", "SANDBOX-REPORTS")


def test_an_id_is_used_once_by_each_owner(payroll: Payroll) -> None:
    authority = payroll.customer.authority
    record = authority.example("WageReports")
    assert payroll.send(record)["DeliveryDataStatus"] == "2"
    again = payroll.send(record)
    assert (again["DeliveryDataStatus"], again.code, again["IRDeliveryId"]) == ("4", "SANDBOX-DUPLICATE", "")
    owner = b"<DeliveryDataOwner><Type>1</Type><Code>0123456-7"
    other = record.replace(owner, owner.replace(b"0123456-7", b"7654321-9"))
    assert other != record
    assert payroll.send(other)["DeliveryDataStatus"] == "2", "another owner may use the same id"
    assert len(authority.records) == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"production": "true"}, "SANDBOX-ENVIRONMENT"), ({"owner": "7654321-9"}, "SANDBOX-CREATOR")],
)
def test_records_rejected_at_once(payroll: Payroll, changes: dict[str, str], code: str) -> None:
    authority = payroll.customer.authority
    heard = payroll.send(authority.example("WageReports", seed=0, size=3, **changes))
    assert (heard["DeliveryDataStatus"], heard.code) == ("4", code)
    assert authority.records == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<DeliveryDataType>100", "<DeliveryDataType>999"),
        ("<DeliveryId>example-0000</DeliveryId>", ""),
        ("<FaultyControl>1", "<FaultyControl>3"),
        ("<ActionCode>1</ActionCode>", ""),
        ("2026-11-23T08:00:00Z", "23.11.2026"),
        ("<Source>govfile</Source>", "<Source/>"),
        ("<ProductionEnvironment>false", "<ProductionEnvironment>no"),
        ("WageReportsToIR", "WageReportsToIRTypes"),
        ("<Reports>", "<Reports>text"),
    ],
)
def test_records_that_do_not_fit_the_schema(payroll: Payroll, before: str, after: str) -> None:
    record = payroll.customer.authority.example("WageReports").decode()
    assert before in record
    assert payroll.send(record.replace(before, after)).status == 500


def test_what_nobody_sent_is_unknown(payroll: Payroll) -> None:
    assert payroll.status("never")["DeliveryDataStatus"] == "0"
    payroll.send(payroll.customer.authority.example("WageReports"))
    assert payroll.status(sender="7654321-9")["DeliveryDataStatus"] == "0", "a stranger learns nothing"


@pytest.mark.parametrize(
    ("control", "faulty", "status", "items"),
    [("1", 1, "3", 1), ("2", 1, "5", 1), ("1", 3, "5", 3)],
    ids=["only the faulty report", "the whole record", "all are faulty"],
)
def test_faulty_reports(payroll: Payroll, control: str, faulty: int, status: str, items: int) -> None:
    authority = payroll.customer.authority
    authority.faults.faulty_reports = frozenset(f"0000-0000{number}" for number in range(faulty))
    record = authority.example("WageReports").replace(b"<FaultyControl>1", f"<FaultyControl>{control}".encode())
    payroll.send(record)
    authority.clock.advance(PROCESSING)
    heard = payroll.status()
    assert heard["DeliveryDataStatus"] == status
    assert heard.payload.count(b"<ItemId>") == items


@pytest.mark.parametrize("final", [2, 5, 6])
def test_a_record_ends_in_the_status_asked_for(payroll: Payroll, final: int) -> None:
    authority = payroll.customer.authority
    with authority.faults.during(final_status=final):
        payroll.send(authority.example("WageReports"))
    authority.clock.advance(PROCESSING)
    assert payroll.status()["DeliveryDataStatus"] == str(final)


def test_creator_and_certificate_may_differ_where_that_is_set(tmp_path: Path) -> None:
    with VeroSandbox(settings=Settings(checks_creator=False)) as authority:
        place, certificate = papers(authority, tmp_path)
        with Customer(authority, shows=place) as customer:
            office = Payroll(customer=customer, certificate=certificate)
            assert office.send(authority.example("WageReports", owner="7654321-9"))["DeliveryDataStatus"] == "2"


def test_examples_are_the_same_for_the_same_seed() -> None:
    for kind in ("WageReports", "WageReport", "Echo"):
        assert VeroSandbox.example(kind, seed=5) == VeroSandbox.example(kind, seed=5)
    assert VeroSandbox.example("WageReports", seed=1) != VeroSandbox.example("WageReports", seed=2)
    assert VeroSandbox.example("WageReports", size=50).count(b"<Report>") == 50
    with pytest.raises(ConfigurationError, match="WageReports"):
        VeroSandbox.example("Payslip")
