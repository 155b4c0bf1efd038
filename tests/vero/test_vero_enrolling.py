"""A first certificate: key first, codes once, and nothing in use that was not checked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from govfile import KeyStore, Secret
from govfile.certificates.request import key_of_request
from govfile.errors import (
    ConnectionFailed,
    CredentialError,
    GovfileError,
    InvalidName,
    KeyStoreError,
    KeyStoreTooNew,
    NotReady,
    OutcomeUnknown,
    ProtocolError,
    Rejected,
    TrustError,
)
from govfile.vero import CertificateService, Kind, Step
from support import pki
from support.vero_desk import (
    CUSTOMER,
    LIFE,
    NOON,
    TRANSFER_ID,
    TRANSFER_PASSWORD,
    Before,
    VeroDesk,
    answer,
    got,
    issue,
    issuing_authority,
    reply,
    result,
    services_authority,
)

if TYPE_CHECKING:
    from pathlib import Path

    from govfile.certificates.keystore import Pending
    from govfile.transports.base import Reply


def test_enrolled(desk: VeroDesk) -> None:
    found = desk.enrol()
    assert desk.service.operations() == ["signNewCertificate", "getCertificate"]
    assert found.public_key == pki.rsa_key(0).public_key()
    assert found.chain == (issuing_authority().identity.certificate,)
    assert desk.client.credential(CUSTOMER) == found
    assert desk.client.generations(CUSTOMER) == (found,)
    assert desk.client.application(CUSTOMER) is None
    assert [str(slot) for slot in desk.client.slots()] == [f"vero/test/{CUSTOMER}"]
    assert not desk.client.renewal_window(CUSTOMER).is_open


def test_what_leaves_is_what_was_asked_for(desk: VeroDesk) -> None:
    desk.enrol()
    _, sent = desk.service.asked[0]
    assert f"<Environment>TEST</Environment><CustomerId>{CUSTOMER}</CustomerId>".encode() in sent
    assert b"<CustomerName>Ab Example Oy</CustomerName>" in sent
    assert f"<TransferId>{TRANSFER_ID}</TransferId>".encode() in sent
    assert TRANSFER_PASSWORD.encode() in sent
    (request,) = desk.service.requests.values()
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == f"C=FI,O=Ab Example Oy,CN={CUSTOMER}"
    _, fetched = desk.service.asked[1]
    assert b"<RetrievalId>R00001</RetrievalId>" in fetched
    assert b"<CustomerName>Ab Example Oy</CustomerName>" in fetched


def test_a_key_of_2048_bits_is_made_where_none_is_given(desk: VeroDesk) -> None:
    found = desk.client.enrol(CUSTOMER, transfer_id=TRANSFER_ID, transfer_password=Secret(TRANSFER_PASSWORD))
    assert isinstance(found.public_key, rsa.RSAPublicKey)
    assert found.public_key.key_size == 2048


def test_the_key_is_on_the_disk_before_the_codes_leave(desk: VeroDesk) -> None:
    seen = []

    def look(body: bytes) -> Reply:
        pending = desk.store().pending(desk.client.slot(CUSTOMER))
        assert pending is not None
        assert key_of_request(pending.request) == pki.rsa_key(0).public_key()
        seen.append(pending.notes["step"])
        return desk.service.receipt("signNewCertificate", body)

    desk.service.next("signNewCertificate", look)
    desk.enrol()
    assert seen == ["asking"], "and the mark is there that says so"


def test_no_code_is_left_in_the_store(desk: VeroDesk) -> None:
    desk.service.next("signNewCertificate", reply(b"an answer that repeats " + TRANSFER_PASSWORD.encode()))
    with pytest.raises(GovfileError):
        desk.enrol()
    files = [path for path in desk.folder.rglob("*") if path.is_file()]
    assert len(files) > 4
    for path in files:
        content = path.read_bytes()
        assert TRANSFER_PASSWORD.encode() not in content
        assert TRANSFER_ID.encode() not in content


# --- codes and ids that cannot be right


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"transfer_id": "1" * 33}, "transfer id"),
        ({"transfer_password": Secret("0123456789abcdefg")}, "transfer password"),
        ({"customer_name": "x" * 101}, "customer name"),
    ],
)
def test_nothing_is_made_or_sent_for_codes_that_cannot_be_right(
    desk: VeroDesk, changes: dict[str, str], words: str
) -> None:
    given = {"transfer_id": TRANSFER_ID, "transfer_password": TRANSFER_PASSWORD, **changes}
    with pytest.raises(InvalidName, match=words):
        desk.client.enrol(CUSTOMER, **given)  # type: ignore[arg-type]
    assert desk.service.asked == []
    assert desk.keys.slots() == ()


def test_a_check_digit_that_does_not_fit_is_warned_of_in_production(
    desk: VeroDesk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.client.application("0123456-7")
    assert "check digit" not in caplog.text
    with pytest.raises(CredentialError, match="nothing is enrolled"):
        desk.another(element="PRODUCTION", name="production").renewal_window("0123456-7")
    assert "0123456-7 is no Business ID with a right check digit" in caplog.text


# --- a no


def test_a_verified_no_keeps_every_reason(desk: VeroDesk) -> None:
    desk.service.next("signNewCertificate", reply(answer("SignNewCertificateResponse", result("PKI001", "PKI777"))))
    with pytest.raises(Rejected) as refused:
        desk.enrol()
    assert refused.value.code == "PKI001"
    assert [code for code, _ in refused.value.reasons] == ["PKI001", "PKI777"]
    assert "PKI777" in str(refused.value)
    assert "about PKI" not in str(refused.value), "texts may repeat what was sent"
    application = desk.client.application(CUSTOMER)
    assert application is not None
    assert (application.step, application.codes) == (Step.REFUSED, ("PKI001", "PKI777"))


def test_a_reason_that_repeats_a_code_is_blotted(desk: VeroDesk) -> None:
    told = result("PKI001").replace("about PKI001", f"no such code: {TRANSFER_PASSWORD}")
    desk.service.next("signNewCertificate", reply(answer("SignNewCertificateResponse", told)))
    with pytest.raises(Rejected) as refused:
        desk.enrol()
    assert refused.value.text == "no such code: …"
    assert TRANSFER_PASSWORD not in repr(vars(refused.value))


def test_the_same_key_is_used_with_the_right_codes(desk: VeroDesk) -> None:
    desk.service.next("signNewCertificate", reply(answer("SignNewCertificateResponse", result("PKI001"))))
    with pytest.raises(Rejected):
        desk.enrol()
    with pytest.raises(Rejected, match="PKI001"):
        desk.client.resume(CUSTOMER)
    assert desk.service.operations() == ["signNewCertificate"], "resume has no codes to send"
    desk.enrol()
    assert [found.number for found in desk.keys.generations(desk.client.slot(CUSTOMER))] == [1]


def test_another_key_takes_the_place_of_one_that_was_never_asked_for(desk: VeroDesk) -> None:
    desk.service.next("signNewCertificate", Before(ConnectionFailed("refused")))
    with pytest.raises(ConnectionFailed):
        desk.enrol(0)
    found = desk.enrol(1)
    assert found.public_key == pki.rsa_key(1).public_key()


def test_codes_are_still_good_when_nothing_left(desk: VeroDesk) -> None:
    desk.service.next("signNewCertificate", Before(ConnectionFailed("refused")))
    with pytest.raises(ConnectionFailed):
        desk.enrol()
    application = desk.client.application(CUSTOMER)
    assert application is not None
    assert (application.step, application.kind) == (Step.READY, Kind.ENROL)
    with pytest.raises(CredentialError, match="its codes are not kept"):
        desk.client.resume(CUSTOMER)
    desk.enrol()


# --- C-03: a certificate that must not be used


def of_version_5(key: rsa.RSAPublicKey) -> bytes:
    version = b"\xa0\x03\x02\x01"
    return issue(key, begins=NOON).public_bytes(Encoding.DER).replace(version + b"\x02", version + b"\x04", 1)


def others() -> dict[str, tuple[Reply, type[GovfileError], str]]:
    key, other = pki.rsa_key(0).public_key(), pki.rsa_key(1).public_key()
    by_services = services_authority().issue(
        pki.plain(CUSTOMER), key=pki.rsa_key(0), not_before=NOON, not_after=NOON + LIFE
    )
    return {
        "another key": (got(issue(other, begins=NOON)), CredentialError, "another key"),
        "another customer": (got(issue(key, customer="7654321-0", begins=NOON)), CredentialError, "another holder"),
        "expired": (got(issue(key, begins=NOON - 2 * LIFE)), CredentialError, "expired"),
        "not yet": (got(issue(key, begins=NOON + timedelta(days=1))), CredentialError, "not valid yet"),
        "another authority": (got(by_services.certificate), TrustError, "another authority"),
        "an authority's": (got(issuing_authority().identity.certificate), CredentialError, "another key"),
        "junk": (
            reply(answer("GetCertificateResponse", f"<Certificate>AAAA</Certificate>{result()}")),
            ProtocolError,
            "cannot be read",
        ),
        "a version of X.509 that does not exist": (got(of_version_5(key)), ProtocolError, "cannot be read"),
    }


@pytest.mark.parametrize("which", sorted(others()))
def test_c03_a_certificate_that_does_not_fit_is_refused_and_the_request_kept(desk: VeroDesk, which: str) -> None:
    sent, kind, words = others()[which]
    desk.service.next("getCertificate", sent)
    with pytest.raises(kind, match=words):
        desk.enrol()
    assert desk.keys.current(desk.client.slot(CUSTOMER)) is None
    application = desk.client.application(CUSTOMER)
    assert application is not None
    assert application.step is Step.ASKED
    found = desk.client.fetch(CUSTOMER)
    assert found.public_key == pki.rsa_key(0).public_key(), "the right one is fetched later"


def test_a_certificate_that_expires_before_the_one_in_use_is_not_switched_to(desk: VeroDesk) -> None:
    first = desk.enrol()
    short = got(issue(pki.rsa_key(1).public_key(), begins=NOON, life=timedelta(days=100)))
    desk.service.next("getCertificate", short)
    with pytest.raises(CredentialError, match="expires before the one in use"):
        desk.enrol(1, transfer_id="4" * 32)
    assert desk.client.credential(CUSTOMER) == first


def test_the_bench_gives_the_same_certificate_again(desk: VeroDesk) -> None:
    """Canned certificates expire on the same day, or earlier: on the bench that is meant."""
    bench = desk.another(repeats=True, opens_before=None, name="test-bench")
    first = desk.enrol(0, bench)
    assert bench.renewal_window(CUSTOMER).is_open
    desk.service.next("getCertificate", got(issue(pki.rsa_key(1).public_key(), begins=NOON, life=timedelta(days=9))))
    second = bench.renew(CUSTOMER, key=pki.rsa_key(1))
    assert second.expires < first.expires
    assert bench.credential(CUSTOMER) == second
    assert bench.generations(CUSTOMER) == (first, second)


# --- the store


def test_keys_are_encrypted_where_there_is_a_passphrase(tmp_path: Path) -> None:
    desk = VeroDesk(tmp_path, passphrase=Secret("the passphrase of the desk"))
    desk.due()
    desk.renew()
    keys = [path.read_bytes() for path in tmp_path.rglob("key.pem")]
    assert [b"BEGIN ENCRYPTED PRIVATE KEY" in key for key in keys] == [True, True]
    with pytest.raises(CredentialError, match="passphrase"):
        VeroDesk(tmp_path, passphrase=Secret("another passphrase")).client.credential(CUSTOMER)


def test_a_store_that_cannot_be_written_spends_no_code(desk: VeroDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyStoreError("the disk is full")

    monkeypatch.setattr(desk.client.keystore, "note", broken)
    with pytest.raises(KeyStoreError):
        desk.enrol()
    assert desk.service.asked == []


def test_c05_four_that_ask_at_once_spend_the_codes_once(desk: VeroDesk) -> None:
    def enrol(_: int) -> object:
        store = KeyStore(desk.folder / "keys", None, clock=desk.clock, patience=60)
        client = CertificateService(
            desk.environment, store, clock=desk.clock, sleep=desk.sleep, transport=desk.transport
        )
        return desk.enrol(0, client).fingerprint

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(enrol, range(4)))) == 1
    assert desk.service.operations().count("signNewCertificate") == 1


@pytest.mark.parametrize("said", ["OK", "FAIL"])
def test_c04_a_disk_that_fills_up_behind_the_request_loses_no_retrieval_id(
    desk: VeroDesk, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    note, store = desk.client.keystore.note, desk.client.keystore

    def full(pending: Pending, **notes: str) -> Pending:
        if notes.get("step") in ("asked", "refused"):
            raise KeyStoreError("no space left on the device")
        return note(pending, **notes)

    if said == "FAIL":
        desk.service.next("signNewCertificate", reply(answer("SignNewCertificateResponse", result("PKI001"))))
    with monkeypatch.context() as patch:
        patch.setattr(store, "note", full)
        with pytest.raises(OutcomeUnknown if said == "OK" else Rejected) as told:
            desk.enrol()
    if said == "OK":
        assert "R00001" in str(told.value)
        assert "no space left" in str(told.value)
        desk.client.fetch(CUSTOMER, retrieval_id="R00001", timeout=None)
    else:
        assert "PKI001" in str(told.value)


def test_notes_of_a_newer_version_are_not_guessed_at(desk: VeroDesk) -> None:
    with pytest.raises(NotReady):
        desk.enrol(timeout=0)
    pending = desk.keys.pending(desk.client.slot(CUSTOMER))
    assert pending is not None
    desk.keys.note(pending, step="handed to a notary")
    with pytest.raises(KeyStoreTooNew):
        desk.client.resume(CUSTOMER)


def test_an_ended_patience_of_another_process_is_told(desk: VeroDesk) -> None:
    from threading import Event, Thread

    from govfile.errors import KeyStoreBusy

    entered, leave = Event(), Event()

    def hold() -> None:
        with desk.store().locked(desk.client.slot(CUSTOMER)):
            entered.set()
            leave.wait(30)

    thread = Thread(target=hold)
    thread.start()
    try:
        assert entered.wait(30)
        with pytest.raises(KeyStoreBusy):
            desk.enrol()
    finally:
        leave.set()
        thread.join()
    assert desk.service.asked == []


def test_closing_twice(desk: VeroDesk) -> None:
    with desk.client as client:
        client.server_time()
    client.close()
    assert desk.service.closed == 1
    assert "test" in repr(client)
