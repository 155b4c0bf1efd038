"""What a signature says about the key that made it."""

from __future__ import annotations

import base64
import enum
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.certificates._by_identity import by_identity
from govfile.xml.algorithms import SAML_ID, WSSE
from govfile.xml.canonical import escape_attribute, escape_text

if TYPE_CHECKING:
    from cryptography import x509

    from govfile.certificates.credential import Credential


class _Form(enum.Enum):
    CERTIFICATE = enum.auto()
    CHAIN = enum.auto()
    NAME = enum.auto()
    TOKEN = enum.auto()
    NOTHING = enum.auto()


@attrs.frozen
class KeyInfo:
    """The content of `ds:KeyInfo`; made by one of its class methods."""

    form: _Form
    value: str = ""

    @classmethod
    def certificate(cls) -> KeyInfo:
        """The signer's certificate alone, in `X509Data`."""
        return cls(_Form.CERTIFICATE)

    @classmethod
    def chain(cls) -> KeyInfo:
        """The signer's certificate and, behind it, those of its chain."""
        return cls(_Form.CHAIN)

    @classmethod
    def name(cls, name: str) -> KeyInfo:
        """A `KeyName`: the reader has the certificate already."""
        return cls(_Form.NAME, name)

    @classmethod
    def token(cls, assertion_id: str) -> KeyInfo:
        """A `SecurityTokenReference` to the SAML 2.0 assertion of that ID, which confirms the key."""
        return cls(_Form.TOKEN, assertion_id)

    @classmethod
    def nothing(cls) -> KeyInfo:
        """No `KeyInfo` at all."""
        return cls(_Form.NOTHING)

    def written(self, credential: Credential) -> str:
        """The element as text, within a `ds:Signature` that declares the prefix `ds`; for this package only."""
        if self.form is _Form.NOTHING:
            return ""
        if self.form is _Form.NAME:
            inner = f"<ds:KeyName>{escape_text(self.value)}</ds:KeyName>"
        elif self.form is _Form.TOKEN:
            inner = (
                f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}"><wsse:KeyIdentifier ValueType="{SAML_ID}">'
                f"{escape_text(self.value)}</wsse:KeyIdentifier></wsse:SecurityTokenReference>"
            )
        else:
            above = credential.chain if self.form is _Form.CHAIN else ()
            each = "".join(map(_encoded, (credential.certificate, *above)))
            inner = f"<ds:X509Data>{each}</ds:X509Data>"
        return f"<ds:KeyInfo>{inner}</ds:KeyInfo>"


@by_identity
def _encoded(certificate: x509.Certificate) -> str:
    text = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii")
    return f"<ds:X509Certificate>{text}</ds:X509Certificate>"


def id_attribute(name: str, value: str | None) -> str:
    """An attribute, or nothing where there is no value; for this package only."""
    return "" if value is None else f' {name}="{escape_attribute(value)}"'
