"""The signature of an answer: made on the payload before there is an envelope, base64 with carriage returns in it."""

from __future__ import annotations

import base64
import enum
import hashlib
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.sandbox.vero import xml

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
ENVELOPED = f"{xml.DS}enveloped-signature"
_COLUMNS = 76


class Form(enum.Enum):
    """Which canonical XML the digest and SignedInfo use; the authority's own choice is not published in full."""

    INCLUSIVE = "inclusive, said in a second transform"
    IMPLIED = "inclusive, because the only transform is enveloped-signature"
    EXCLUSIVE = "exclusive, said in a second transform"

    @property
    def canonicalization(self) -> str:
        """The algorithm's URI."""
        return xml.EXCLUSIVE if self is Form.EXCLUSIVE else xml.INCLUSIVE

    @property
    def transforms(self) -> tuple[str, ...]:
        """The transforms of the reference."""
        return (ENVELOPED,) if self is Form.IMPLIED else (ENVELOPED, self.canonicalization)


@attrs.frozen(kw_only=True)
class Signer:
    """A key with its certificate."""

    key: rsa.RSAPrivateKey = attrs.field(repr=False)
    certificate: x509.Certificate


def sign(payload: str, signer: Signer, form: Form = Form.INCLUSIVE) -> str:
    """The payload with an enveloped signature as its last child. It declares the prefix `ds` itself."""
    digest = hashlib.sha256(xml.canonical(xml.read(payload.encode()), form.canonicalization)).digest()
    info = _signed_info(base64.b64encode(digest).decode(), form)
    draft = _with(payload, info, "", signer)
    (found,) = xml.read(draft.encode()).iter(f"{{{xml.DS}}}SignedInfo")
    signed = xml.canonical(xml.detached(found), form.canonicalization)
    value = signer.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return _with(payload, info, _base64(value), signer)


def _signed_info(digest: str, form: Form) -> str:
    transforms = "".join(f'<ds:Transform Algorithm="{uri}"/>' for uri in form.transforms)
    reference = (
        f'<ds:Reference URI=""><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod Algorithm="{SHA256}"/>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>"
    )
    return xml.element(
        "ds:SignedInfo",
        f'<ds:CanonicalizationMethod Algorithm="{form.canonicalization}"/>',
        f'<ds:SignatureMethod Algorithm="{RSA_SHA256}"/>',
        reference,
    )


def _with(payload: str, info: str, value: str, signer: Signer) -> str:
    certificate = f"<ds:X509Certificate>{_base64(signer.certificate.public_bytes(Encoding.DER))}</ds:X509Certificate>"
    key_info = xml.element("ds:KeyInfo", xml.element("ds:X509Data", certificate))
    signature = xml.element("ds:Signature", info, f"<ds:SignatureValue>{value}</ds:SignatureValue>", key_info)
    at = payload.rindex("</")
    return payload[:at] + signature + payload[at:]


def _base64(data: bytes) -> str:
    """Base64 in lines that end in a carriage return, written as the authority writes it."""
    encoded = base64.b64encode(data).decode()
    return "&#13;\n".join(encoded[at : at + _COLUMNS] for at in range(0, len(encoded), _COLUMNS))
