"""What an employee's token is exchanged for: an ID card (OIOSaml2Sosi, BST2SOSI)."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from typing import TYPE_CHECKING

from govfile.sandbox.sosi import authorising, cards, judging, names, refusals, subjects, tampering, tokens
from govfile.sandbox.sosi.envelopes import Lifetime
from govfile.sandbox.sosi.exchanges import Grant
from govfile.sandbox.sosi.names import NATIONAL_ROLE, tag
from govfile.sandbox.sosi.reading import Unreadable, attributes, child, parse, value

if TYPE_CHECKING:
    from datetime import datetime

    from lxml import etree

    from govfile.sandbox.sosi.envelopes import Asked
    from govfile.sandbox.sosi.judging import Office
    from govfile.sandbox.sosi.people import Holder
    from govfile.sandbox.sosi.tokens import Brought

SOSI = "http://sosi.dk"
STS_AUDIENCE = "https://sts.sosi.dk/"
UID = "urn:oid:0.9.2342.19200300.100.1.1"
CERTIFICATE = "urn:oid:1.3.6.1.4.1.1466.115.121.1.8"
_OLD_NAMES = {
    "organisation": "urn:oid:2.5.4.10",
    "common name": "urn:oid:2.5.4.3",
    "mail": "urn:oid:0.9.2342.19200300.100.1.3",
}
_UID = re.compile(r"CVR:([0-9]{8})-RID:([^ +,]+)")
_PERSONAL_ROLE = re.compile(re.escape(NATIONAL_ROLE) + r"code:[0-9]{5}:value:[A-Za-z0-9]+")
_PRIVILEGES = names.MODEL + "eid/privilegesIntermediate"


# --- OIOSaml2Sosi


def from_oiosaml(asked: Asked, office: Office, at: datetime) -> Grant:
    """OIOSaml2Sosi: NemLog-in's assertion and a healthcare context for a card."""
    tokens.caller(asked, office, at, actor=refusals.NBO, required=True)
    if len(asked.tokens) != 2:
        raise refusals.malformed(f"{len(asked.tokens)} tokens in ActAs")
    token = tokens.from_idp(asked.tokens[0], office, at)
    context = _context(asked.tokens[1], token)
    if asked.audience.rstrip("/") != SOSI:
        raise refusals.malformed(f"AppliesTo {asked.audience}")
    holder = _holder_of(token, office)
    user = {
        cards.CPR: token.attributes.get(names.DK + "CprNumberIdentifier", ""),
        cards.GIVEN_NAME: context.get(names.HEALTH + "UserGivenName") or holder.given_name,
        cards.SURNAME: context.get(names.HEALTH + "UserSurName") or holder.surname,
        cards.EMAIL: token.attributes[_OLD_NAMES["mail"]],
        cards.ROLE: context.get(names.HEALTH + "UserEducationCode") or names.NO_ROLE,
        cards.CODE: context.get(names.HEALTH + "UserAuthorizationCode", ""),
    }
    read = subjects.Read(
        kind=holder.kind, cvr=holder.cvr, identifier=holder.identifier, serial=token.attributes[UID], organisation=""
    )

    user = judging.user({name: found for name, found in user.items() if found}, read, office)
    it_system = context.get(names.HEALTH + "ITSystemName", "")
    if not it_system:
        raise refusals.invalid(refusals.NBO, "IT System must be specified")
    known = holder.certificate if CERTIFICATE in token.attributes else None
    card = _card(
        office,
        at,
        user=user,
        it_system=it_system,
        care=(holder.cvr, token.attributes[_OLD_NAMES["organisation"]]),
        name_id=("medcom:other", subjects.name_id(known)) if known else ("medcom:cprnumber", user[cards.CPR]),
    )
    return _granted(tampering.other_card(card, office.faults.other), asked)


def _context(found: etree._Element, token: Brought) -> dict[str, str]:
    """The attributes of the healthcare context token, which nobody signs."""
    if found.tag != tag("saml:Assertion") or not found.get("ID"):
        raise refusals.malformed("no healthcare context token")
    subject = child(found, "saml:Subject")
    if value(subject, "saml:NameID") not in (token.name_id, token.attributes.get(UID)):
        raise refusals.malformed("the context token is about somebody else")
    if child(subject, "saml:SubjectConfirmation").get("Method") != names.SENDER_VOUCHES:
        raise refusals.malformed("the context token's confirmation")
    return attributes(found)


def _holder_of(token: Brought, office: Office) -> Holder:
    given = token.attributes
    if given.get(names.DK + "SpecVer") != "DK-SAML-2.0":
        raise refusals.malformed("no OIOSAML 2 assertion")
    if given.get(names.DK + "AssuranceLevel", "") < "3":
        raise refusals.failed("the assurance level is too low")
    missing = [name for name, attribute in _OLD_NAMES.items() if not given.get(attribute)]
    uid = _UID.match(given.get(UID, ""))
    cvr = given.get(names.DK + "CvrNumberIdentifier")
    if missing or uid is None or uid[1] != cvr:
        raise refusals.malformed(f"the assertion lacks {', '.join(missing) or 'CVR or uid'}")
    holder = office.registers.employee(uid[1], uid[2])
    if holder is None:
        raise refusals.illegal_identity(given[UID])
    return holder


