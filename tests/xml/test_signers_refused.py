"""The right signature of the wrong signer (T-03)."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError, TrustError
from govfile.xml.key_info import KeyInfo
from govfile.xml.policy import Signers
from govfile.xml.verifying import verify
from support import pki
from support import xml_messages as messages

if TYPE_CHECKING:
    from collections.abc import Callable

EARLY, LATE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)


def with_key_value(inner: bytes) -> bytes:
    document = messages.signed_card()
    assert document.count(b"<ds:KeyInfo><ds:X509Data>") == 1
    return document.replace(b"<ds:KeyInfo><ds:X509Data>", b"<ds:KeyInfo>" + inner + b"<ds:X509Data>")


def stranger(not_before: datetime = EARLY, not_after: datetime = LATE) -> pki.Identity:
    return messages.authority().issue(key=pki.rsa_key(5), not_before=not_before, not_after=not_after)


def other_root() -> pki.Authority:
    return pki.Authority.create(key=pki.rsa_key(6), not_before=EARLY, not_after=LATE)


SIGNERS: dict[str, Callable[[], pki.Identity]] = {
    "another authority of the same name": lambda: other_root().issue(
        key=pki.rsa_key(5), not_before=EARLY, not_after=LATE
    ),
    "self-signed": lambda: other_root().identity,
    "expired": lambda: stranger(not_after=messages.NOW - timedelta(days=1)),
    "not yet valid": lambda: stranger(not_before=messages.NOW + timedelta(days=1)),
    "the authority itself": lambda: messages.authority().identity,
}


@pytest.mark.parametrize("who", SIGNERS)
def test_t03_right_signature_of_the_wrong_signer_is_refused(who: str) -> None:
    document = messages.signed_card(who=messages.credential_of(SIGNERS[who]()))
    with pytest.raises(TrustError, match="certificate"):
        verify(document, messages.card_policy(), at=messages.NOW)


def test_t03_the_chain_in_the_message_helps_and_is_not_believed() -> None:
    root = other_root()
    middle = pki.Authority.create(
        pki.plain("Middle"), key=pki.rsa_key(8), issuer=root, not_before=EARLY, not_after=LATE
    )
    who = messages.credential_of(middle.issue(key=pki.rsa_key(5), not_before=EARLY, not_after=LATE))
    document = messages.signed_card(who=who, key_info=KeyInfo.chain())
    verify(document, messages.card_policy(signers=Signers(trust=Trust.only(root.pem))), at=messages.NOW)
    with pytest.raises(TrustError, match="does not lead to an anchor"):
        verify(document, messages.card_policy(), at=messages.NOW)


@pytest.mark.parametrize("meant", [("SOSI Federation", None), ("", "20202020"), ("SOSI Federation", "10101010")])
def test_t03_a_genuine_certificate_of_somebody_else_is_refused(meant: tuple[str, str | None]) -> None:
    signers = attrs.evolve(messages.signers(), common_name=meant[0], cvr=meant[1])
    with pytest.raises(TrustError, match="not that of the signer the policy means"):
        verify(messages.signed_card(), messages.card_policy(signers=signers), at=messages.NOW)


def test_t03_the_signer_meant_is_accepted() -> None:
    signers = attrs.evolve(messages.signers(), common_name="Eksempel", cvr="10101010")
    assert verify(messages.signed_card(), messages.card_policy(signers=signers), at=messages.NOW).parts


def test_t03_of_pinned_certificates_only_those_count() -> None:
    pinned = Signers(pinned=(stranger().certificate,))
    with pytest.raises(TrustError, match="not one of those that are pinned"):
        verify(messages.signed_card(), messages.card_policy(signers=pinned), at=messages.NOW)


def test_t03_a_certificate_valid_today_and_not_then_is_judged_by_the_time_asked_for() -> None:
    who = stranger(not_before=messages.NOW - timedelta(days=2), not_after=messages.NOW + timedelta(days=2))
    document = messages.signed_card(who=messages.credential_of(who))
    policy = messages.card_policy()
    for _ in range(2):
        verify(document, policy, at=messages.NOW)
        with pytest.raises(TrustError, match="certificate is valid from"):
            verify(document, policy, at=messages.NOW + timedelta(days=3))


def misshapen(kind: str) -> bytes:
    """The text of a certificate that nobody can read."""
    encoded = stranger().certificate.public_bytes(Encoding.DER)
    changes = {
        "a key of no known kind": (bytes.fromhex("06092a864886f70d010101"), bytes.fromhex("06092a864886f70d01013f")),
        "a version that does not exist": (bytes.fromhex("a003020102"), bytes.fromhex("a003020106")),
    }
    if kind not in changes:
        return base64.b64encode(encoded) + b" " * 40_000
    assert encoded.count(changes[kind][0]) == 1
    return base64.b64encode(encoded.replace(*changes[kind]))


@pytest.mark.parametrize("kind", ["a key of no known kind", "a version that does not exist", "too long"])
def test_t03_a_certificate_that_cannot_be_read_is_refused_in_our_own_words(kind: str) -> None:
    carried = re.sub(rb"(<ds:X509Certificate>)[^<]*", rb"\g<1>" + misshapen(kind), messages.signed_card())
    with pytest.raises(TrustError, match="certificate in the signature cannot be read"):
        verify(carried, messages.card_policy(), at=messages.NOW)


def key_value(number: int, exponent: int = 65537) -> bytes:
    modulus = pki.rsa_key(number).public_key().public_numbers().n
    numbers = (base64.b64encode(modulus.to_bytes(256, "big")), base64.b64encode(exponent.to_bytes(3, "big")))
    inner = b"<ds:Modulus>%s</ds:Modulus><ds:Exponent>%s</ds:Exponent>" % numbers
    return b"<ds:KeyValue><ds:RSAKeyValue>" + inner + b"</ds:RSAKeyValue></ds:KeyValue>"


def test_t03_a_bare_key_must_be_that_of_the_certificate() -> None:
    verify(with_key_value(key_value(2)), messages.card_policy(), at=messages.NOW)
    for wrong in (key_value(5), key_value(2, 3), b"<ds:KeyValue/>", b"<ds:KeyValue><x/></ds:KeyValue>"):
        with pytest.raises(TrustError, match="bare key"):
            verify(with_key_value(wrong), messages.card_policy(), at=messages.NOW)


def test_t03_a_bare_key_without_certificate_is_nobodys() -> None:
    document = re.sub(rb"<ds:X509Data>.*</ds:X509Data>", key_value(2), messages.signed_card())
    with pytest.raises(TrustError, match="carries no certificate"):
        verify(document, messages.card_policy(), at=messages.NOW)


def test_t03_nobody_is_believed_by_default() -> None:
    with pytest.raises(ConfigurationError, match="any web authority"):
        Signers(trust=Trust())
    with pytest.raises(ConfigurationError, match="nobody could be believed"):
        Signers()
