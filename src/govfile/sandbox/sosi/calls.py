"""The judgement of calls to services: with an ID card (DGWS 1.0.1) or with a token and its key (OIO IDWS SOAP 1.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from govfile.sandbox.sosi import cards, names, stock, times
from govfile.sandbox.sosi.names import NS, tag
from govfile.sandbox.sosi.reading import Unreadable, child, ids, maybe, parse, text, value
from govfile.sandbox.sosi.refusals import Refused
from govfile.sandbox.sosi.settings import normalised
from govfile.sandbox.sosi.verifying import BadSignature, certificate_in, signature_in, verify, verify_enveloped

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from govfile.sandbox.sosi.settings import Settings
    from govfile.sandbox.sosi.verifying import Signed

_ORDER = ("SecurityLevel", "TimeOut", "Linking", "FlowStatus", "Priority", "RequireNonRepudiationReceipt")
_WORDS = {
    "SecurityLevel": frozenset("12345"),
    "TimeOut": frozenset({"5", "30", "480", "1440", "unbound"}),
    "FlowStatus": frozenset({"flow_running", "flow_finalized_succesfully"}),
    "Priority": frozenset({"AKUT", "HASTER", "RUTINE"}),
    "RequireNonRepudiationReceipt": frozenset({"yes", "no"}),
}
_INVALID, _CHECK, _TOKEN = "InvalidSecurity", "FailedCheck", "InvalidSecurityToken"


@attrs.frozen
class CallRefused(Exception):
    """A call is refused: `code` is DGWS's FaultCode or that of SOAP Message Security, `words` say why."""

    code: str
    words: str

    def __str__(self) -> str:
        return f"{self.code}: {self.words}"


@attrs.frozen(kw_only=True)
class DgwsCall:
    """A good call: the card it came with, its header's ids, and the XML inside its body."""

    card: cards.Card
    message_id: str
    flow_id: str
    body: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class IdwsCall:
    """A good call: the id of the token it came with, its addressing, and the XML inside its body."""

    assertion_id: str
    action: str
    message_id: str
    body: str = attrs.field(repr=False)


def envelope(body: bytes) -> etree._Element:
    """A SOAP 1.1 or 1.2 envelope; raises `CallRefused`."""
    try:
        root = parse(body)
        ids(root)
    except Unreadable as error:
        raise CallRefused("syntax_error", str(error)) from error
    if root.tag not in (f"{{{NS['soap']}}}Envelope", f"{{{names.SOAP12}}}Envelope"):
        raise CallRefused("syntax_error", "no SOAP envelope")
    return root


def message_id(root: etree._Element, soap: str) -> str:
    """MessageID of the header as far as there is one."""
    found = root.find(f"{{{soap}}}Header/{tag('medcom:Header')}/{tag('medcom:Linking')}/{tag('medcom:MessageID')}")
    return text(found)


def _parts(root: etree._Element, soap: str) -> tuple[etree._Element, etree._Element]:
    header, body = root.findall(f"{{{soap}}}Header"), root.findall(f"{{{soap}}}Body")
    if len(header) != 1 or len(body) != 1:
        raise CallRefused("missing_required_header", "one header and one body are needed")
    return header[0], body[0]


def _content(body: etree._Element) -> str:
    return "".join(etree.tostring(each, encoding="unicode", with_tail=False) for each in body.iterchildren("{*}*"))


# --- DGWS


def dgws(root: etree._Element, soap: str, settings: Settings, at: datetime) -> DgwsCall:
    """Judge header, card and the two together; raises `CallRefused` with the codes of DGWS."""
    header, body = _parts(root, soap)
    try:
        security, medcom = maybe(header, "wsse:Security"), maybe(header, "medcom:Header")
        if security is None or medcom is None or not value(security, "wsu:Timestamp", "wsu:Created"):
            raise CallRefused("missing_required_header", "wsse:Security with a timestamp, and medcom:Header")
        if settings.wants_hsuid and maybe(header, "hsuid:HsuidHeader") is None:
            raise CallRefused("missing_required_header", "hsuid:HsuidHeader")
        found = _medcom(medcom)
        assertion = maybe(security, "saml:Assertion")
        if assertion is None:
            raise CallRefused("missing_required_header", "no ID card")
        card = _card(assertion, settings, at)
        _check_together(card, found, settings, at)
        linking = child(medcom, "medcom:Linking")
        return DgwsCall(
            card=card,
            message_id=value(linking, "medcom:MessageID"),
            flow_id=value(linking, "medcom:FlowID"),
            body=_content(body),
        )
    except Unreadable as error:
        raise CallRefused("syntax_error", str(error)) from error


def _medcom(header: etree._Element) -> dict[str, str]:
    present = [etree.QName(each).localname for each in header.iterchildren("{*}*")]
    if present != [name for name in _ORDER if name in present] or "Linking" not in present:
        raise CallRefused("syntax_error", f"medcom:Header holds {present}")
    found = {name: value(header, f"medcom:{name}") for name in present if name != "Linking"}
    for name, given in found.items():
        if given not in _WORDS[name]:
            raise CallRefused("syntax_error", f"{name} is {given!r}")
    if not value(header, "medcom:Linking", "medcom:MessageID"):
        raise CallRefused("missing_required_header", "no MessageID")
    return found


