"""The names that Danish healthcare messages are made of.

Sources: MedCom, "Den Gode Webservice" 1.0 and 1.0.1; the schemas and builders of Seal.Java 2.3; OASIS WS-Security,
WS-Trust and WS-Addressing; messages published by their senders. See `docs/protocols/sosi.md`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
MEDCOM = "http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd"
#: Only ever the prefix of attribute names; declared because every sender declares it.
SOSI = "http://www.sosi.dk/sosi/2006/04/sosi-1.0.xsd"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
#: WS-Trust and WS-Addressing of card signing.
WST_2005 = "http://schemas.xmlsoap.org/ws/2005/02/trust"
WSA_2004 = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#: WS-Trust and WS-Addressing of the exchanges.
WST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
WST14 = "http://docs.oasis-open.org/ws-sx/ws-trust/200802"
WSA = "http://www.w3.org/2005/08/addressing"
WSP = "http://schemas.xmlsoap.org/ws/2004/09/policy"
AUTH = "http://docs.oasis-open.org/wsfed/authorization/200706"
AUTH_CLAIMS = f"{AUTH}/authclaims"
#: The framework header of older identity-based services.
LIBERTY = "urn:liberty:sb"
LIBERTY_PROFILE = "urn:liberty:sb:profile"
HSUID = "http://www.nsi.dk/hsuid/2016/08/hsuid-1.1.xsd"

#: The token type of card signing; the colon at its end is what most senders write, and both are accepted.
CARD_TOKEN_TYPE = "urn:oasis:names:tc:SAML:2.0:assertion:"  # noqa: S105 no password
#: The token type of the exchanges.
SAML_TOKEN_TYPE = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0"  # noqa: S105 no password

#: The element an ID card is.
ASSERTION = f"{{{SAML}}}Assertion"
#: The ids within a card, and of its signature.
CARD_ID = "IDCard"
SIGNATURE_ID = "OCESSignature"
HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"

#: Education codes by which the authorisation register knows a profession (a card's role, four digits).
EDUCATION_CODES: Mapping[str, str] = MappingProxyType(
    {
        "4498": "optician",
        "5151": "physiotherapist",
        "5153": "occupational therapist",
        "5155": "podiatrist",
        "5158": "radiographer",
        "5159": "biomedical laboratory scientist",
        "5166": "nurse",
        "5175": "midwife",
        "5265": "chiropractor",
        "5431": "dental hygienist",
        "5432": "clinical dental technician",
        "5433": "dentist",
        "5451": "clinical dietitian",
        "7170": "physician",
        "9495": "bandagist",
    }
)
