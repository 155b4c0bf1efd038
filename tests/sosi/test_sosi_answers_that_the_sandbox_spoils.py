"""Every way the token service's answers can be wrong, and the line between can break: nothing of it is believed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile.errors import GovfileError, OutcomeUnknown, ProtocolError, TransportError, TrustError
from govfile.sandbox.sosi import (
    Envelope,
    Other,
    SosiSandbox,
    Spoilt,
    Wrapping,
)
from govfile.sosi.sts import SecurityTokenService
from support.sosi_client import CPR, EXCHANGES, IN_ENVELOPES, PROVIDER, READ_HERE, USER, client, refused

if TYPE_CHECKING:
    from govfile.sosi.signed_card import SignedCard


@pytest.mark.parametrize(
    ("name", "spoilt"),
    [
        (name, spoilt)
        for name in READ_HERE
        for spoilt in Spoilt
        if (name, spoilt) != ("identity token", Spoilt.EXPIRED)  # it shows the new certificate of the same key
    ],
)
def test_t02_t03_a_spoilt_signature_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str, spoilt: Spoilt
) -> None:
    with authority.faults.during(spoilt=spoilt):
        try:
            found: Any = EXCHANGES[name](sts, authority, card)
        except (TrustError, ProtocolError):
            return
    # a comment is no part of what is signed: then what is read must be what was meant
    assert spoilt is Spoilt.COMMENTED
    assert b"<!--" in found.xml


@pytest.mark.parametrize("wrapping", Wrapping)
@pytest.mark.parametrize("name", READ_HERE)
def test_t01_a_wrapped_token_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str, wrapping: Wrapping
) -> None:
    with authority.faults.during(wrapped=wrapping), pytest.raises((TrustError, ProtocolError)):
        EXCHANGES[name](sts, authority, card)


@pytest.mark.parametrize("envelope", Envelope)
@pytest.mark.parametrize("name", IN_ENVELOPES)
def test_t02_a_spoilt_envelope_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str, envelope: Envelope
) -> None:
    with authority.faults.during(envelope=envelope):
        if name.startswith("identity token") and envelope is Envelope.UNSIGNED:
            EXCHANGES[name](sts, authority, card)  # its answers need no signature beside the token's
            return
        with pytest.raises((TrustError, ProtocolError)):
            EXCHANGES[name](sts, authority, card)


@pytest.mark.parametrize("other", [Other.ID, Other.CVR, Other.CPR, Other.TYPE, Other.LEVEL, Other.VERSION])
def test_t09_a_card_about_something_else_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, other: Other
) -> None:
    with authority.faults.during(other=other), pytest.raises((TrustError, ProtocolError)):
        sts.issue(USER)


@pytest.mark.parametrize("other", [Other.AUDIENCE, Other.CONTEXT, Other.RELATION])
@pytest.mark.parametrize("name", IN_ENVELOPES)
def test_t08_t09_an_answer_to_something_else_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str, other: Other
) -> None:
    with authority.faults.during(other=other), pytest.raises((TrustError, ProtocolError)):
        EXCHANGES[name](sts, authority, card)


@pytest.mark.parametrize("name", ["issue", *IN_ENVELOPES])
def test_t09_a_replayed_answer_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str
) -> None:
    EXCHANGES[name](sts, authority, card)
    with authority.faults.during(replay=True), pytest.raises((TrustError, ProtocolError)):
        EXCHANGES[name](sts, authority, card)


@pytest.mark.parametrize("name", ["issue", *IN_ENVELOPES])
def test_t07_a_stale_answer_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str
) -> None:
    with authority.faults.during(stale=timedelta(days=2)), pytest.raises((TrustError, ProtocolError)):
        EXCHANGES[name](sts, authority, card)


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ({"page": True}, (ProtocolError,)),
        ({"page": True, "status": 502}, (ProtocolError,)),
        ({"empty": True}, (ProtocolError,)),
        ({"doctype": True}, (ProtocolError,)),
        ({"redirect": "https://elsewhere.test/"}, (ProtocolError,)),
        ({"flood": 6 * 1024 * 1024}, (ProtocolError, OutcomeUnknown)),
        ({"drop_before": True}, (OutcomeUnknown, TransportError)),
        ({"drop_after": True}, (OutcomeUnknown,)),
        ({"cut_after": 500}, (OutcomeUnknown,)),
        ({"soap12": True}, (ProtocolError, TrustError)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_w01_w05_w06_a_line_that_breaks_or_bends(
    authority: SosiSandbox, fault: dict[str, Any], kinds: tuple[type[GovfileError], ...]
) -> None:
    with client(authority) as sts, authority.faults.during(**fault):
        with pytest.raises(kinds) as caught:
            sts.issue(USER)
        assert caught.value.operation == "issue"
        assert CPR not in f"{caught.value} {vars(caught.value)}"


def test_w06_a_lost_answer_is_asked_for_again(authority: SosiSandbox) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        authority.faults.clear()

    environment = attrs.evolve(authority.environment, attempts=2)
    with SecurityTokenService(environment, authority.credential, clock=authority.clock, sleep=sleep) as sts:
        authority.faults.drop_after = True
        assert sts.issue(USER).is_verified
    assert slept == [1.0]


@pytest.mark.parametrize("status", [200, 500])
def test_w02_a_fault_is_told_with_either_status(authority: SosiSandbox, status: int) -> None:
    words = ("InvalidRequest", "dk:sosi:sts:nbo", "IT System must be specified")
    with client(authority) as sts, authority.faults.during(refuse=words, status=status):
        error = refused(lambda: sts.issue(USER))
    assert (error.code, error.actor, error.text) == words


def test_an_answer_in_parts_is_read(authority: SosiSandbox, card: SignedCard) -> None:
    with client(authority) as sts, authority.faults.during(mtom=True):
        assert sts.issue(USER).is_verified
        assert sts.to_oiosaml(card, audience=PROVIDER).is_encrypted
