"""The Danish exchanges, asked for by the foreign client; and the faults that come back."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from support.sosi_caller import NS, Answer, Caller, verified

ENVELOPE = "//*[local-name()='Security']/*[local-name()='Signature']"
TOKEN = "//*[local-name()='RequestedSecurityToken']/*[local-name()='Assertion']/*[local-name()='Signature']"
CPR, BEHALF = "dk:gov:saml:attribute:CprNumberIdentifier", "dk:healthcare:saml:attribute:OnBehalfOf"
SYSTEM = {"medcom:ITSystemName": "Example Lab"}
ROLE = "urn:dk:healthcare:national-federation-role:code:41002:value:SundAssistR2"
OTHER_ROLE = "urn:dk:healthcare:national-federation-role:code:41003:value:SundAssistR1"
BAD_ENVELOPE = "Unable to validate envelope signature"
UNTRUSTED = (
    "FailedAuthentication",
    "http://sosi.dk/sts",
    "Authentication failed: Token in request signed by untrusted party",
)
OVER = ("ExpiredData", "http://www.sosists.dk/sts", "The request data is out-of-date")
FAILED = ("FailedAuthentication", "http://www.sosists.dk/sts", "Authentication failed")
MALFORMED = ("InvalidRequest", "http://www.sosists.dk/sts", "The request was invalid or malformed")


def is_signed(sts: Caller, answer: Answer, at: str) -> bool:
    return verified(answer.body, sts.sandbox.sts_certificate.public_bytes(Encoding.PEM), at=at)


def context(name_id: str, **attributes: str) -> str:
    """A healthcare context token."""
    given = {"ITSystemName": "Example Lab", **attributes}
    listed = "".join(
        f'<saml:Attribute Name="dk:healthcare:saml:attribute:{name}"><saml:AttributeValue>{found}</saml:AttributeValue>'
        "</saml:Attribute>"
        for name, found in given.items()
        if found
    )
    return (
        f'<saml:Assertion xmlns:saml="{NS["saml"]}" ID="_context" Version="2.0"><saml:Issuer>Example Lab</saml:Issuer>'
        f'<saml:Subject><saml:NameID>{name_id}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:'
        '2.0:cm:sender-vouches"/></saml:Subject>'
        f"<saml:AttributeStatement>{listed}</saml:AttributeStatement></saml:Assertion>"
    )


def from_oiosaml(sts: Caller, assertion: bytes | None = None, *, name_id: str = "", **attributes: str) -> Answer:
    sandbox = sts.sandbox
    token = (assertion or sandbox.oiosaml_assertion()).decode()
    whose = name_id or str(etree.fromstring(token).findtext(f".//{{{NS['saml']}}}NameID"))
    return sts.exchange(sandbox.settings.paths.from_oiosaml, token + context(whose, **attributes), "http://sosi.dk")


def bst(sts: Caller, token: bytes | None = None, claims: dict[str, str] | None = None, **other: Any) -> Answer:
    path = sts.sandbox.settings.paths.bst_to_sosi
    found = (token or sts.sandbox.bootstrap_token()).decode()
    return sts.exchange(
        path, found, "https://audience.nspop.dk/dgws", claims=SYSTEM if claims is None else claims, **other
    )


def citizen(sts: Caller, token: bytes | None = None, claims: dict[str, str] | None = None, **other: Any) -> Answer:
    found = (token or sts.sandbox.citizen_bootstrap_token()).decode()
    given = {CPR: "0101001234"} if claims is None else claims
    return sts.exchange(sts.sandbox.settings.paths.bst_to_idws, found, "https://fmk", claims=given, **other)


def web_token(token: str) -> str:
    return (
        f'<wsse:BinarySecurityToken ValueType="urn:ietf:params:oauth:token-type:jwt">{token}</wsse:BinarySecurityToken>'
    )
