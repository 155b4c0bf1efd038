"""Waiting for a certificate: when it is looked for, for how long, and what a later process finds."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from govfile.errors import ConnectionFailed, NotReady, ProtocolError, Rejected
from govfile.vero import Step
from support.vero_desk import CUSTOMER, Before, VeroDesk, answer, reply, result


def test_the_first_look_comes_after_half_a_minute_and_then_every_40_seconds(desk: VeroDesk) -> None:
    desk.service.not_ready = 3
    desk.enrol()
    assert desk.service.operations().count("getCertificate") == 4
    assert 30 <= desk.slept[0] <= 33
    assert all(40 <= pause <= 44 for pause in desk.slept[1:])
    assert len(desk.slept) == 4


def test_patience_ends_and_days_later_the_certificate_is_fetched(desk: VeroDesk) -> None:
    desk.service.not_ready = 1000
    with pytest.raises(NotReady) as waiting:
        desk.enrol()
    assert waiting.value.reasons == (("PKI020", "about PKI020"),)
    assert 500 < sum(desk.slept) <= 600
    desk.clock.now += timedelta(days=3)
    desk.service.not_ready = 0
    asked = len(desk.service.asked)
    found = desk.another().fetch(CUSTOMER)
    assert [name for name, _ in desk.service.asked[asked:]] == ["getCertificate"]
    assert desk.client.credential(CUSTOMER) == found


def test_no_look_before_the_service_had_half_a_minute(desk: VeroDesk) -> None:
    with pytest.raises(NotReady, match="not looked for yet"):
        desk.enrol(timeout=0)
    assert desk.service.operations() == ["signNewCertificate"]
    with pytest.raises(NotReady, match="not looked for yet"):
        desk.client.fetch(CUSTOMER)
    desk.clock.now += timedelta(seconds=45)
    desk.client.fetch(CUSTOMER)
    assert desk.slept == []


def test_enrolling_again_goes_on_with_the_request_that_waits(desk: VeroDesk) -> None:
    with pytest.raises(NotReady):
        desk.enrol(timeout=0)
    desk.enrol()
    assert desk.service.operations().count("signNewCertificate") == 1


def test_a_program_that_runs_twice_enrols_once(desk: VeroDesk) -> None:
    found = desk.enrol()
    asked = len(desk.service.asked)
    assert desk.enrol(1, desk.another()) == found
    assert len(desk.service.asked) == asked, "spent codes are not sent again"
    assert desk.enrol(1, transfer_id="4" * 32) != found


def test_a_code_known_as_a_refusal_ends_the_wait(desk: VeroDesk) -> None:
    strict = desk.another(refusals=frozenset({"PKI066"}))
    desk.service.next("getCertificate", reply(answer("GetCertificateResponse", result("PKI066"))))
    with pytest.raises(Rejected, match="PKI066"):
        desk.enrol(0, strict)
    application = desk.client.application(CUSTOMER)
    assert application is not None
    assert application.step is Step.REFUSED


def test_looks_that_fail_are_made_again(desk: VeroDesk) -> None:
    fault = re.sub(
        rb"<SOAP-ENV:Body>.*</SOAP-ENV:Body>",
        b"<SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>busy</faultcode><faultstring>x</faultstring></SOAP-ENV:Fault></SOAP-ENV:Body>",
        answer("GetCertificateResponse", result("PKI020")),
    )
    desk.service.next("getCertificate", Before(ConnectionFailed("refused")), reply(b"<html/>", 502), reply(fault, 500))
    desk.enrol()
    assert len(desk.slept) == 4


def test_w09_the_pause_that_the_service_asks_for_is_kept_up_to_a_quarter_of_an_hour(desk: VeroDesk) -> None:
    desk.service.next("getCertificate", reply(b"", 503, retry_after="120"))
    desk.enrol()
    assert desk.slept[1] == 120
    desk.slept.clear()
    desk.service.next("getCertificate", reply(b"", 503, retry_after="86400"))
    with pytest.raises(ProtocolError, match="503"):
        desk.enrol(1, transfer_id="4" * 32)
    assert sum(desk.slept) < 60, "a pause beyond our own patience is not waited for: the next run looks"
