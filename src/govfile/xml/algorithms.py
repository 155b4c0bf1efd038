"""The URIs by which XML signatures name their algorithms, and which of them mean anything here.

Sources: W3C XML Signature 1.0 and 1.1, RFC 9231 (further algorithms), W3C Canonical XML 1.0 and Exclusive XML
Canonicalization 1.0. HMAC is not among them: whoever verifies with a public key must not take it for a shared secret.
"""

from __future__ import annotations

import enum
import hashlib
from types import MappingProxyType
from typing import TYPE_CHECKING

from govfile.certificates.signer import SignatureAlgorithm

if TYPE_CHECKING:
    from collections.abc import Mapping

DS = "http://www.w3.org/2000/09/xmldsig#"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
XML = "http://www.w3.org/XML/1998/namespace"

ENVELOPED = f"{DS}enveloped-signature"
#: OASIS Web Services Security, SOAP Message Security 1.0, section 8.3.
STR_TRANSFORM = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"
#: OASIS Web Services Security, SAML Token Profile 1.1: a token named by its assertion's ID.
SAML_ID = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID"

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_PSS = "http://www.w3.org/2007/05/xmldsig-more#"

SIGNATURES: Mapping[str, SignatureAlgorithm] = MappingProxyType(
    {
        f"{DS}rsa-sha1": SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED,
        f"{_MORE}rsa-sha256": SignatureAlgorithm.RSA_SHA256,
        f"{_MORE}rsa-sha384": SignatureAlgorithm.RSA_SHA384,
        f"{_MORE}rsa-sha512": SignatureAlgorithm.RSA_SHA512,
        f"{_PSS}sha256-rsa-MGF1": SignatureAlgorithm.RSA_PSS_SHA256,
        f"{_PSS}sha384-rsa-MGF1": SignatureAlgorithm.RSA_PSS_SHA384,
        f"{_PSS}sha512-rsa-MGF1": SignatureAlgorithm.RSA_PSS_SHA512,
        f"{_MORE}ecdsa-sha256": SignatureAlgorithm.ECDSA_SHA256,
        f"{_MORE}ecdsa-sha384": SignatureAlgorithm.ECDSA_SHA384,
        f"{_MORE}ecdsa-sha512": SignatureAlgorithm.ECDSA_SHA512,
    }
)
SIGNATURE_URIS: Mapping[SignatureAlgorithm, str] = MappingProxyType({found: uri for uri, found in SIGNATURES.items()})


class Digest(enum.Enum):
    """How a referenced part is digested."""

    SHA1_WHERE_DEMANDED = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    def of(self, content: bytes) -> bytes:
        """The digest of `content`."""
        return _HASHES[self.value](content).digest()


#: Quicker than `hashlib.new`, which looks the name up each time.
_HASHES = MappingProxyType(
    {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
)

DIGESTS: Mapping[str, Digest] = MappingProxyType(
    {
        f"{DS}sha1": Digest.SHA1_WHERE_DEMANDED,
        "http://www.w3.org/2001/04/xmlenc#sha256": Digest.SHA256,
        f"{_MORE}sha384": Digest.SHA384,
        "http://www.w3.org/2001/04/xmlenc#sha512": Digest.SHA512,
    }
)
DIGEST_URIS: Mapping[Digest, str] = MappingProxyType({found: uri for uri, found in DIGESTS.items()})


class Canonicalization(enum.Enum):
    """The one way of writing an element that its digest is taken over; the value is the URI."""

    EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
    EXCLUSIVE_WITH_COMMENTS = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
    INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    INCLUSIVE_WITH_COMMENTS = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"

    def __init__(self, uri: str) -> None:
        #: Whether namespaces are written where they are used, not where they are declared.
        self.is_exclusive: bool = "exc-c14n" in uri
        #: Whether it writes comments, where there are any.
        self.keeps_comments: bool = uri.endswith("#WithComments")

    @property
    def without_comments(self) -> Canonicalization:
        """The same without comments: what it comes to behind a reference.

        A reference by id, or to the whole document, leaves comments out before anything else happens (W3C XML
        Signature 1.1, section 4.4.3.3).
        """
        return Canonicalization.EXCLUSIVE if self.is_exclusive else Canonicalization.INCLUSIVE
