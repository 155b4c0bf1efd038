"""Renewing: inside the window, with a new key, signed by the old one; and what a `Renewer` makes of it."""

from __future__ import annotations

import logging
import random
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile import Credential
from govfile.certificates.keystore import SlotId
from govfile.certificates.renewal import Outcome, Renewer, RenewsCertificates
from govfile.certificates.signer import SoftwareSigner
from govfile.errors import ConfigurationError, ConnectionFailed, CredentialError, NotReady, OutcomeUnknown, Rejected
from govfile.vero import Kind, Step
from support import pki
from support.vero_desk import CUSTOMER, LIFE, NOON, Before, VeroDesk, answer, envelope, issue, reply, result

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.certificates.renewal import Result


def test_c07_the_old_one_signs_and_stays(desk: VeroDesk) -> None:
    first = desk.due()
    second = desk.renew()
    assert desk.service.operations() == ["renewCertificate", "getCertificate"]
    assert second.public_key == pki.rsa_key(1).public_key()
    assert desk.client.credential(CUSTOMER) == second
    assert desk.client.generations(CUSTOMER) == (first, second)
    assert second.expires > first.expires > desk.clock()
    _, sent = desk.service.asked[0]
    (carried,) = re.findall(rb"<ds:X509Certificate>([^<]*)</ds:X509Certificate>", sent)
    assert desk.keys.generations(desk.client.slot(CUSTOMER))[0].certificate == first.certificate
    import base64

    from cryptography import x509

    assert x509.load_der_x509_certificate(base64.b64decode(carried)) == first.certificate
    assert b"TransferId" not in sent


def test_the_request_of_a_renewal_names_the_holder_as_the_certificate_does(desk: VeroDesk) -> None:
    desk.due()
    desk.renew()
    *_, request = desk.service.requests.values()
    assert request.subject.rfc4514_string() == f"C=FI,O=Ab Example Oy,CN={CUSTOMER}"
    assert request.public_key() == pki.rsa_key(1).public_key()


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (60.001, "can be renewed from 20"),
        (400, "can be renewed from 20"),
        (0, "expired on"),
        (-300, "order a new certificate"),
    ],
)
def test_c01_outside_the_window_nothing_is_made_or_sent(desk: VeroDesk, days: float, words: str) -> None:
    desk.due(days)
    with pytest.raises(CredentialError, match=words):
        desk.renew()
    assert desk.service.asked == []
    assert desk.client.application(CUSTOMER) is None


@pytest.mark.parametrize(
    ("days", "is_open", "is_urgent", "has_passed"),
    [
        (61, False, False, False),
        (60, True, False, False),
        (7, True, True, False),
        (0.001, True, True, False),
        (0, False, False, True),
    ],
)
def test_c01_the_window(desk: VeroDesk, days: float, is_open: bool, is_urgent: bool, has_passed: bool) -> None:
    found = desk.due(days)
    window = desk.client.renewal_window(CUSTOMER)
    assert (window.is_open, window.is_urgent, window.has_passed) == (is_open, is_urgent, has_passed)
    assert (window.opens, window.closes) == (found.expires - timedelta(days=60), found.expires)


def test_a_renewal_needs_a_new_key(desk: VeroDesk) -> None:
    desk.due()
    with pytest.raises(CredentialError, match="needs a new key"):
        desk.renew(0)
    assert desk.service.asked == []
    desk.renew(1)


def test_keys_that_are_not_known_to_pass_are_not_sent(desk: VeroDesk, caplog: pytest.LogCaptureFixture) -> None:
    desk.due()
    with pytest.raises(ConfigurationError, match="RSA"):
        desk.client.renew(CUSTOMER, key=pki.ec_key(0))
    assert desk.service.asked == []
    desk.client.renew(CUSTOMER, key=pki.rsa_key(0, 3072))
    assert "3072 bits" in caplog.text


def test_nothing_to_renew(desk: VeroDesk) -> None:
    with pytest.raises(CredentialError, match="nothing is enrolled"):
        desk.renew()
    with pytest.raises(CredentialError, match="no request"):
        desk.client.fetch(CUSTOMER)
    with pytest.raises(CredentialError, match="no request"):
        desk.client.resume(CUSTOMER)
    with pytest.raises(CredentialError, match="no request"):
        desk.client.abandon(CUSTOMER, "there is none")


def test_a_refused_renewal_is_asked_for_again_with_the_same_key(desk: VeroDesk) -> None:
    first = desk.due()
    desk.service.next("renewCertificate", reply(answer("RenewCertificateResponse", result("PKI050"))))
    with pytest.raises(Rejected, match="PKI050"):
        desk.renew()
    assert desk.client.credential(CUSTOMER) == first
    second = desk.client.resume(CUSTOMER)
    assert second.public_key == pki.rsa_key(1).public_key()
    assert [one.number for one in desk.keys.generations(desk.client.slot(CUSTOMER))] == [1, 2]