# --- BST2SOSI


def from_bootstrap_token(asked: Asked, office: Office, at: datetime) -> Grant:
    """BST2SOSI: an employee's bootstrap token for a card."""
    certificate = tokens.caller(asked, office, at, actor=refusals.BST2SOSI, required=True)
    token = tokens.from_idp(tokens.one_token(asked), office, at)
    if token.audience != STS_AUDIENCE:
        words = f"BST2SOSI assertion does not have allowed audience {STS_AUDIENCE}"
        raise refusals.request_failed(refusals.BST2SOSI, words)
    assert certificate is not None
    tokens.check_holder(token, certificate)
    role, code = asked.claims.get("medcom:UserRole", ""), asked.claims.get("medcom:UserAuthorizationCode", "")
    if role and code:
        words = "Only one of UserAuthorizationCode or UserRole is allowed in request"
        raise refusals.invalid(refusals.BST2SOSI, words)
    it_system = asked.claims.get("medcom:ITSystemName", "")
    if not it_system:
        raise refusals.invalid(refusals.NBO, "IT System must be specified")
    _check_privileges(token.attributes.get(_PRIVILEGES, ""))
    holder = _employee(token, office)
    assert holder.cpr is not None
    user = {cards.CPR: holder.cpr, cards.GIVEN_NAME: holder.given_name, cards.SURNAME: holder.surname}
    alternative = asked.claims.get("sosi:SubjectNameID", "")
    card = _card(
        office,
        at,
        user=_with_role(user, role, code, holder, office),
        it_system=it_system,
        care=(holder.cvr, token.attributes.get(names.MODEL + "eid/professional/orgName") or holder.company),
        name_id=("medcom:other", alternative or token.name_id),
    )
    return _granted(tampering.other_card(card, office.faults.other), asked)


def _employee(token: Brought, office: Office) -> Holder:
    """Whom the registers know under the token's employee number."""
    given = token.attributes
    spec = given.get(names.MODEL + "specVersion", "")
    if spec not in ("OIO-SAML-3.0", "OIOSAML-3.0") or not given.get("https://data.gov.dk/concept/core/nsis/loa"):
        raise refusals.malformed(f"a bootstrap token of {spec!r}")
    cvr = given.get(names.MODEL + "eid/professional/cvr", "")
    number = given.get(names.MODEL + "eid/professional/uuid/persistent") or token.name_id.rpartition(":")[2]
    holder = office.registers.employee(cvr, number.rpartition(":")[2])
    cpr = given.get(names.MODEL + "eid/cprNumber")
    if holder is None or holder.cpr is None or (cpr and cpr != holder.cpr):
        raise refusals.request_failed(refusals.BST2SOSI, "Could not find userData for input CPR.")
    return holder


def _check_privileges(encoded: str) -> None:
    if not encoded:
        return
    try:
        root = parse(base64.b64decode(encoded, validate=True))
    except (binascii.Error, Unreadable):
        root = None
    if root is None or root.tag != tag("bpp:PrivilegeList"):
        words = "BST2SOSI assertion contains an invalid basic privilege profile"
        raise refusals.request_failed(refusals.BST2SOSI, words)


def _with_role(user: dict[str, str], role: str, code: str, holder: Holder, office: Office) -> dict[str, str]:
    """The user with an authorisation or a national role: the one claimed, or the only one there is."""
    if role.startswith("urn:") and role != names.NO_ROLE:
        if not _PERSONAL_ROLE.fullmatch(role):
            raise refusals.authorisation(f"invalid role supplied ({role})")
        if role not in holder.national_roles:
            raise refusals.authorisation(f"user does not have the requested role ({role})")
        return {**user, cards.ROLE: role}
    national = list(holder.national_roles)
    if not role and not code and national:
        if len(national) > 1:
            raise refusals.authorisation(f"multiple national roles found ({', '.join(national)})")
        return {**user, cards.ROLE: national[0]}
    claimed = {**user, **({cards.ROLE: role} if role else {}), **({cards.CODE: code} if code else {})}
    found = authorising.enriched(claimed, office)
    return {**found, cards.ROLE: found.get(cards.ROLE) or names.NO_ROLE}


# --- the card


def _card(
    office: Office,
    at: datetime,
    *,
    user: dict[str, str],
    it_system: str,
    care: tuple[str, str],
    name_id: tuple[str, str],
) -> cards.Card:
    start = (at - office.faults.stale - office.settings.tolerance).replace(microsecond=0)
    return cards.Card(
        issuer=office.settings.issuer,
        name_id=name_id[1],
        name_id_format=name_id[0],
        issued=start,
        start=start,
        end=start + office.settings.card_life,
        card_id=base64.b64encode(secrets.token_bytes(16)).decode(),
        version="1.0.1",
        is_user=True,
        level="4",
        user=user,
        it_system=it_system,
        care_id=care[0],
        care_format="medcom:cvrnumber",
        care_name=care[1],
    )


def _granted(card: cards.Card, asked: Asked) -> Grant:
    return Grant(
        token=cards.write(card),
        lifetime=Lifetime(created=card.start, expires=card.end),
        audience=asked.audience,
        signature_id=("id", "OCESSignature"),
        attached="IDCard",
    )
