"""The checks that every token brought to an exchange goes through: who signed it, when, for whom, held by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.sosi import cards, names, refusals, stock, subjects, times
from govfile.sandbox.sosi.encrypting import decrypted
from govfile.sandbox.sosi.names import tag
from govfile.sandbox.sosi.reading import Unreadable, attributes, child, text, value, within
from govfile.sandbox.sosi.verifying import BadSignature, Signed, certificate_in, verify, verify_enveloped

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509
    from lxml import etree

    from govfile.sandbox.sosi.envelopes import Asked
    from govfile.sandbox.sosi.judging import Office


def caller(asked: Asked, office: Office, at: datetime, *, actor: str, required: bool) -> x509.Certificate | None:
    """Whoever signed the envelope, None where nobody did and nobody had to; raises `Refused`."""
    if asked.security:
        _check_created(asked, office, at, required)
    try:
        signature = within(asked.security, "ds:Signature")
        if signature is None:
            if required:
                raise refusals.bad_envelope(actor, "not signed")
            return None
        signed = verify(signature)
    except (BadSignature, Unreadable) as error:
        raise refusals.bad_envelope(actor, str(error)) from error
    missing = _uncovered(asked, signed)
    if missing:
        raise refusals.bad_envelope(actor, f"not signed: {', '.join(missing)}")
    if signed.method == names.RSA_SHA1 and not office.settings.requester_sha1:
        raise refusals.bad_envelope(actor, "SHA-1 is not taken here")
    certificate = signed.certificate
    assert certificate is not None
    if subjects.read(certificate) is None or not _is_known(certificate, office):
        raise refusals.untrusted("the envelope's signer")
    if not subjects.is_valid(certificate, at) or office.registers.is_revoked(certificate):
        raise refusals.failed("the caller's certificate is expired or revoked")
    return certificate


def _is_known(certificate: x509.Certificate, office: Office) -> bool:
    return subjects.issued_by_federation(certificate, office.registers.authorities)


def _check_created(asked: Asked, office: Office, at: datetime, required: bool) -> None:
    stamp = within(asked.security, "wsu:Timestamp")
    created = "" if stamp is None else value(stamp, "wsu:Created")
    if not created and not required:
        return  # what carries only a card may have no timestamp, as Seal's samples show
    try:
        moment = times.loose(created)
    except ValueError as error:
        raise refusals.malformed(str(error)) from error
    if abs(moment - at) > office.settings.tolerance:
        raise refusals.expired(f"the message says {created}")


def _uncovered(asked: Asked, signed: Signed) -> list[str]:
    """What must be signed and is not: addressing headers, timestamp, body, a framework header."""
    header, body = child(asked.root, "soap:Header"), child(asked.root, "soap:Body")
    stamp = within(asked.security, "wsu:Timestamp")
    if stamp is None:
        raise Unreadable("no wsu:Timestamp in Security")
    needed = [child(header, "wsa:MessageID"), child(header, "wsa:Action"), body, stamp]
    needed += [*header.findall(tag("wsa:To")), *header.findall(tag("sbf:Framework"))]
    return [str(each.tag) for each in needed if each not in signed.covered]


def one_token(asked: Asked) -> etree._Element:
    """The one thing inside ActAs."""
    if len(asked.tokens) != 1:
        raise refusals.malformed(f"{len(asked.tokens)} tokens in ActAs")
    return asked.tokens[0]


def signed_card(
    asked: Asked, at: datetime, *, unless_user: refusals.Refused | None = None
) -> tuple[etree._Element, cards.Card]:
    """The card in ActAs, or in the Security header where ActAs refers to that, its signature checked, then its time.

    `unless_user` is raised between the two for a card that is no user's.
    """
    token = one_token(asked)
    if token.tag == tag("wsse:SecurityTokenReference"):
        inside = within(asked.security, "saml:Assertion")
        if child(token, "wsse:Reference").get("URI") != "#IDCard" or inside is None:
            raise refusals.malformed("a reference to no card")
        token = inside
    card = cards.read(token)
    try:
        signed = verify_enveloped(token)
    except BadSignature as error:
        raise refusals.bad_digest(str(error)) from error
    if not stock.is_sts(signed.certificate):
        raise refusals.untrusted("the card is not ours")
    if unless_user is not None and not card.is_user:
        raise unless_user
    if not card.start <= at < card.end:
        raise refusals.expired("the card is over, or not valid yet")
    return token, card


@attrs.frozen(kw_only=True)
class Brought:
    """An assertion of the identity provider's, checked."""

    element: etree._Element
    name_id: str = attrs.field(repr=False)
    name_id_format: str
    audience: str
    attributes: dict[str, str] = attrs.field(repr=False)


def from_idp(found: etree._Element, office: Office, at: datetime) -> Brought:
    """An assertion signed by an identity provider, plain or encrypted for the STS; raises `Refused`."""
    assertion = found
    if found.tag == tag("saml:EncryptedAssertion"):
        assertion = decrypted(found, stock.rsa_key_of(stock.sts()))
    if assertion.tag != tag("saml:Assertion"):
        raise refusals.malformed("no assertion")
    try:
        signed = verify_enveloped(assertion)
    except BadSignature as error:
        raise refusals.untrusted(str(error)) from error
    if signed.certificate not in (stock.idp().certificate, *office.registers.identity_providers):
        raise refusals.untrusted("the token is of no identity provider we know")
    _check_time(assertion, at)
    subject = child(assertion, "saml:Subject", "saml:NameID")
    return Brought(
        element=assertion,
        name_id=text(subject),
        name_id_format=subject.get("Format") or "",
        audience=value(assertion, "saml:Conditions", "saml:AudienceRestriction", "saml:Audience"),
        attributes=attributes(assertion),
    )


def _check_time(assertion: etree._Element, at: datetime) -> None:
    conditions = child(assertion, "saml:Conditions")
    start, end = conditions.get("NotBefore"), conditions.get("NotOnOrAfter")
    try:
        if (start and times.loose(start) > at) or not end or times.loose(end) <= at:
            raise refusals.expired("the token is over, or not valid yet")
    except ValueError as error:
        raise refusals.malformed(str(error)) from error


def check_holder(token: Brought, certificate: x509.Certificate, *, may_be_bearer: bool = False) -> None:
    """Raise `Refused` unless the token is bound to that very certificate, or to none where that is enough."""
    confirmation = child(token.element, "saml:Subject", "saml:SubjectConfirmation")
    if may_be_bearer and confirmation.get("Method") == names.BEARER:
        return
    if confirmation.get("Method") != names.HOLDER_OF_KEY:
        raise refusals.failed("the token is bound to no key")
    try:
        bound = certificate_in(child(confirmation, "saml:SubjectConfirmationData"))
    except (BadSignature, Unreadable) as error:
        raise refusals.malformed(str(error)) from error
    if bound != certificate:
        raise refusals.failed("the token is bound to another certificate than the envelope's")