def test_c02_a_switch_that_a_crash_cut_short_is_finished_without_asking(
    desk: VeroDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from govfile.certificates.keystore.pointer import Pointer

    desk.due()
    save = Pointer.save

    def cut(pointer: Pointer, path: object) -> None:
        if pointer.current == 2:
            raise SystemError("the machine lost its power")
        save(pointer, path)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Pointer, "save", cut)
        with pytest.raises(SystemError):
            desk.renew()
    asked = len(desk.service.asked)
    found = desk.another().renew(CUSTOMER)
    assert found.public_key == pki.rsa_key(1).public_key()
    assert len(desk.service.asked) == asked
    assert desk.client.application(CUSTOMER) is None


# --- the renewer


def renewer(desk: VeroDesk) -> Renewer:
    authorities: dict[str, RenewsCertificates] = {"vero": desk.client}
    return Renewer(desk.client.keystore, authorities, clock=desk.clock, sleep=desk.sleep, randomness=random.Random(1))


def one(desk: VeroDesk) -> Result:
    (found,) = renewer(desk).run(desk.client.slots()).results
    return found


def test_the_renewer_renews_what_is_due(desk: VeroDesk) -> None:
    first = desk.due()
    assert one(desk).outcome is Outcome.RENEWED
    assert desk.client.credential(CUSTOMER) != first
    assert one(desk).outcome is Outcome.NOT_DUE


def fleet(desk: VeroDesk, monkeypatch: pytest.MonkeyPatch) -> list[SlotId]:
    """Six customers whose certificates are due; their successors' keys are there already."""
    monkeypatch.setattr("govfile.certificates.keystore.store.new_key", lambda bits: pki.rsa_key(1))
    slots = [SlotId("vero", "test", f"{number:07d}-0") for number in range(6)]
    for slot in slots:
        certificate = issue(pki.rsa_key(0).public_key(), customer=slot.holder, begins=NOON - timedelta(days=700))
        desk.keys.adopt(slot, Credential.from_signer(SoftwareSigner(pki.rsa_key(0)), certificate, at=NOON))
    return slots