def _card(assertion: etree._Element, settings: Settings, at: datetime) -> cards.Card:
    try:
        card = cards.read(assertion)
    except (Refused, Unreadable) as error:
        raise CallRefused("invalid_idcard", str(error)) from error
    try:
        signed = verify_enveloped(assertion)
    except BadSignature as error:
        raise CallRefused("invalid_signature", str(error)) from error
    if not stock.is_sts(signed.certificate):
        words = "The certificate that signed the security token is not trusted!"
        raise CallRefused("invalid_certificate", words)
    if at >= card.end or at < card.start - settings.tolerance:
        raise CallRefused("expired_idcard", f"the card is good from {card.start} to {card.end}")
    return card


def _check_together(card: cards.Card, header: dict[str, str], settings: Settings, at: datetime) -> None:
    level, timeout = header.get("SecurityLevel"), header.get("TimeOut", "unbound")
    if level is None and settings.demands_level:
        raise CallRefused("missing_required_header", "no SecurityLevel")
    if level is not None and level != card.level:
        raise CallRefused("security_level_failed", f"the header says {level}, the card {card.level}")
    if timeout != "unbound" and card.issued + timedelta(minutes=int(timeout)) <= at:
        raise CallRefused("expired_idcard", f"the card is older than the {timeout} minutes the caller allows")
    if header.get("RequireNonRepudiationReceipt") == "yes":
        raise CallRefused("nonrepudiation_not_supported", "no receipts are given here")


# --- IDWS


def idws(root: etree._Element, soap: str, settings: Settings, at: datetime) -> IdwsCall:
    """Judge the token, then that its key signed this message; raises `CallRefused` with the codes of WSS."""
    header, body = _parts(root, soap)
    try:
        security = child(header, "wsse:Security")
        _check_window(security, settings, at)
        assertion = child(security, "saml:Assertion")
        holder = _holder(assertion, settings, at)
        signature = signature_in(security)
        if signature is None:
            raise CallRefused(_CHECK, "the message is not signed")
        signed = _signed_by(signature, holder, assertion, header)
        _check_covered(signed, header, security, body, assertion)
        return IdwsCall(
            assertion_id=assertion.get("ID") or "",
            action=value(header, "wsa:Action"),
            message_id=value(header, "wsa:MessageID"),
            body=_content(body),
        )
    except Unreadable as error:
        raise CallRefused(_INVALID, str(error)) from error
    except BadSignature as error:
        raise CallRefused(_CHECK, str(error)) from error


def _check_window(security: etree._Element, settings: Settings, at: datetime) -> None:
    stamp = child(security, "wsu:Timestamp")
    try:
        created = times.loose(value(stamp, "wsu:Created"))
        expires = value(stamp, "wsu:Expires")
        is_over = bool(expires) and times.loose(expires) + settings.tolerance <= at
    except ValueError as error:
        raise CallRefused(_INVALID, str(error)) from error
    if is_over or abs(created - at) > settings.tolerance:
        raise CallRefused("MessageExpired", "the message is too old, or from the future")


def _holder(assertion: etree._Element, settings: Settings, at: datetime) -> x509.Certificate:
    """The certificate a good token is bound to."""
    signed = verify_enveloped(assertion)
    if not stock.is_sts(signed.certificate):
        raise CallRefused(_TOKEN, "The certificate that signed the security token is not trusted!")
    conditions = child(assertion, "saml:Conditions")
    try:
        start, end = (times.loose(conditions.get(name) or "") for name in ("NotBefore", "NotOnOrAfter"))
    except ValueError as error:
        raise CallRefused(_TOKEN, str(error)) from error
    if not start - settings.tolerance <= at < end:
        raise CallRefused(_TOKEN, "the token is over, or not valid yet")
    audience = value(conditions, "saml:AudienceRestriction", "saml:Audience")
    if normalised(audience) != normalised(settings.service_audience):
        raise CallRefused(_TOKEN, f"the token is for {audience}")
    confirmation = child(assertion, "saml:Subject", "saml:SubjectConfirmation")
    if confirmation.get("Method") != names.HOLDER_OF_KEY:
        raise CallRefused(_TOKEN, "the token is bound to no key")
    holder = certificate_in(child(confirmation, "saml:SubjectConfirmationData"))
    if holder is None:
        raise CallRefused(_TOKEN, "the token names no certificate")
    return holder


def _signed_by(
    signature: etree._Element, holder: x509.Certificate, assertion: etree._Element, header: etree._Element
) -> Signed:
    """Check the signature by the holder's key. The older profile (with Liberty's header) shows the certificate, the
    newer one refers to the token.
    """
    key = holder.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise CallRefused(_TOKEN, "no RSA key in the token")
    signed = verify(signature, key=key)
    if header.find(tag("sbf:Framework")) is not None:
        if signed.certificate != holder:
            raise CallRefused(_CHECK, "another certificate than the token's")
        return signed
    if signed.method != names.RSA_SHA256 or signed.certificate is not None:
        raise CallRefused(_CHECK, "the profile has RSA with SHA-256 and a reference to the token in KeyInfo")
    identifier = child(signature, "ds:KeyInfo", "wsse:SecurityTokenReference", "wsse:KeyIdentifier")
    if identifier.get("ValueType") != names.SAML_ID or text(identifier) != assertion.get("ID"):
        raise CallRefused(_CHECK, "KeyInfo does not refer to the token")
    return signed


def _check_covered(
    signed: Signed, header: etree._Element, security: etree._Element, body: etree._Element, assertion: etree._Element
) -> None:
    needed = [child(header, "wsa:Action"), child(header, "wsa:MessageID"), child(security, "wsu:Timestamp"), body]
    needed += [assertion, *header.findall(tag("wsa:To")), *header.findall(tag("sbf:Framework"))]
    missing = [etree.QName(each).localname for each in needed if each not in signed.covered]
    if missing:
        raise CallRefused(_CHECK, f"not signed: {', '.join(missing)}")
