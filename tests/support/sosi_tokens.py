"""Tokens that others than the service issue: an OIOSAML assertion, bootstrap tokens, a JWT. Everybody is invented."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding

from support.fake_sts import CPR, CVR, DS, assertion, signer, written
from support.xml_messages import NOW

if TYPE_CHECKING:
    from cryptography import x509

UID = "urn:oid:0.9.2342.19200300.100.1.1"
IDP = signer("Example IdP", cvr="19552101")
HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"


def jwt(claims: dict[str, Any], *, header: dict[str, Any] | None = None, signature: str = "c2lnbmVk") -> str:
    """A JWT in compact form; nobody here looks at its signature."""
    parts = [header or {"alg": "RS256"}, claims]
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts), signature]
    )


JWT = jwt({"sub": "someone", "exp": int((NOW + timedelta(minutes=2)).timestamp())})


def oiosaml_assertion(attributes: dict[str, str] | None = None, **changes: Any) -> bytes:
    """What NemLog-in hands out for an employee."""
    usual = {
        UID: f"CVR:{CVR}-RID:25351738",
        "dk:gov:saml:attribute:CvrNumberIdentifier": CVR,
        "dk:gov:saml:attribute:CprNumberIdentifier": CPR,
    }
    return assertion(
        **{"audience": "https://sts.test", "attributes": attributes or usual, "by": IDP, "token_id": "_oio", **changes}
    )


def bootstrap_token(
    *, holder: x509.Certificate | None = None, life: timedelta = timedelta(seconds=30), at: datetime = NOW
) -> bytes:
    """What an identity provider hands out to be exchanged at once."""
    confirmation = ""
    if holder is not None:
        text = base64.b64encode(holder.public_bytes(Encoding.DER)).decode()
        confirmation = (
            f'<saml:SubjectConfirmation Method="{HOLDER_OF_KEY}"><saml:SubjectConfirmationData '
            f'NotOnOrAfter="{written(at + life)}"><ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>{text}'
            "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></saml:SubjectConfirmationData></saml:SubjectConfirmation>"
        )
    return assertion(
        audience="https://sts.sosi.dk/", by=IDP, token_id="_bst", life=life, at=at, confirmation=confirmation
    )
