"""An ID card as text, in the very form that exclusive canonicalisation gives it.

The digest is taken over what is written here, so nothing has to be parsed. The order of elements is that of the
published schema; attributes stand in canonical order, every element has an end tag, and a namespace is declared where
it is first used. Only the unused prefixes of `DECLARED` are not part of the canonical form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.errors import InvalidContent
from govfile.sosi import times
from govfile.sosi.care_provider import NameFormat
from govfile.sosi.constants import CARD_ID, DS, HOLDER_OF_KEY, MEDCOM, SAML, SIGNATURE_ID, SOSI, WSSE
from govfile.xml.canonical import escape_text

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.sosi.card import IdCard
    from govfile.sosi.care_provider import CareProvider

START = f'<saml:Assertion xmlns:saml="{SAML}"'
#: Prefixes of attribute names, which are mere text; declared because every sender does.
DECLARED = f' xmlns:ds="{DS}" xmlns:medcom="{MEDCOM}" xmlns:sosi="{SOSI}"'
END = "</saml:Assertion>"

_CONFIRMED = (
    f"<saml:SubjectConfirmation><saml:ConfirmationMethod>{HOLDER_OF_KEY}</saml:ConfirmationMethod>"
    "<saml:SubjectConfirmationData>{}</saml:SubjectConfirmationData></saml:SubjectConfirmation>"
)
_BY_KEY = _CONFIRMED.format(f'<ds:KeyInfo xmlns:ds="{DS}"><ds:KeyName>{SIGNATURE_ID}</ds:KeyName></ds:KeyInfo>')


def content(
    card: IdCard, *, card_id: str, level: int, certificate_hash: str | None, begin: datetime, end: datetime
) -> str:
    """All of the card between `START` and `END`, without a signature.

    `card` must have all that cards need (see `govfile.sosi.holder.filled`).
    """
    if card.care_provider is None:
        raise InvalidContent("the care provider is missing")
    begins, ends = times.write(begin, card.version), times.write(end, card.version)
    name, name_format = name_id(card, card.care_provider)
    hashed = "" if certificate_hash is None else _attribute("sosi:OCESCertHash", certificate_hash)
    return (
        f' IssueInstant="{begins}" Version="2.0" id="{CARD_ID}"><saml:Issuer>{card.issuer}</saml:Issuer>'
        f'<saml:Subject><saml:NameID Format="{name_format.value}">{escape_text(name)}</saml:NameID>'
        f'{_confirmation(card, level)}</saml:Subject><saml:Conditions NotBefore="{begins}" NotOnOrAfter="{ends}">'
        f'</saml:Conditions><saml:AttributeStatement id="IDCardData">{_attribute("sosi:IDCardID", card_id)}'
        f"{_attribute('sosi:IDCardVersion', card.version.value)}{_attribute('sosi:IDCardType', card.type.value)}"
        f"{_attribute('sosi:AuthenticationLevel', str(level))}{hashed}</saml:AttributeStatement>{_user_log(card)}"
        f'<saml:AttributeStatement id="SystemLog">{_attribute("medcom:ITSystemName", card.it_system)}'
        f'<saml:Attribute Name="medcom:CareProviderID" NameFormat="{card.care_provider.format.value}">'
        f"<saml:AttributeValue>{escape_text(card.care_provider.id)}</saml:AttributeValue></saml:Attribute>"
        f"{_attribute('medcom:CareProviderName', card.care_provider.name)}</saml:AttributeStatement>"
    )


def name_id(card: IdCard, care_provider: CareProvider) -> tuple[str, NameFormat]:
    """By what the card's subject is named: the alternative identifier, the user's CPR number, or the care provider.

    Where a user's CPR number is left out, the name is empty, as Seal.Java writes it.
    """
    if card.alternative_identifier is not None:
        return card.alternative_identifier, NameFormat.OTHER
    if card.role is not None:
        return card.cpr or "", NameFormat.CPR
    return care_provider.id, care_provider.format


def _confirmation(card: IdCard, level: int) -> str:
    if level == 1:
        return ""
    if level != 2:
        return _BY_KEY
    password = "" if card.password is None else card.password.reveal()
    return _CONFIRMED.format(
        f'<wsse:UsernameToken xmlns:wsse="{WSSE}"><wsse:Username>{escape_text(card.username or "")}</wsse:Username>'
        f"<wsse:Password>{escape_text(password)}</wsse:Password></wsse:UsernameToken>"
    )


def _user_log(card: IdCard) -> str:
    if card.role is None:
        return ""
    attributes = (
        ("medcom:UserCivilRegistrationNumber", card.cpr),
        ("medcom:UserGivenName", card.given_name),
        ("medcom:UserSurName", card.surname),
        ("medcom:UserEmailAddress", card.email),
        ("medcom:UserRole", card.role),
        ("medcom:UserAuthorizationCode", card.authorisation_code),
        ("medcom:UserOccupation", card.occupation),
    )
    written = "".join(_attribute(name, value) for name, value in attributes if value is not None)
    return f'<saml:AttributeStatement id="UserLog">{written}</saml:AttributeStatement>'


def _attribute(name: str, value: str) -> str:
    return (
        f'<saml:Attribute Name="{name}"><saml:AttributeValue>{escape_text(value)}'
        "</saml:AttributeValue></saml:Attribute>"
    )
