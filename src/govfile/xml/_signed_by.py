"""Whose signature it is: from `ds:KeyInfo` to a certificate that a policy believes."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from govfile.certificates._chain import why_not_trusted
from govfile.certificates.subject import Subject
from govfile.certificates.usage import check_signs_documents
from govfile.errors import CredentialError, TrustError
from govfile.xml._tree import own_text
from govfile.xml.algorithms import DS

if TYPE_CHECKING:
    from datetime import datetime

    from lxml.etree import _Element

    from govfile.certificates.signer import PublicKey
    from govfile.xml.policy import Signers

_X509_DATA = f"{{{DS}}}X509Data"
_CERTIFICATE = f"{{{DS}}}X509Certificate"
_KEY_VALUE = f"{{{DS}}}KeyValue"
_RSA_VALUE = f"{{{DS}}}RSAKeyValue"
_MOST = 10


def certificate_of(key_info: _Element | None, signers: Signers, at: datetime) -> tuple[x509.Certificate, PublicKey]:
    """The certificate that `key_info` carries (or the one that is pinned, where it carries none), believed at `at`.

    Raises `TrustError` when it is not one of the policy's signers, not valid, or contradicted by a `KeyValue`.
    """
    carried = _carried(key_info)
    if carried:
        own, *others = carried
    elif len(signers.pinned) == 1:
        own, others = signers.pinned[0], []
    else:
        raise TrustError(
            "the signature carries no certificate", advice="pin the signer's certificate, if you have it from elsewhere"
        )
    if not own.not_valid_before_utc <= at <= own.not_valid_after_utc:
        raise TrustError(
            f"the signer's certificate is valid from {own.not_valid_before_utc:%Y-%m-%d} to "
            f"{own.not_valid_after_utc:%Y-%m-%d}, not on {at:%Y-%m-%d}"
        )
    key = _usable_key(own)
    if own not in signers.pinned:
        _check_chained(own, tuple(others), signers, _representative(own, tuple(others), signers, at))
    _check_key_value(key_info, key)
    return own, key


def _representative(
    own: x509.Certificate, others: tuple[x509.Certificate, ...], signers: Signers, at: datetime
) -> datetime:
    """A time at which exactly the same certificates are valid as at `at`.

    Whether a chain holds depends on time only through the days on which its certificates begin and end. With the last
    of these as the time, one verdict serves until the next.
    """
    changes = _changes(own, others, signers)
    last = bisect_right(changes, at)
    return changes[last - 1] if last else changes[0] - timedelta(seconds=1)


@lru_cache(maxsize=256)
def _changes(own: x509.Certificate, others: tuple[x509.Certificate, ...], signers: Signers) -> list[datetime]:
    """The first moment of each certificate, and the first after it."""
    involved = (own, *others, *signers.trust.anchors)
    begins = {found.not_valid_before_utc for found in involved}
    return sorted(begins | {found.not_valid_after_utc + timedelta(seconds=1) for found in involved})


def _carried(key_info: _Element | None) -> list[x509.Certificate]:
    if key_info is None:
        return []
    texts = [own_text(found) for found in key_info.iterfind(f"{_X509_DATA}/{_CERTIFICATE}")]
    if len(texts) > _MOST:
        raise TrustError(f"the signature carries {len(texts)} certificates, more than are looked at")
    return [_certificate("".join((text or "").split())) for text in texts]


@lru_cache(maxsize=256)
def _certificate(text: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        raise TrustError("a certificate in the signature cannot be read") from error


@lru_cache(maxsize=256)
def _check_chained(own: x509.Certificate, others: tuple[x509.Certificate, ...], signers: Signers, at: datetime) -> None:
    """Keeps its verdicts, except refusals."""
    if not signers.trust.anchors:
        raise TrustError("the signer's certificate is not one of those that are pinned")
    reason = why_not_trusted(own, others, signers.trust, at)
    if reason:
        raise TrustError(f"the signer's certificate does not lead to an anchor of the policy: {reason}")
    try:
        subject = Subject.of(own)
    except CredentialError as error:
        raise TrustError("the signer's certificate names nobody the policy means") from error
    if not signers.are_met_by(subject):
        raise TrustError(
            "the signer's certificate is genuine, but not that of the signer the policy means",
            advice="look whether the message comes from another environment (test, production)",
        )


@lru_cache(maxsize=256)
def _usable_key(certificate: x509.Certificate) -> PublicKey:
    try:
        check_signs_documents(certificate)
    except CredentialError as error:
        raise TrustError(f"the signer's certificate must not be used for this: {error.what}") from error
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    return key


def _check_key_value(key_info: _Element | None, key: PublicKey) -> None:
    """A bare key beside the certificate must be the certificate's."""
    for value in [] if key_info is None else key_info.iter(_KEY_VALUE):
        numbers = value.find(_RSA_VALUE)
        if len(value) != 1 or numbers is None or not isinstance(key, rsa.RSAPublicKey):
            raise TrustError("the signature carries a bare key that cannot be compared with its certificate")
        public = key.public_numbers()
        named = {child.tag: _number(child) for child in numbers}
        if named != {f"{{{DS}}}Modulus": public.n, f"{{{DS}}}Exponent": public.e}:
            raise TrustError("the signature carries a bare key that is not its certificate's")


def _number(element: _Element) -> int:
    try:
        return int.from_bytes(base64.b64decode("".join((own_text(element) or "").split()), validate=True), "big")
    except (ValueError, binascii.Error) as error:
        raise TrustError("the signature carries a bare key that cannot be read") from error
