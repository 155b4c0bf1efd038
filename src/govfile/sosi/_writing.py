"""An ID card as text, in the very form that exclusive canonicalisation gives it.

The digest is taken over what is written here, so nothing has to be parsed. The order of elements is that of the
published schema; attributes stand in canonical order, every element has an end tag, and a namespace is declared where
it is first used. Only the unused prefixes of `DECLARED` are not part of the canonical form.
"""

from __future__ import annotations

from operator import attrgetter
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

START = f'<saml:Assertion xmlns:saml="{SAML}"'.encode()
#: Prefixes of attribute names, which are mere text; declared because every sender does.
DECLARED = f' xmlns:ds="{DS}" xmlns:medcom="{MEDCOM}" xmlns:sosi="{SOSI}"'.encode()
END = b"</saml:Assertion>"

_CONFIRMED = (
    f"<saml:SubjectConfirmation><saml:ConfirmationMethod>{HOLDER_OF_KEY}</saml:ConfirmationMethod>"
    "<saml:SubjectConfirmationData>{}</saml:SubjectConfirmationData></saml:SubjectConfirmation>"
)
_BY_KEY = _CONFIRMED.format(f'<ds:KeyInfo xmlns:ds="{DS}"><ds:KeyName>{SIGNATURE_ID}</ds:KeyName></ds:KeyInfo>')

#: What stands between the values: each closes the attribute before it and opens its own.
_VALUE = '"><saml:AttributeValue>'
_NEXT = '</saml:AttributeValue></saml:Attribute><saml:Attribute Name="'
_DONE = "</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>"
_CARD_ID = f'<saml:AttributeStatement id="IDCardData"><saml:Attribute Name="sosi:IDCardID{_VALUE}'
_VERSION, _TYPE, _LEVEL, _HASH, _CARE_PROVIDER_NAME = (
    f"{_NEXT}{name}{_VALUE}"
    for name in (
        "sosi:IDCardVersion",
        "sosi:IDCardType",
        "sosi:AuthenticationLevel",
        "sosi:OCESCertHash",
        "medcom:CareProviderName",
    )
)
_SYSTEM = f'<saml:AttributeStatement id="SystemLog"><saml:Attribute Name="medcom:ITSystemName{_VALUE}'
_CARE_PROVIDER = f'{_NEXT}medcom:CareProviderID" NameFormat="'
_USER_LOG = '<saml:AttributeStatement id="UserLog">'
_USER_START, _USER_END = '<saml:Attribute Name="', "</saml:AttributeValue></saml:Attribute>"
_USER = tuple(
    (field, f"{_USER_START}medcom:{name}{_VALUE}")
    for field, name in (
        ("cpr", "UserCivilRegistrationNumber"),
        ("given_name", "UserGivenName"),
        ("surname", "UserSurName"),
        ("email", "UserEmailAddress"),
        ("role", "UserRole"),
        ("authorisation_code", "UserAuthorizationCode"),
        ("occupation", "UserOccupation"),
    )
)
_user_values = attrgetter(*(field for field, _ in _USER))


def content(
    card: IdCard, *, card_id: str, level: int, certificate_hash: str | None, begin: datetime, end: datetime
) -> bytes:
    """All of the card between `START` and `END`, without a signature.

    `card` must have all that cards need (see `govfile.sosi.holder.filled`).
    """
    provider = card.care_provider
    if provider is None:
        raise InvalidContent("the care provider is missing")
    begins, ends = times.write(begin, card.version), times.write(end, card.version)
    name, name_format = name_id(card, provider)
    hashed = "" if certificate_hash is None else f"{_HASH}{certificate_hash}"
    return (
        f' IssueInstant="{begins}" Version="2.0" id="{CARD_ID}"><saml:Issuer>{card.issuer}</saml:Issuer>'
        f'<saml:Subject><saml:NameID Format="{name_format.value}">{escape_text(name)}</saml:NameID>'
        f'{_confirmation(card, level)}</saml:Subject><saml:Conditions NotBefore="{begins}" NotOnOrAfter="{ends}">'
        f"</saml:Conditions>{_CARD_ID}{escape_text(card_id)}{_VERSION}{card.version.value}{_TYPE}{card.type.value}"
        f"{_LEVEL}{level}{hashed}{_DONE}{_user_log(card)}{_SYSTEM}{escape_text(card.it_system)}{_CARE_PROVIDER}"
        f"{provider.format.value}{_VALUE}{escape_text(provider.id)}{_CARE_PROVIDER_NAME}{escape_text(provider.name)}"
        f"{_DONE}"
    ).encode()


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
    given = zip(_USER, _user_values(card), strict=True)
    written = [f"{start}{escape_text(value)}{_USER_END}" for (_, start), value in given if value is not None]
    return f"{_USER_LOG}{''.join(written)}</saml:AttributeStatement>"
