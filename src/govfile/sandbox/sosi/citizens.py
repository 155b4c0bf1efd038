"""What a citizen's token is exchanged for: an identity token bound to the caller's key, or an OIOSAML assertion."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from govfile.sandbox.sosi import jwt, names, refusals, stock, tokens
from govfile.sandbox.sosi.assertions import Assertion, Attribute, holder_of_key
from govfile.sandbox.sosi.building import declare, element, leaf, with_attributes
from govfile.sandbox.sosi.card_exchanges import common_name, of_certificate, oiosaml
from govfile.sandbox.sosi.envelopes import Lifetime
from govfile.sandbox.sosi.exchanges import Grant
from govfile.sandbox.sosi.names import DK, JWT, MODEL, tag
from govfile.sandbox.sosi.reading import text
from govfile.sandbox.sosi.signing import x509_data

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from govfile.sandbox.sosi.envelopes import Asked
    from govfile.sandbox.sosi.judging import Office

AUDIENCES = ("https://bootstrap.sts.nspop.dk/", "https://bootstrap.sts.nemlog-in.dk/")
CPR_CLAIM, BEHALF_CLAIM = DK + "CprNumberIdentifier", names.HEALTH + "OnBehalfOf"
_PID = re.compile(r"\bSerial=PID:([0-9-]+)")
_PROCURATION = re.compile(r"urn:dk:healthcare:saml:actThroughProcurationBy:cprNumberIdentifier:([0-9]{10})")
_CUSTODY = re.compile(
    r"urn:dk:healthcare:saml:actThrough:(WardCustody|PartlyWardCustody|ParentalCustody):cprNumberIdentifier:([0-9]{10})"
)


def from_bootstrap_token(asked: Asked, office: Office, at: datetime) -> Grant:
    """Bst2Idws: a citizen's bootstrap token."""
    certificate = tokens.caller(asked, office, at, actor=refusals.ITS, required=True)
    token = tokens.from_idp(tokens.one_token(asked), office, at)
    if token.audience not in AUDIENCES:
        words = (
            "BST2IDWS assertion has an invalid audience. "
            f"Actual audience:{token.audience}, Allowed audience:{', '.join(AUDIENCES)}"
        )
        raise refusals.request_failed(refusals.ITS, words)
    assert certificate is not None
    tokens.check_holder(token, certificate, may_be_bearer=True)  # a published sample is bound to nobody
    return _granted(asked, office, at, certificate, cpr=_whose(token, office))


def _whose(token: tokens.Brought, office: Office) -> str:
    """The personal number in an attribute or in the name, or that of the PID in the name; "" where none is known."""
    if found := token.attributes.get(MODEL + "eid/cprNumber"):
        return found
    if token.name_id.startswith(f"{CPR_CLAIM}:"):
        return token.name_id.rpartition(":")[2]
    pid = _PID.search(token.name_id)
    return office.registers.citizens.get(pid[1], "") if pid else ""


def from_jwt(asked: Asked, office: Office, at: datetime) -> Grant:
    """JWT2Idws: the same for a JSON Web Token."""
    certificate = tokens.caller(asked, office, at, actor=refusals.ITS, required=True)
    assert certificate is not None
    return _granted(asked, office, at, certificate, cpr=_of_jwt(asked, at))


def jwt_to_oiosaml(asked: Asked, office: Office, at: datetime) -> Grant:
    """JWT2OIOSaml: an assertion about the person of a JWT. No client shows how; it follows Sosi2OIOSaml."""
    tokens.caller(asked, office, at, actor=refusals.IBO, required=True)
    cpr = _of_jwt(asked, at)
    audience = office.audience(asked.audience, refusals.IBO)
    holder = office.registers.person(cpr)
    if holder is None:
        raise refusals.illegal_identity("unknown")
    attributes = [
        Attribute(name="urn:oid:2.5.4.4", friendly="surName", content=holder.surname),
        Attribute(name="urn:oid:2.5.4.3", friendly="CommonName", content=common_name(holder)),
        Attribute(name=DK + "AssuranceLevel", content="3"),
        Attribute(name=DK + "SpecVer", content="DK-SAML-2.0"),
        Attribute(name=DK + "CvrNumberIdentifier", content=holder.cvr),
        Attribute(name=CPR_CLAIM, content=cpr),
        *of_certificate(holder),
    ]
    return oiosaml(
        audience, office, at, applies_to=asked.audience, holder=holder, authenticated=at, attributes=attributes
    )


