"""Names on the wire: namespaces, algorithms and token types, in the sandbox's own spelling of the public documents."""

from __future__ import annotations

from typing import Final

NS: Final = {
    "soap": "http://schemas.xmlsoap.org/soap/envelope/",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
    "wsse11": "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd",
    "medcom": "http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd",
    "sosi": "http://www.sosi.dk/sosi/2006/04/sosi-1.0.xsd",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
    "xenc11": "http://www.w3.org/2009/xmlenc11#",
    "wst05": "http://schemas.xmlsoap.org/ws/2005/02/trust",
    "wsa04": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "wst": "http://docs.oasis-open.org/ws-sx/ws-trust/200512",
    "wst14": "http://docs.oasis-open.org/ws-sx/ws-trust/200802",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsp": "http://schemas.xmlsoap.org/ws/2004/09/policy",
    "auth": "http://docs.oasis-open.org/wsfed/authorization/200706",
    "sbf": "urn:liberty:sb",
    "sbfprofile": "urn:liberty:sb:profile",
    "bpp": "http://itst.dk/oiosaml/basic_privilege_profile",
    "srp": "urn:dk:healthcare:saml:subject_relations_profile:1.1",
    "hsuid": "http://www.nsi.dk/hsuid/2016/08/hsuid-1.1.xsd",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "disco": "urn:liberty:disco:2006-08",
    "sec": "urn:liberty:security:2006-08",
}
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"

EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = NS["ds"] + "enveloped-signature"
STR_TRANSFORM: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"
RSA_SHA1: Final = NS["ds"] + "rsa-sha1"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA1: Final = NS["ds"] + "sha1"
SHA256: Final = NS["xenc"] + "sha256"

#: Dialect A's token type is written with and without the colon at its end.
TOKEN_TYPES_A: Final = ("urn:oasis:names:tc:SAML:2.0:assertion:", "urn:oasis:names:tc:SAML:2.0:assertion")
#: Seal.NET's request type beside the right one.
REQUEST_TYPES_A: Final = (
    NS["wst05"] + "/Issue",
    "http://schemas.xmlsoap.org/ws/2005/02/security/trust/Issue",
)
TOKEN_TYPE_B: Final = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0"  # noqa: S105
SAML_ID: Final = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID"
REQUEST_TYPE_B: Final = NS["wst"] + "/Issue"
ACTION_B: Final = NS["wst"] + "/RST/Issue"
CLAIMS_DIALECT: Final = NS["auth"] + "/authclaims"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"

HOLDER_OF_KEY: Final = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SENDER_VOUCHES: Final = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
X509_NAME: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
BASIC: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
URI_FORMAT: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
X509_CONTEXT: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"

DK: Final = "dk:gov:saml:attribute:"
HEALTH: Final = "dk:healthcare:saml:attribute:"
MODEL: Final = "https://data.gov.dk/model/core/"
NO_ROLE: Final = "urn:dk:healthcare:no-role"
NATIONAL_ROLE: Final = "urn:dk:healthcare:national-federation-role:"


def tag(name: str) -> str:
    """`saml:Issuer` as `{urn:…}Issuer`."""
    prefix, _, local = name.partition(":")
    return f"{{{NS[prefix]}}}{local}"
