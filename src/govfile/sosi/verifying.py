"""Verifying what the STS hands out beside cards: signed envelopes, and the assertions in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import TrustError
from govfile.sosi.audience import means
from govfile.sosi.constants import ASSERTION, DS, SAML, SOAP, WSA, WSSE, WST, WSU
from govfile.xml.policy import Part, Policy, Signers, Window
from govfile.xml.verifying import verify

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from govfile.sosi.assertions import Assertion
    from govfile.sosi.audience import Audience
    from govfile.sosi.trust import StsTrust
    from govfile.xml.verifying import Verified

ENVELOPE = (f"{{{SOAP}}}Envelope",)
HEADER = (*ENVELOPE, f"{{{SOAP}}}Header")
SECURITY = (*HEADER, f"{{{WSSE}}}Security")
BODY = (*ENVELOPE, f"{{{SOAP}}}Body")
ACTION = (*HEADER, f"{{{WSA}}}Action")
MESSAGE_ID = (*HEADER, f"{{{WSA}}}MessageID")
RELATES_TO = (*HEADER, f"{{{WSA}}}RelatesTo")
TIMESTAMP = (*SECURITY, f"{{{WSU}}}Timestamp")
RESPONSE = (
    *BODY,
    f"{{{WST}}}RequestSecurityTokenResponseCollection",
    f"{{{WST}}}RequestSecurityTokenResponse",
)
TOKEN = (*RESPONSE, f"{{{WST}}}RequestedSecurityToken")

_DISCO = "urn:liberty:disco:2006-08"
_LIBERTY_SECURITY = "urn:liberty:security:2006-08"
#: Where an OIOSAML assertion may carry the ID card it was made from, below the assertion.
_CARD_WITHIN = (
    f"{{{SAML}}}AttributeStatement",
    f"{{{SAML}}}Attribute",
    f"{{{SAML}}}AttributeValue",
    f"{{{WSA}}}EndpointReference",
    f"{{{WSA}}}Metadata",
    f"{{{_DISCO}}}SecurityContext",
    f"{{{_LIBERTY_SECURITY}}}Token",
    ASSERTION,
)


def verify_envelope(document: bytes, *, trust: StsTrust, at: datetime) -> Verified:
    """An answer whose envelope the STS signed: action, message id, what it relates to, time stamp and body, all five.

    The token in it may have a signature of its own, which this does not verify. Raises `TrustError`.
    """
    required = (BODY, ACTION, MESSAGE_ID, RELATES_TO, TIMESTAMP)
    parts = [Part(path=path, is_only_one=path is not TIMESTAMP) for path in required]
    parts += [Part(path=(*HEADER, f"{{{WSA}}}{name}"), is_required=False) for name in ("To", "From", "ReplyTo")]
    others = ((*TOKEN, ASSERTION), (*TOKEN, ASSERTION, *_CARD_WITHIN))
    policy = trust.demanded(Policy(signature=SECURITY, parts=tuple(parts), others=others, signers=trust.signers))
    return verify(document, policy, at=at)


def verify_assertion(
    xml: bytes, *, trust: StsTrust, at: datetime, known: x509.Certificate | None = None, may_hold_card: bool = False
) -> Verified:
    """One assertion that stands alone, signed by the STS and valid at `at`.

    Some name their signer's key without its certificate: then `known` is taken, that of the envelope around it.
    `may_hold_card`: an ID card may stand in it as an attribute, with a signature that is not verified here.
    Raises `TrustError` and `ProtocolError`.
    """
    path = (ASSERTION,)
    others = ((*path, *_CARD_WITHIN),) if may_hold_card else ()
    policy = trust.policy(path, is_only_one=not may_hold_card, others=others, window=Window(skew=trust.skew))
    if known is not None and not _carries_certificate(xml):
        policy = attrs.evolve(policy, signers=Signers(pinned=(known,)))
    return verify(xml, policy, at=at)


def check_audience(found: Assertion, wanted: Audience) -> None:
    """Raise `TrustError` unless the assertion is for `wanted`, both in their normal form; one for nobody is refused."""
    if any(means(written, wanted) for written in found.audiences):
        return
    raise TrustError(
        f"the token is for another service than {wanted}" if found.audiences else "the token names no audience",
        advice="compare the audience with the address the service is registered under",
    )


def _carries_certificate(xml: bytes) -> bool:
    from govfile.xml.unsigned import read_unsigned

    signature = f"{{{DS}}}Signature"
    return bool(read_unsigned(xml).at(signature, f"{{{DS}}}KeyInfo", f"{{{DS}}}X509Data", f"{{{DS}}}X509Certificate"))
