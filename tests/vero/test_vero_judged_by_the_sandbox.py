"""The client and the strict local authority, which share no code: over TLS, with every fault that it can play."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from govfile.errors import (
    CredentialError,
    GovfileError,
    KeyStoreError,
    NotReady,
    OutcomeUnknown,
    PeerIdentityError,
    ProtocolError,
    Rejected,
    TransportError,
    TrustError,
)
from govfile.sandbox import VeroSandbox
from govfile.sandbox.pki import ServerCertificate
from govfile.sandbox.vero.faults import Damage, Forged, Lost, SoapFault, Spoilt, Wrong
from govfile.sandbox.vero.settings import Settings
from govfile.sandbox.vero.signing import Form
from govfile.transports.base import Timeouts
from govfile.vero import Step
from support import pki
from support.vero_world import CUSTOMER, VeroWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from govfile import Credential
    from govfile.certificates.keystore import Pending

NEW, RENEW, GET = (frozenset({f"{name}Certificate"}) for name in ("signNew", "renew", "get"))


@pytest.fixture
def authority() -> Iterator[VeroSandbox]:
    """One for each test: they move its clock by years."""
    with VeroSandbox() as running:
        yield running


@pytest.fixture
def world(authority: VeroSandbox, tmp_path: Path) -> Iterator[VeroWorld]:
    made = VeroWorld(authority, tmp_path)
    with made.client:
        yield made


def step(world: VeroWorld) -> Step:
    found = world.client.application(CUSTOMER)
    assert found is not None
    return found.step


def test_enrolled_and_renewed(world: VeroWorld) -> None:
    before = len(world.authority.findings)
    first = world.due()
    second = world.client.renew(CUSTOMER, key=pki.rsa_key(1))
    assert world.client.generations(CUSTOMER) == (first, second)
    assert second.expires - second.valid_from == timedelta(days=730) or second.expires > first.expires
    assert second.subject.organisation == "Ab Example Oy"
    assert world.authority.findings[before:] == ()
    with pytest.raises(CredentialError, match="can be renewed from"):
        world.client.renew(CUSTOMER)


@pytest.mark.parametrize("form", list(Form))
def test_answers_in_each_canonical_form(tmp_path: Path, form: Form) -> None:
    with VeroSandbox(settings=Settings(form=form)) as running:
        world = VeroWorld(running, tmp_path)
        with world.client:
            world.enrol()


def test_the_anchors_may_come_from_the_authoritys_bundle(world: VeroWorld) -> None:
    """The root and all the others in one file: those whose fingerprints are named are taken."""
    bare = attrs.evolve(world.environment, answer_signers=None, issuers=None)
    trusting = bare.trusting(world.authority.authorities_pem())
    assert (trusting.answer_signers, trusting.issuers) == (
        world.environment.answer_signers,
        world.environment.issuers,
    )


def test_used_and_lapsed_codes(world: VeroWorld, tmp_path: Path) -> None:
    used, lapsed = world.authority.invite("7654321-0"), world.authority.invite("7654321-9")
    with world.another() as client:
        client.enrol("7654321-0", transfer_id=used[0], transfer_password=used[1], key=pki.rsa_key(0))
    (tmp_path / "another computer").mkdir()
    elsewhere = VeroWorld(world.authority, tmp_path / "another computer")
    world.authority.clock.advance(timedelta(days=15))
    with elsewhere.client as client:
        for customer, codes in (("7654321-0", used), ("7654321-9", lapsed)):
            with pytest.raises(Rejected, match="PKI") as refused:
                client.enrol(customer, transfer_id=codes[0], transfer_password=codes[1], key=pki.rsa_key(1))
            assert codes[0] not in str(refused.value)


def test_the_bench_with_its_canned_keys(world: VeroWorld) -> None:
    papers = world.authority.bench
    keys = [load_pem_private_key(world.authority.bench_key(renewal=again), None) for again in (False, True)]
    bench = world.authority.bench_environment
    changes = {name: getattr(bench, name) for name in ("name", "element", "path", "opens_before", "repeats")}
    with world.another(**changes) as client:
        for _ in range(2):
            first = client.enrol(
                papers.customer_id,
                transfer_id=papers.transfer_id,
                transfer_password=papers.transfer_password,
                key=keys[0],  # type: ignore[arg-type]
            )
        second = client.renew(papers.customer_id, key=keys[1])  # type: ignore[arg-type]
        assert first.public_key != second.public_key
        assert client.credential(papers.customer_id) == second


# --- W-01, W-05: something else comes back


@pytest.mark.parametrize("damage", [found for found in Damage if found is not Damage.SOAP_12])
def test_w01_w05_whatever_comes_instead_of_an_answer(world: VeroWorld, damage: Damage) -> None:
    """Behind the request it is unknown; before the certificate it is looked for again."""
    with world.another(timeouts=Timeouts(connect=5, tls=5, reply=2, data=1, total=4)) as client:
        with world.authority.faults.during(damage=damage, at=NEW), pytest.raises(OutcomeUnknown):
            world.enrol(0, client)
        assert step(world) is Step.ASKING
        made = world.authority.issued[-1].retrieval_id
        if damage not in (Damage.ENDLESS, Damage.HUGE, Damage.GZIP_BOMB):  # slow by nature
            with world.authority.faults.during(damage=damage, at=GET), pytest.raises(GovfileError) as failed:
                client.fetch(CUSTOMER, retrieval_id=made, timeout=None)
            assert isinstance(failed.value, ProtocolError | TransportError), failed.value
            assert step(world) is Step.ASKED
        found = client.fetch(CUSTOMER, retrieval_id=made if step(world) is Step.ASKING else None, timeout=None)
        assert found.public_key == pki.rsa_key(0).public_key()


# --- T-03 and friends: signatures


@pytest.mark.parametrize("spoilt", list(Spoilt))
def test_an_answer_that_is_not_genuine(world: VeroWorld, spoilt: Spoilt) -> None:
    with world.authority.faults.during(spoilt=spoilt, at=NEW), pytest.raises(OutcomeUnknown) as unknown:
        world.enrol()
    assert isinstance(unknown.value.__cause__, TrustError | ProtocolError)
    made = world.authority.issued[-1].retrieval_id
    with world.authority.faults.during(spoilt=spoilt, at=GET), pytest.raises((TrustError, ProtocolError)):
        world.client.fetch(CUSTOMER, retrieval_id=made, timeout=None)
    assert world.client.fetch(CUSTOMER, timeout=None).public_key == pki.rsa_key(0).public_key()


@pytest.mark.parametrize("wrong", [Wrong.OTHER_OPERATION, Wrong.UNKNOWN_STATUS, Wrong.NOTHING_IN_IT])
def test_w03_w04_a_genuine_answer_that_makes_no_sense(world: VeroWorld, wrong: Wrong) -> None:
    with world.authority.faults.during(wrong=wrong, at=NEW), pytest.raises(OutcomeUnknown):
        world.enrol()


def test_w04_an_element_nobody_published_is_passed_over(world: VeroWorld, caplog: pytest.LogCaptureFixture) -> None:
    with world.authority.faults.during(wrong=Wrong.UNKNOWN_ELEMENT):
        world.enrol()
    assert "unknown elements" in caplog.text


def test_w03_an_answer_given_before_gives_no_foreign_certificate(world: VeroWorld) -> None:
    codes = world.authority.invite("7654321-9")
    world.client.enrol("7654321-9", transfer_id=codes[0], transfer_password=codes[1], key=pki.rsa_key(0))
    world.due()
    with (
        world.authority.faults.during(wrong=Wrong.REPLAYED, at=GET),
        pytest.raises(CredentialError, match="another key"),
    ):
        world.client.renew(CUSTOMER, key=pki.rsa_key(1))
    found = world.client.fetch(CUSTOMER, timeout=None)
    assert found.public_key == pki.rsa_key(1).public_key()


# --- C-03: certificates


@pytest.mark.parametrize("forged", [found for found in Forged if found is not Forged.SHORT])
def test_c03_a_certificate_that_must_not_be_used(world: VeroWorld, forged: Forged) -> None:
    first = world.due()
    with world.authority.faults.during(forged=forged), pytest.raises((CredentialError, TrustError, ProtocolError)):
        world.client.renew(CUSTOMER, key=pki.rsa_key(1))
    assert world.client.credential(CUSTOMER) == first
    assert step(world) is Step.ASKED


# --- W-02, W-06 to W-09


@pytest.mark.parametrize("is_12", [False, True])
@pytest.mark.parametrize("status", [200, 500])
def test_w02_a_soap_fault(world: VeroWorld, status: int, is_12: bool) -> None:
    fault = SoapFault(code="Server.Odd", status=status, is_12=is_12)
    with world.authority.faults.during(soap_fault=fault, at=NEW), pytest.raises(Rejected) as refused:
        world.enrol()
    assert "Odd" in refused.value.code or "Receiver" in refused.value.code or "Server" in refused.value.code
    assert step(world) is Step.ASKING
    world.client.abandon(CUSTOMER, "next")


@pytest.mark.parametrize("lost", list(Lost))
def test_w06_a_lost_link_is_settled_by_its_retrieval_id(world: VeroWorld, lost: Lost) -> None:
    first = world.due()
    before = len(world.authority.issued)
    with world.authority.faults.during(lost=lost, at=RENEW), pytest.raises(OutcomeUnknown):
        world.client.renew(CUSTOMER, key=pki.rsa_key(1))
    assert world.client.credential(CUSTOMER) == first
    with pytest.raises(OutcomeUnknown):
        world.client.resume(CUSTOMER)
    made = world.authority.issued[before:]
    assert len(made) == (0 if lost is Lost.BEFORE else 1), "nothing was sent again"
    if made:
        found = world.client.fetch(CUSTOMER, retrieval_id=made[0].retrieval_id, timeout=None)
    else:
        world.client.settle(CUSTOMER, arrived=False, reason="the authority knows nothing of it")
        found = world.client.renew(CUSTOMER)
    assert found.public_key == pki.rsa_key(1).public_key()


def test_w07_the_servers_clock(world: VeroWorld, caplog: pytest.LogCaptureFixture) -> None:
    with world.authority.faults.during(date_off=timedelta(minutes=30)):
        world.enrol()
        theirs = world.client.server_time()
    assert "30 minutes behind it" in caplog.text
    assert theirs is not None
    assert abs(theirs - world.authority.clock() - timedelta(minutes=30)) < timedelta(minutes=2)


@pytest.mark.parametrize("shown", [found for found in ServerCertificate if found is not ServerCertificate.GOOD])
def test_w08_a_server_that_is_not_who_it_should_be_gets_no_code(tmp_path: Path, shown: ServerCertificate) -> None:
    with VeroSandbox() as running:
        running.faults.server_certificate = shown
        world = VeroWorld(running, tmp_path)
        with world.client:
            with pytest.raises(PeerIdentityError):
                world.enrol()
            assert running.requests == ()
            assert step(world) is Step.READY
            assert world.client.server_time() is None


def test_c04_a_store_that_cannot_be_marked_sends_nothing(world: VeroWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    note = world.keys.note

    def full(pending: Pending, **notes: str) -> Pending:
        if notes["step"] == "asking":
            raise KeyStoreError("no space left on the device")
        return note(pending, **notes)

    before = len(world.authority.requests)
    with monkeypatch.context() as patch:
        patch.setattr(world.keys, "note", full)
        with pytest.raises(KeyStoreError, match="no space left"):
            world.enrol()
    assert len(world.authority.requests) == before
    assert step(world) is Step.READY


def test_w09_a_busy_service_is_asked_again_after_its_pause(world: VeroWorld) -> None:
    patience = attrs.evolve(world.environment.patience, give_up=timedelta(seconds=20))
    start = world.authority.clock()
    with world.another(patience=patience) as client:
        with (
            world.authority.faults.during(retry_after="7", at=GET),
            pytest.raises(ProtocolError, match="503"),
        ):
            world.enrol(0, client)
        assert world.authority.clock() - start > timedelta(seconds=14)
        client.fetch(CUSTOMER, timeout=None)


def test_a_certificate_that_is_never_there(world: VeroWorld) -> None:
    with world.authority.faults.during(never_ready=True), pytest.raises(NotReady) as waiting:
        world.enrol()
    assert waiting.value.reasons
    world.client.fetch(CUSTOMER, timeout=None)


def test_a_signed_refusal(world: VeroWorld) -> None:
    with (
        world.authority.faults.during(fail_with=(("PKI123", "no"), ("PKI124", "never")), at=NEW),
        pytest.raises(Rejected) as refused,
    ):
        world.enrol()
    assert [code for code, _ in refused.value.reasons] == ["PKI123", "PKI124"]
    assert step(world) is Step.REFUSED


def test_w10_nothing_secret_in_any_log_over_a_real_line(world: VeroWorld, caplog: pytest.LogCaptureFixture) -> None:
    """Every logger there is at DEBUG, zeep's, urllib3's and the register's connection included."""
    codes = world.authority.invite("7654321-0")
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    with world.authority.faults.during(lost=Lost.AFTER, at=NEW), pytest.raises(OutcomeUnknown):
        world.client.enrol("7654321-0", transfer_id=codes[0], transfer_password=codes[1], key=pki.rsa_key(0))
    made = world.authority.issued[-1].retrieval_id
    found = world.client.fetch("7654321-0", retrieval_id=made, timeout=None)
    world.authority.clock.advance(timedelta(days=700))
    renewed = world.client.renew("7654321-0", key=pki.rsa_key(1))
    with world.register(renewed) as register:
        register.echo("q9x7z5w3")
    told = "\n".join(f"{record.name} {record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    assert "govfile.transports POST" in told, "they were listened to"
    assert "renewCertificate" in told
    pems = [_pem_of(found), _pem_of(renewed)]
    secrets = [codes[0], codes[1].reveal(), "q9x7z5w3", "<CertificateRequest", "PRIVATE KEY", "SignatureValue"]
    for secret in secrets + [line for pem in pems for line in pem.splitlines()[1:-1]]:
        assert secret not in told


def _pem_of(credential: Credential) -> str:
    key = credential.private_key
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
