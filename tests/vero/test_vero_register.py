"""The Incomes Register behind the certificate: echo, records sent once, and what became of them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile import Ledger, State, Verdict
from govfile.errors import (
    ConfigurationError,
    CredentialError,
    DuplicateName,
    GovfileError,
    InvalidContent,
    OutcomeUnknown,
    Phase,
    Rejected,
    TlsFailed,
    TrustError,
)
from govfile.filing.source import Source
from govfile.filing.states import Proof
from govfile.sandbox import VeroSandbox
from govfile.sandbox.vero.faults import Damage, Lost, SoapFault, Spoilt
from govfile.vero import DeliveryStatus, IncomesRegister, Party
from govfile.vero.record import read_record, root_alone
from support.vero_world import CUSTOMER, VeroWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from govfile import Credential

SEND = frozenset({"SendWageReports"})


@pytest.fixture(scope="module")
def authority() -> Iterator[VeroSandbox]:
    with VeroSandbox() as running:
        yield running


@pytest.fixture(scope="module")
def holder(authority: VeroSandbox) -> Credential:
    return authority.credential_for(CUSTOMER)


@pytest.fixture
def world(authority: VeroSandbox, tmp_path: Path) -> Iterator[VeroWorld]:
    authority.faults.clear()
    yield VeroWorld(authority, tmp_path)
    authority.faults.clear()


@pytest.fixture
def ledger(world: VeroWorld) -> Iterator[Ledger]:
    with Ledger.open(world.folder / "ledger.db", clock=world.authority.clock) as opened:
        yield opened


@pytest.fixture
def register(world: VeroWorld, holder: Credential, ledger: Ledger) -> Iterator[IncomesRegister]:
    with world.register(holder, ledger) as opened:
        yield opened


@pytest.fixture
def record(request: pytest.FixtureRequest, tmp_path: Path) -> bytes:
    """A record whose DeliveryId no other test uses."""
    return VeroSandbox.example(
        "WageReports", delivery_id=f"d-{abs(hash(request.node.nodeid)) % 10**12}-{tmp_path.name[-8:]}"[:40]
    )


def delivery_id(record: bytes) -> str:
    found = re.search(rb"<DeliveryId>(.*?)</DeliveryId>", record)
    assert found is not None
    return found[1].decode()


# --- echo


@pytest.mark.parametrize("data", ["hello", "1234567890", "a & <b>", "ÅÄÖ"])
def test_an_echo_proves_that_the_certificate_is_accepted(register: IncomesRegister, data: str) -> None:
    assert register.echo(data) == data


@pytest.mark.parametrize("data", ["", "12345678901", " x", "a\nb"])
def test_an_echo_takes_ten_characters(register: IncomesRegister, data: str) -> None:
    with pytest.raises(InvalidContent, match="1 to 10"):
        register.echo(data)


def test_a_certificate_that_is_over_is_not_shown(world: VeroWorld) -> None:
    old = world.authority.credential_for(CUSTOMER, issued=world.authority.clock() - timedelta(days=800))
    with pytest.raises(CredentialError, match="expired"):
        world.register(old)


def test_w08_a_register_that_lets_nobody_in(tmp_path: Path) -> None:
    with VeroSandbox() as running:
        running.faults.refuses_clients = True
        world = VeroWorld(running, tmp_path)
        with world.register(running.credential_for(CUSTOMER)) as register:
            with pytest.raises((CredentialError, TlsFailed, OutcomeUnknown, GovfileError)) as refused:
                register.echo("hello")
            assert isinstance(refused.value, CredentialError | TlsFailed), refused.value


@pytest.mark.parametrize("spoilt", [Spoilt.MISSING, Spoilt.TAMPERED, Spoilt.STRANGER, Spoilt.WRONG_AUTHORITY])
def test_an_echo_that_is_not_genuine(register: IncomesRegister, world: VeroWorld, spoilt: Spoilt) -> None:
    with world.authority.faults.during(spoilt=spoilt), pytest.raises(TrustError):
        register.echo("hello")


def test_environments_without_a_register(world: VeroWorld, holder: Credential) -> None:
    with pytest.raises(ConfigurationError, match="has no Incomes Register"):
        IncomesRegister(world.authority.bench_environment, holder, clock=world.authority.clock)


# --- records


def test_a_record_is_sent_once_and_followed_to_its_verdict(
    register: IncomesRegister, record: bytes, world: VeroWorld, ledger: Ledger
) -> None:
    sent = register.send_wage_reports(record)
    assert sent.state is State.RECEIVED
    assert sent.name == f"100/{delivery_id(record)}"
    assert (sent.sender, sent.filed_by) == (f"1:{CUSTOMER}", f"1:{CUSTOMER}")
    again = register.send_wage_reports(record)
    assert again.id == sent.id
    assert len([one for one in world.authority.records if one.delivery.delivery_id == delivery_id(record)]) == 1
    done = register.wait(sent)
    assert (done.state, done.verdict) == (State.ANSWERED, Verdict.ACCEPTED)
    told = register.delivery_status(delivery_id(record))
    assert told.status is DeliveryStatus.VALID
    assert told.ir_delivery_id
    assert told.submission is not None
    assert told.submission.state is State.ANSWERED
    assert ledger.verify() == []


def test_the_callers_bytes_stay_as_they_are(register: IncomesRegister, world: VeroWorld, record: bytes) -> None:
    odd = b'<?xml version="1.0"  encoding="UTF-8" ?>\n<!-- ours -->\n' + record.replace(b"><", b" ><", 3).replace(
        b"<Type>", b"\n\t<Type >"
    )
    register.send_wage_reports(odd)
    sent = world.authority.requests[-1].message
    root, closed = root_alone(odd).rsplit(b"</", 1)
    assert root + b"<ds:Signature" in sent
    assert b"</ds:Signature></" + closed in sent


def test_a_record_signed_by_its_maker_is_sent_as_it_is(
    register: IncomesRegister, world: VeroWorld, holder: Credential, record: bytes
) -> None:
    signed = read_record(Source.of(record)).signed(holder)
    assert register.send_wage_reports(signed).state is State.RECEIVED
    assert signed in world.authority.requests[-1].message


def test_another_content_under_a_used_delivery_id(register: IncomesRegister, record: bytes) -> None:
    register.send_wage_reports(record)
    with pytest.raises(DuplicateName):
        register.send_wage_reports(record.replace(b"Pelle Payroll", b"Polly Payroll"))


def test_the_same_delivery_id_of_two_owners(register: IncomesRegister, world: VeroWorld, record: bytes) -> None:
    """An office sends for its customers; ids are unique for each owner."""
    name = delivery_id(record)
    other = VeroSandbox.example("WageReports", delivery_id=name, owner="7654321-0")
    for content in (record, other):
        with world.authority.faults.during(lost=Lost.BEFORE, at=SEND), pytest.raises(OutcomeUnknown):
            register.send_wage_reports(content)
    with pytest.raises(ConfigurationError, match="several owners"):
        register.delivery_status(name)
    told = register.delivery_status(name, owner=Party(1, CUSTOMER))
    assert told.status is DeliveryStatus.UNKNOWN


def test_a_record_that_the_ledger_does_not_know(register: IncomesRegister) -> None:
    with pytest.raises(ConfigurationError, match="owner"):
        register.delivery_status("never-sent")
    told = register.delivery_status("never-sent", owner=Party(1, CUSTOMER))
    assert (told.status, told.submission) == (DeliveryStatus.UNKNOWN, None)


def test_faulty_reports_make_it_a_mixed_verdict(register: IncomesRegister, world: VeroWorld, record: bytes) -> None:
    with world.authority.faults.during(faulty_reports=frozenset({"0000-00001"})):
        done = register.wait(register.send_wage_reports(record))
    assert (done.state, done.verdict) == (State.ANSWERED, Verdict.MIXED)
    told = register.delivery_status(done)
    assert [item.item_id for item in told.invalid_items] == ["0000-00001"]
    assert told.codes == ("SANDBOX-REPORT",)
    assert "asked to be faulty" not in repr(told)
    assert "asked to be faulty" not in str([event.evidence for event in done.history])


@pytest.mark.parametrize(
    ("status", "state", "verdict"),
    [
        (4, State.REJECTED, None),
        (5, State.ANSWERED, Verdict.REJECTED),
        (6, State.RECEIVED, None),
        (7, State.RECEIVED, None),
    ],
)
def test_every_number_moves_what_it_proves_and_no_more(
    register: IncomesRegister, world: VeroWorld, record: bytes, status: int, state: State, verdict: Verdict | None
) -> None:
    with world.authority.faults.during(final_status=status):
        sent = register.send_wage_reports(record)
        world.authority.clock.advance(60)
        told = register.delivery_status(sent)
    assert told.number == status
    assert told.submission is not None
    assert (told.submission.state, told.submission.verdict) == (state, verdict)
    assert f"DeliveryDataStatus {status}" in told.submission.history[-1].evidence.detail


def test_a_record_rejected_on_receipt(
    register: IncomesRegister, world: VeroWorld, record: bytes, tmp_path: Path
) -> None:
    """Another ledger sent the same DeliveryId before: the register knows, and says so in its acknowledgement."""
    register.send_wage_reports(record)
    credential = world.authority.credential_for(CUSTOMER)
    with Ledger.open(tmp_path / "other.db") as other, world.register(credential, other) as second:
        refused = second.send_wage_reports(record)
    assert refused.state is State.REJECTED
    assert refused.rejection is not None
    assert refused.rejection.code


# --- what breaks off


@pytest.mark.parametrize("lost", list(Lost))
def test_w06_a_lost_link_is_settled_by_the_status(
    register: IncomesRegister, world: VeroWorld, record: bytes, lost: Lost
) -> None:
    with world.authority.faults.during(lost=lost, at=SEND), pytest.raises(OutcomeUnknown) as unknown:
        register.send_wage_reports(record)
    assert unknown.value.submission is not None
    assert unknown.value.submission.state is State.UNKNOWN
    known = register.send_wage_reports(record)
    assert known.state is State.UNKNOWN, "nothing is sent again"
    told = register.delivery_status(delivery_id(record))
    assert told.submission is not None
    if lost is Lost.BEFORE:
        assert (told.status, told.submission.state) == (DeliveryStatus.UNKNOWN, State.UNKNOWN)
        assert register.settle(told.submission, arrived=False, reason="it is not there").state is State.PREPARED
        assert register.send_wage_reports(record).state is State.RECEIVED
    else:
        assert told.submission.state in (State.RECEIVED, State.ANSWERED)


@pytest.mark.parametrize("damage", [Damage.HTML, Damage.EMPTY, Damage.DOCTYPE])
def test_w01_an_answer_that_is_none_leaves_it_unknown(
    register: IncomesRegister, world: VeroWorld, record: bytes, damage: Damage
) -> None:
    with (
        world.authority.faults.during(damage=damage, at=SEND),
        pytest.raises(OutcomeUnknown, match="cannot be believed"),
    ):
        register.send_wage_reports(record)
    told = register.delivery_status(delivery_id(record))
    assert told.submission is not None
    assert told.submission.state in (State.RECEIVED, State.ANSWERED)


def test_w02_a_fault_is_told_and_the_record_unknown(register: IncomesRegister, world: VeroWorld, record: bytes) -> None:
    with (
        world.authority.faults.during(soap_fault=SoapFault(code="Client.Schema"), at=SEND),
        pytest.raises(Rejected) as refused,
    ):
        register.send_wage_reports(record)
    assert "Client.Schema" in refused.value.code
    assert refused.value.phase is Phase.CONFIRM
    assert refused.value.submission is not None
    assert refused.value.submission.state is State.UNKNOWN


def test_a_register_out_of_reach_leaves_it_prepared(
    world: VeroWorld, holder: Credential, ledger: Ledger, record: bytes
) -> None:
    assert world.environment.register is not None
    nowhere = attrs.evolve(world.environment.register, url="https://127.0.0.1:9")
    away = IncomesRegister(
        attrs.evolve(world.environment, register=nowhere), holder, ledger=ledger, clock=world.authority.clock
    )
    with away, pytest.raises(GovfileError):
        away.send_wage_reports(record)
    (waiting,) = ledger.search(state=State.PREPARED)
    assert [event.evidence.proof for event in waiting.history] == [Proof.CLAIMED]
    with world.register(holder, ledger) as register:
        assert register.send_wage_reports(record).state is State.RECEIVED


def test_records_are_sent_with_a_ledger(world: VeroWorld, holder: Credential, record: bytes) -> None:
    with world.register(holder) as register:
        with pytest.raises(ConfigurationError, match="ledger"):
            register.send_wage_reports(record)
        assert register.echo() == "govfile"


# --- records that cannot be right


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"<ProductionEnvironment>false", b"<ProductionEnvironment>true", "for production"),
        (b"<ProductionEnvironment>false", b"<ProductionEnvironment>0", "neither true nor false"),
        (b"<DeliveryDataType>100", b"<DeliveryDataType>102", "is not 100"),
        (b"<DeliveryId>", b"<DeliveryId>" + b"x" * 41, "1 to 40"),
        (
            b"<w:WageReportsRequestToIR xmlns:w",
            b"<w:WageReportsRequestToIR xmlns='urn:x' xmlns:w",
            "outside any namespace",
        ),
        (b"WageReportsRequestToIR", b"WageReportRequestToIR", "is a WageReportRequestToIR"),
        (b"<Type>1</Type>", b"<Type>one</Type>", "no number"),
        (b"</w:WageReportsRequestToIR>", b"", "well-formed"),
        (b"<w:", b"<!DOCTYPE a><w:", "document type"),
    ],
)
def test_records_that_cannot_be_right_are_not_claimed(
    register: IncomesRegister, ledger: Ledger, record: bytes, old: bytes, new: bytes, words: str
) -> None:
    with pytest.raises(InvalidContent, match=words):
        register.send_wage_reports(record.replace(old, new))
    assert list(ledger.search()) == []


def test_a_record_of_many_reports_is_signed_whole(holder: Credential) -> None:
    """More elements than any message from outside may have: the caller's own record is not bounded so."""
    record = VeroSandbox.example("WageReports", size=13_000)
    signed = read_record(Source.of(record)).signed(holder)
    assert signed.count(b"<ds:Signature ") == 1
    assert signed.startswith(record[:-100])
    assert read_record(Source.of(signed)).is_signed


def test_a_persons_id_stays_out_of_the_ledger() -> None:
    person = Party(2, "131052-308T")
    assert "131052" not in str(person)
    assert "131052" not in repr(person)
    assert Party.recognise(str(person)) is None
    company = Party(1, "0123456-7", "FI")
    assert Party.recognise(str(company)) == company
