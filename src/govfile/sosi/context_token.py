"""The healthcare context token: an unsigned assertion beside an OIOSAML one, with what that one does not know.

Source: the user document of the STS on OIOSaml2Sosi; the builders of Seal.NET and Unsealed, which name the education
code always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.sosi import times
from govfile.sosi._text import check_text
from govfile.sosi.claims import NO_ROLE
from govfile.sosi.constants import SAML
from govfile.xml.canonical import escape_attribute, escape_text

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.sosi.assertions import Assertion

_X509_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
_SENDER_VOUCHES = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
_BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
_PREFIX = "dk:healthcare:saml:attribute:"


def context_token(
    about: Assertion,
    *,
    token_id: str,
    at: datetime,
    it_system: str,
    role: str | None,
    authorisation_code: str | None,
    given_name: str | None,
    surname: str | None,
) -> bytes:
    """The token for the person of `about`. Raises `InvalidContent` for values that cannot be written."""
    fields = (
        ("UserAuthorizationCode", "the authorisation code", authorisation_code),
        ("UserEducationCode", "the role", role or NO_ROLE),
        ("UserGivenName", "the given name", given_name),
        ("UserSurName", "the surname", surname),
        ("ITSystemName", "the system's name", it_system),
    )
    for _, what, value in fields:
        if value is not None:
            check_text(what, value)
    attributes = "".join(
        f'<saml:Attribute Name="{_PREFIX}{name}" NameFormat="{_BASIC}"><saml:AttributeValue>{escape_text(value)}'
        "</saml:AttributeValue></saml:Attribute>"
        for name, _, value in fields
        if value is not None
    )
    name_format = escape_attribute(about.name_id_format or _X509_NAME)
    return (
        f'<saml:Assertion xmlns:saml="{SAML}" ID="{token_id}" IssueInstant="{times.write(at)}" Version="2.0">'
        f"<saml:Issuer>{escape_text(it_system)}</saml:Issuer><saml:Subject>"
        f'<saml:NameID Format="{name_format}">{escape_text(about.name_id)}</saml:NameID>'
        f'<saml:SubjectConfirmation Method="{_SENDER_VOUCHES}"></saml:SubjectConfirmation></saml:Subject>'
        f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"
    ).encode()
