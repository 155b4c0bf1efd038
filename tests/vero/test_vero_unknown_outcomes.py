"""W-06: a request that may have arrived is never sent again by itself; a person settles it, or its own answer does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.certificates.trust import Trust
from govfile.errors import (
    ConfigurationError,
    ConnectionFailed,
    CredentialError,
    InvalidName,
    NotReady,
    OutcomeUnknown,
    ProtocolError,
    Rejected,
    Retry,
    TrustError,
)
from govfile.vero import Step
from support import pki
from support.vero_desk import CUSTOMER, VeroDesk, answer, issuing_authority, reply, result, services_authority, signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.transports.base import Reply
    from govfile.vero import Application

LOST = OutcomeUnknown("the link was lost", evidence="1200 bytes were sent, nothing came", how_to_resolve="look")


def step(desk: VeroDesk) -> Application:
    found = desk.client.application(CUSTOMER)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("came", "words"),
    [
        (LOST, "1200 bytes were sent, nothing came"),
        (ProtocolError("a redirect came"), "a redirect came"),
        (reply(b"<html>Bad gateway</html>", 502, content_type="text/html"), "HTTP 502"),
        (reply(b"", 200), "empty body"),
        (reply(answer("RenewCertificateResponse", result())), "RenewCertificateResponse"),
        (reply(answer("SignNewCertificateResponse", result())), "no RetrievalId"),
        (reply(answer("SignNewCertificateResponse", result("PKI1"), by=signer("x", issuing_authority))), "anchor"),
    ],
    ids=["lost", "redirect", "html", "empty", "another operation", "no id", "stranger"],
)
def test_w06_whatever_comes_unless_it_is_a_verified_answer(desk: VeroDesk, came: object, words: str) -> None:
    desk.service.next("signNewCertificate", came)
    with pytest.raises(OutcomeUnknown, match=words) as unknown:
        desk.enrol()
    assert unknown.value.retry is Retry.AFTER_A_LOOK
    assert "settle" in unknown.value.how_to_resolve
    assert unknown.value.__cause__ is not None
    assert step(desk).step is Step.ASKING
    sent = desk.service.operations().count("signNewCertificate")
    client = desk.another()
    calls: list[Callable[[], object]] = [
        lambda: desk.enrol(0, client),
        lambda: client.resume(CUSTOMER),
        lambda: client.fetch(CUSTOMER),
    ]
    for again in calls:
        with pytest.raises(OutcomeUnknown):
            again()
    assert desk.service.operations().count("signNewCertificate") == sent, "nothing is sent again by itself"


def test_w02_a_fault_is_told_with_its_code_and_settles_nothing(desk: VeroDesk) -> None:
    fault = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server</faultcode>'
        b"<faultstring>out of order</faultstring></s:Fault></s:Body></s:Envelope>"
    )
    desk.service.next("signNewCertificate", reply(fault, 500))
    with pytest.raises(Rejected) as refused:
        desk.enrol()
    assert refused.value.code == "s:Server"
    assert "not known" in refused.value.certain
    assert step(desk).step is Step.ASKING
    with pytest.raises(OutcomeUnknown):
        desk.enrol()


def test_an_interrupt_behind_the_mark_leaves_it_unknown(desk: VeroDesk) -> None:
    desk.service.next("signNewCertificate", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        desk.enrol()
    with pytest.raises(OutcomeUnknown, match="ended before an answer"):
        desk.enrol()


def test_certainty_that_nothing_left_takes_the_mark_back(desk: VeroDesk) -> None:
    desk.service.next("signNewCertificate", ConnectionFailed("reset before the first byte"))
    with pytest.raises(ConnectionFailed):
        desk.enrol()
    assert step(desk).step is Step.READY
    desk.enrol()


# --- settling


def lost(desk: VeroDesk) -> None:
    """The service takes the request, and the answer is lost."""

    def take(body: bytes) -> Reply:
        desk.service.receipt("signNewCertificate", body)
        raise LOST

    desk.service.next("signNewCertificate", take)
    with pytest.raises(OutcomeUnknown):
        desk.enrol()


def test_settled_as_arrived_by_its_retrieval_id(desk: VeroDesk) -> None:
    lost(desk)
    with pytest.raises(ConfigurationError, match="RetrievalId"):
        desk.client.settle(CUSTOMER, arrived=True, reason="they told me")
    settled = desk.client.settle(CUSTOMER, arrived=True, retrieval_id="R00001", reason="they told me")
    assert (settled.step, settled.retrieval_id) == (Step.ASKED, "R00001")
    found = desk.client.resume(CUSTOMER)
    assert desk.client.credential(CUSTOMER) == found
    assert desk.service.operations().count("signNewCertificate") == 1


def test_fetching_by_a_retrieval_id_settles_it_too(desk: VeroDesk) -> None:
    lost(desk)
    with pytest.raises(InvalidName):
        desk.client.fetch(CUSTOMER, retrieval_id="R" * 33)
    found = desk.client.fetch(CUSTOMER, retrieval_id="R00001", timeout=None)
    assert desk.client.credential(CUSTOMER) == found


def test_settled_as_never_arrived_the_same_codes_are_used(desk: VeroDesk) -> None:
    desk.service.next("signNewCertificate", LOST)
    with pytest.raises(OutcomeUnknown):
        desk.enrol()
    assert desk.client.settle(CUSTOMER, arrived=False, reason="they know nothing of it").step is Step.READY
    desk.enrol()
    with pytest.raises(CredentialError, match="no request"):
        desk.client.settle(CUSTOMER, arrived=False, reason="again")


def test_what_is_known_is_not_settled(desk: VeroDesk) -> None:
    from govfile.errors import NotReady

    with pytest.raises(NotReady):
        desk.enrol(timeout=0)
    with pytest.raises(CredentialError, match="is known: asked"):
        desk.client.settle(CUSTOMER, arrived=False, reason="a mistake")


def test_given_up_for_new_codes(desk: VeroDesk) -> None:
    lost(desk)
    desk.client.abandon(CUSTOMER, "nobody can tell; new codes were ordered")
    found = desk.enrol(1)
    assert [one.number for one in desk.keys.generations(desk.client.slot(CUSTOMER))] == [2]
    assert desk.client.credential(CUSTOMER) == found


# --- an answer that could not be believed when it came


@pytest.mark.parametrize("operation", ["signNewCertificate", "renewCertificate"])
def test_an_answer_is_kept_and_believed_once_the_anchors_are_right(desk: VeroDesk, operation: str) -> None:
    """The codes are spent, and the RetrievalId is in an answer whose signer was not known."""
    is_new = operation == "signNewCertificate"
    if not is_new:
        desk.due()
    misled = desk.another(answer_signers=Trust.only(issuing_authority().pem))
    ask: Callable[[], object] = (lambda: desk.enrol(0, misled)) if is_new else (lambda: misled.renew(CUSTOMER))
    with pytest.raises(OutcomeUnknown, match="cannot be believed") as unknown:
        ask()
    assert isinstance(unknown.value.__cause__, TrustError)
    assert step(desk).is_kept
    with pytest.raises(OutcomeUnknown, match="cannot be believed"):
        misled.resume(CUSTOMER)
    mended = desk.another(answer_signers=Trust.only(services_authority().pem))
    found = mended.resume(CUSTOMER)
    assert mended.credential(CUSTOMER) == found
    assert desk.service.operations().count(operation) == 1


def test_a_refusal_that_is_believed_later(desk: VeroDesk) -> None:
    misled = desk.another(answer_signers=Trust.only(issuing_authority().pem))
    desk.service.next("signNewCertificate", reply(answer("SignNewCertificateResponse", result("PKI001"))))
    with pytest.raises(OutcomeUnknown):
        desk.enrol(0, misled)
    with pytest.raises(Rejected, match="PKI001"):
        desk.client.resume(CUSTOMER)
    assert step(desk).step is Step.REFUSED
    desk.enrol()


def test_a_large_answer_is_not_kept(desk: VeroDesk) -> None:
    desk.service.next("signNewCertificate", reply(b"x" * (64 * 1024 + 1)))
    with pytest.raises(OutcomeUnknown):
        desk.enrol()
    assert not step(desk).is_kept


def test_a_retrieval_id_given_by_hand_may_be_given_again(desk: VeroDesk) -> None:
    """Read out over a telephone it may be wrong; the key that waits must not be lost for that."""
    desk.service.next("signNewCertificate", lambda body: _taken_and_lost(desk, body))
    with pytest.raises(OutcomeUnknown):
        desk.enrol()
    desk.service.next("getCertificate", reply(answer("GetCertificateResponse", result("PKI020"))))
    desk.clock.now += timedelta(minutes=1)
    with pytest.raises(NotReady):
        desk.client.fetch(CUSTOMER, retrieval_id="R99999")
    assert desk.client.fetch(CUSTOMER, retrieval_id="R00001").public_key == pki.rsa_key(0).public_key()


def test_a_retrieval_id_that_the_service_gave_is_not_replaced(desk: VeroDesk) -> None:
    with pytest.raises(NotReady):
        desk.enrol(timeout=0)
    with pytest.raises(CredentialError, match="is known"):
        desk.client.fetch(CUSTOMER, retrieval_id="R99999")
    with pytest.raises(CredentialError, match="is known"):
        desk.client.settle(CUSTOMER, arrived=False, reason="a slip")


def _taken_and_lost(desk: VeroDesk, body: bytes) -> Reply:
    desk.service.receipt("signNewCertificate", body)
    raise LOST
