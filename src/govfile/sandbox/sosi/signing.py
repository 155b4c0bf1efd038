"""The sandbox's own XML signatures: RSA over exclusive canonical XML, made with lxml and cryptography."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from govfile.sandbox.sosi import names
from govfile.sandbox.sosi.building import declare, element, leaf, with_attributes
from govfile.sandbox.sosi.reading import canonical
from govfile.sandbox.sosi.settings import SigningAlgorithm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from govfile.sandbox.pki import Issued

_URIS = {
    SigningAlgorithm.RSA_SHA1: (names.RSA_SHA1, names.SHA1, "sha1"),
    SigningAlgorithm.RSA_SHA256: (names.RSA_SHA256, names.SHA256, "sha256"),
}


@attrs.frozen(kw_only=True)
class Signer:
    """Who signs, how, and the certificate shown for it."""

    issued: Issued
    algorithm: SigningAlgorithm = SigningAlgorithm.RSA_SHA256
    shown: x509.Certificate | None = None

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that goes into KeyInfo."""
        return self.shown or self.issued.certificate

    def sign(self, data: bytes) -> bytes:
        """PKCS #1 v1.5 over `data`."""
        digest = hashes.SHA1() if self.algorithm is SigningAlgorithm.RSA_SHA1 else hashes.SHA256()  # noqa: S303
        key = self.issued.key
        assert isinstance(key, rsa.RSAPrivateKey)
        return key.sign(data, padding.PKCS1v15(), digest)


def enveloped(
    assertion: etree._Element, signer: Signer, *, index: int | None = None, key_info: str | None = None, **named: str
) -> None:
    """Sign an assertion from within: `index` is where among its children (the last by default)."""
    name = next(assertion.get(each) for each in ("id", "ID") if assertion.get(each))
    digests = [(str(name), (names.ENVELOPED, names.EXC_C14N), canonical(assertion))]
    signature = _signature(digests, signer, key_info, named)
    if index is None:
        assertion.append(signature)
    else:
        assertion.insert(index, signature)
    _complete(signature, signer)


def detached(
    root: etree._Element,
    place: etree._Element,
    references: Sequence[str],
    signer: Signer,
    *,
    key_info: str | None = None,
) -> None:
    """Sign the elements with these ids (`wsu:Id`), and put the signature at the end of `place`.

    What else has ids is not looked at: a token that was spoilt on request may have some twice.
    """
    known = {each.get(names.tag("wsu:Id")): each for each in root.iter("{*}*")}
    digests = [(name, (names.EXC_C14N,), canonical(known[name])) for name in references]
    signature = _signature(digests, signer, key_info, {})
    place.append(signature)
    _complete(signature, signer)


def x509_data(certificate: x509.Certificate) -> str:
    """`ds:X509Data` with one certificate, without line breaks."""
    encoded = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    return element("ds:X509Data", leaf("ds:X509Certificate", encoded))


def _signature(
    digests: Sequence[tuple[str, tuple[str, ...], bytes]], signer: Signer, key_info: str | None, named: dict[str, str]
) -> etree._Element:
    method, digest_method, digest = _URIS[signer.algorithm]
    signed_info = element(
        "ds:SignedInfo",
        element("ds:CanonicalizationMethod", Algorithm=names.EXC_C14N),
        element("ds:SignatureMethod", Algorithm=method),
        *(
            element(
                "ds:Reference",
                element("ds:Transforms", *(element("ds:Transform", Algorithm=each) for each in transforms)),
                element("ds:DigestMethod", Algorithm=digest_method),
                leaf("ds:DigestValue", base64.b64encode(hashlib.new(digest, content).digest()).decode()),
                URI=f"#{name}",
            )
            for name, transforms, content in digests
        ),
    )
    shown = key_info or element("ds:KeyInfo", x509_data(signer.certificate))
    opening = {**declare(["ds"]), **named}
    return etree.fromstring(
        with_attributes("ds:Signature", opening, signed_info, element("ds:SignatureValue"), shown).encode()
    )


def _complete(signature: etree._Element, signer: Signer) -> None:
    """Fill in the value, over SignedInfo as it stands in its document."""
    data = canonical(signature[0])
    signature[1].text = base64.b64encode(signer.sign(data)).decode()