def test_a_fleet_waits_half_a_minute_together(desk: VeroDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = fleet(desk, monkeypatch)
    desk.service.not_ready = 3
    results = renewer(desk).run().results
    assert [str(result) for result in results if result.outcome is not Outcome.RENEWED] == []
    assert [30 <= pause <= 44 for pause in desk.slept] == [True, True]
    asked = desk.service.operations()
    assert asked == ["renewCertificate"] * 6 + ["getCertificate"] * 9
    assert {desk.client.credential(slot.holder).subject.common_name for slot in slots} == {s.holder for s in slots}


def test_a_service_that_breaks_down_does_not_put_a_whole_fleet_in_doubt(
    desk: VeroDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request in doubt has to be settled by a person who calls the authority."""
    slots = fleet(desk, monkeypatch)
    fault = b"<SOAP-ENV:Fault><faultcode>Server</faultcode><faultstring>busy</faultstring></SOAP-ENV:Fault>"
    nothing = (reply(b"<html>502</html>", 502), reply(envelope(fault), 500), ConnectionFailed("reset before it left"))
    desk.service.next("renewCertificate", *nothing * 2)
    results = renewer(desk).run().results
    assert [result.outcome for result in results].count(Outcome.UNKNOWN) == 2
    assert desk.service.operations() == ["renewCertificate"] * 2
    desk.service.plan.clear()
    assert [result.outcome for result in renewer(desk).run().results].count(Outcome.RENEWED) == len(slots) - 2


def test_c02_a_fleet_goes_on_after_a_crash_in_the_wait(desk: VeroDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(desk, monkeypatch)

    def crash(_: float) -> None:
        raise SystemExit

    run = Renewer(desk.client.keystore, {"vero": desk.client}, clock=desk.clock, sleep=crash)
    with pytest.raises(SystemExit):
        run.run()
    assert [result.outcome for result in renewer(desk).run().results] == [Outcome.RENEWED] * 6
    assert desk.service.operations().count("renewCertificate") == 6


def test_c02_the_renewer_waits_for_a_slow_service_over_nights(desk: VeroDesk) -> None:
    desk.due()
    desk.service.not_ready = 1000
    assert one(desk).outcome is Outcome.WAITING
    assert one(desk).outcome is Outcome.WAITING
    assert desk.service.operations().count("renewCertificate") == 1
    desk.service.not_ready = 0
    assert one(desk).outcome is Outcome.RENEWED


def test_w06_the_renewer_never_sends_again_what_may_have_arrived(desk: VeroDesk) -> None:
    desk.due()
    lost = OutcomeUnknown("lost", evidence="the link was lost", how_to_resolve="look")
    desk.service.next("renewCertificate", lost)
    assert one(desk).outcome is Outcome.UNKNOWN
    assert one(desk).outcome is Outcome.UNKNOWN
    assert desk.service.operations() == []


def test_the_renewer_tries_a_service_that_was_out_of_reach_the_next_night(desk: VeroDesk) -> None:
    desk.due()
    desk.service.next("renewCertificate", Before(ConnectionFailed("refused")))
    failed = one(desk)
    assert (failed.outcome, isinstance(failed.error, ConnectionFailed)) == (Outcome.FAILED, True)
    desk.clock.now += timedelta(days=1)
    assert one(desk).outcome is Outcome.RENEWED


def test_an_enrolment_that_came_to_nothing_does_not_stand_in_the_way_of_a_renewal(desk: VeroDesk) -> None:
    """Somebody tried other codes while a certificate was in use; it must be renewed all the same."""
    desk.due()
    desk.service.next("signNewCertificate", reply(answer("SignNewCertificateResponse", result("PKI001"))))
    with pytest.raises(Rejected):
        desk.enrol(1, transfer_id="5" * 32)
    assert one(desk).outcome is Outcome.RENEWED
    assert desk.client.application(CUSTOMER) is None


def test_a_request_that_waits_for_days_is_reported(desk: VeroDesk) -> None:
    desk.due()
    desk.service.not_ready = 10_000
    assert one(desk).outcome is Outcome.WAITING
    desk.clock.now += timedelta(days=4)
    overdue = one(desk)
    assert (overdue.outcome, isinstance(overdue.error, NotReady)) == (Outcome.FAILED, True)
    assert overdue.is_bad


def test_c01_the_renewer_says_when_the_window_was_missed(desk: VeroDesk) -> None:
    desk.due(-1)
    assert one(desk).outcome is Outcome.MISSED
    assert desk.service.operations() in ([], [""]), "nothing but the time was asked for"


@pytest.mark.parametrize("offset", [timedelta(days=-365), timedelta(days=365)])
def test_c09_a_clock_that_is_wrong_by_a_year_renews_nothing(desk: VeroDesk, offset: timedelta) -> None:
    """The service's Date header says what the time is."""
    found = desk.due(30)
    right: datetime = desk.clock.now
    desk.clock.now = found.expires + offset if offset > timedelta() else found.valid_from + offset
    desk.service.next("", reply(b"", date=right.strftime("%a, %d %b %Y %H:%M:%S GMT")))
    assert one(desk).outcome is Outcome.CLOCK_DOUBTED


def test_slots_of_other_environments_are_not_touched(desk: VeroDesk) -> None:
    desk.due()
    with pytest.raises(ConfigurationError, match="does not belong to"):
        desk.client.ask(SlotId("vero", "production", CUSTOMER), None)
    current = desk.keys.current(desk.client.slot(CUSTOMER))
    assert current is not None
    with pytest.raises(ConfigurationError, match="does not belong to"):
        desk.client.window(SlotId("skat", "test", CUSTOMER), current, desk.clock())
    assert desk.another(name="production").slots() == ()


def test_a_person_is_told_where_the_renewer_waits(desk: VeroDesk) -> None:
    desk.due()
    desk.service.not_ready = 1000
    with pytest.raises(NotReady):
        desk.renew()
    application = desk.client.application(CUSTOMER)
    assert application is not None
    assert (application.kind, application.step, application.retrieval_id) == (Kind.RENEW, Step.ASKED, "R00002")
    assert application.asked is not None
    assert application.asked >= application.created >= NOON + LIFE - timedelta(days=30)


# --- W-10


def test_w10_nothing_secret_in_any_log(desk: VeroDesk, caplog: pytest.LogCaptureFixture) -> None:
    """All loggers at DEBUG, zeep's and urllib3's included."""
    from support.vero_desk import TRANSFER_ID, TRANSFER_PASSWORD

    for name in ("", "zeep", "zeep.transports", "urllib3", "requests", "govfile"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        desk.service.next("signNewCertificate", reply(answer("SignNewCertificateResponse", result("PKI001"))))
        with pytest.raises(Rejected):
            desk.enrol()
        desk.due()
        desk.renew()
    finally:
        for name in ("zeep", "zeep.transports", "urllib3", "requests", "govfile"):
            logging.getLogger(name).setLevel(logging.NOTSET)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "renewCertificate" in said, "something was logged"
    for secret in (TRANSFER_ID, TRANSFER_PASSWORD, "CertificateRequest>", "about PKI001", "Ab Example Oy"):
        assert secret not in said