def _of_jwt(asked: Asked, at: datetime) -> str:
    """The personal number in a JWT of the identity provider's; raises `Refused`."""
    found = tokens.one_token(asked)
    if found.tag != tag("wsse:BinarySecurityToken") or found.get("ValueType") != JWT:
        raise refusals.malformed("no BinarySecurityToken with a JWT")
    try:
        claims = jwt.read(text(found), stock.rsa_key_of(stock.idp()).public_key())
    except jwt.BadToken as error:
        raise refusals.untrusted(str(error)) from error
    if claims.get("iss") != jwt.ISSUER:
        raise refusals.untrusted(f"the issuer {claims.get('iss')}")
    expires = claims.get("exp")
    if not isinstance(expires, int) or expires <= at.timestamp():
        raise refusals.request_failed(refusals.ITS, "The specified request failed: the JWT has expired")
    cpr = claims.get("cpr")
    if not isinstance(cpr, str):
        raise refusals.malformed("a JWT without a personal number")
    return cpr


def _granted(asked: Asked, office: Office, at: datetime, certificate: x509.Certificate, *, cpr: str) -> Grant:
    claimed = asked.claims.get(CPR_CLAIM)
    if not claimed:
        raise refusals.invalid(refusals.ITS, "CPR claim missing")
    if claimed != cpr:
        raise refusals.invalid(refusals.ITS, "CPR/PID mismatch")
    audience = office.audience(asked.audience, refusals.ITS)
    start = (at - office.faults.stale).replace(microsecond=0)
    end = start + office.settings.token_life
    token = Assertion(
        issuer=office.settings.issuer,
        issued=start,
        name_id=f"{CPR_CLAIM}:{cpr}",
        name_id_format=names.PERSISTENT,
        confirmation=holder_of_key(x509_data(certificate), recipient=audience.recipient_url, end=end),
        start=start,
        end=end,
        audience=audience.audience,
        attributes=[
            Attribute(name=DK + "SpecVer", content="DK-SAML-2.0"),
            Attribute(name=DK + "AssuranceLevel", content="3"),
            Attribute(name=CPR_CLAIM, content=cpr),
            *_relations(asked.claims.get(BEHALF_CLAIM)),
        ],
    )
    lifetime = Lifetime(created=start, expires=end)
    return Grant(
        token=token.written(),
        lifetime=lifetime,
        audience=asked.audience,
        index=1,
        signature_id=("Id", "OCESSignature"),
        attached=token.identifier,
    )


def _relations(behalf: str | None) -> list[Attribute]:
    """Procuration and custody, as the claim names them; the sandbox takes everybody's word for it."""
    if behalf is None:
        return []
    if not behalf:
        raise refusals.invalid(refusals.ITS, "OnBehalfOf claim must not be empty")
    if found := _PROCURATION.fullmatch(behalf):
        group = element(
            "PrivilegeGroup",
            leaf("Privilege", "urn:dk:healthcare:saml:actThroughProcurationBy"),
            Scope=f"urn:dk:gov:saml:cprNumberIdentifier:{found[1]}",
        )
        listed = with_attributes("bpp:PrivilegeList", declare(["bpp"]), group)
        return [Attribute(name=DK + "Privileges_intermediate", content=_base64(listed))]
    if found := _CUSTODY.fullmatch(behalf):
        relation = element("srp:VerifiedRelation", relatedPersonID=found[2], relation=found[1])
        listed = with_attributes("srp:SubjectRelations", declare(["srp"]), relation)
        return [Attribute(name="urn:dk:healthcare:saml:attribute:SubjectRelations", content=_base64(listed))]
    raise refusals.invalid(refusals.ITS, "The request was invalid or malformed", "OnBehalfOf in no known form")


def _base64(xml: str) -> str:
    return base64.b64encode(xml.encode()).decode()
