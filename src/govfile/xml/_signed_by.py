"""Whose signature it is: from `ds:KeyInfo` to a certificate that a policy believes."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from govfile.certificates._carried import carried_certificate
from govfile.certificates._chain import why_not_trusted
from govfile.certificates.subject import Subject
from govfile.certificates.usage import check_signs_documents
from govfile.errors import CredentialError, TrustError
from govfile.xml._tree import own_text
from govfile.xml.algorithms import DS

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509
    from lxml.etree import _Element

    from govfile.certificates.signer import PublicKey
    from govfile.xml.policy import Signers

_CARRIED = f"{{{DS}}}X509Data/{{{DS}}}X509Certificate"
_KEY_VALUE = f"{{{DS}}}KeyValue"
_RSA_VALUE = f"{{{DS}}}RSAKeyValue"
_MOST = 10


def certificate_of(key_info: _Element | None, signers: Signers, at: datetime) -> tuple[x509.Certificate, PublicKey]:
    """The certificate that `key_info` carries (or the one that is pinned, where it carries none), believed at `at`.

    Raises `TrustError` when it is not one of the policy's signers, not valid, or contradicted by a `KeyValue`.
    """
    texts = _carried(key_info)
    if texts:
        candidate = _candidate(texts, signers)
    elif len(signers.pinned) == 1:
        candidate = _Candidate.of(signers.pinned[0], (), signers)
    else:
        raise TrustError(
            "the signature carries no certificate", advice="pin the signer's certificate, if you have it from elsewhere"
        )
    key = candidate.believed_at(at, signers)
    _check_key_value(key_info, key)
    return candidate.own, key


@attrs.frozen(eq=False)
class _Candidate:
    """A certificate that a signature carries and the `others` beside it, with all about them that needs no clock.

    `begin` and `end` are the first moment of `own` and its last. Whether its chain holds depends on time only through
    the days on which its certificates begin and end, the `changes`; `verdicts` holds those of these times at which it
    was found to hold. Refusals are not kept.
    """

    own: x509.Certificate
    others: tuple[x509.Certificate, ...]
    begin: datetime
    end: datetime
    is_pinned: bool
    changes: tuple[datetime, ...]
    verdicts: set[datetime] = attrs.field(factory=set)
    keys: list[PublicKey] = attrs.field(factory=list)

    @classmethod
    def of(cls, own: x509.Certificate, others: tuple[x509.Certificate, ...], signers: Signers) -> _Candidate:
        """Of certificates that were read."""
        involved = (own, *others, *signers.trust.anchors)
        changes = {found.not_valid_before_utc for found in involved}
        changes |= {found.not_valid_after_utc + timedelta(seconds=1) for found in involved}
        dates = own.not_valid_before_utc, own.not_valid_after_utc
        return cls(own, others, *dates, own in signers.pinned, tuple(sorted(changes)))

    def believed_at(self, at: datetime, signers: Signers) -> PublicKey:
        """The certificate's key; raises `TrustError` unless it is one of the signers' at `at`."""
        if not self.begin <= at <= self.end:
            raise TrustError(
                f"the signer's certificate is valid from {self.begin:%Y-%m-%d} to {self.end:%Y-%m-%d}, "
                f"not on {at:%Y-%m-%d}"
            )
        if not self.keys:
            self.keys.append(_usable_key(self.own))
        if not self.is_pinned:
            last = bisect_right(self.changes, at)
            moment = self.changes[last - 1]  # `own` has begun, so there is one
            if moment not in self.verdicts:
                _check_chained(self.own, self.others, signers, moment)
                self.verdicts.add(moment)
        return self.keys[0]


@lru_cache(maxsize=256)
def _candidate(texts: tuple[str, ...], signers: Signers) -> _Candidate:
    """By the text of the certificates, which is quicker to compare than they are."""
    own, *others = map(_certificate, texts)
    return _Candidate.of(own, tuple(others), signers)


def _carried(key_info: _Element | None) -> tuple[str, ...]:
    if key_info is None:
        return ()
    texts = tuple(own_text(found) or "" for found in key_info.iterfind(_CARRIED))
    if len(texts) > _MOST:
        raise TrustError(f"the signature carries {len(texts)} certificates, more than are looked at")
    return texts


def _certificate(text: str) -> x509.Certificate:
    try:
        return carried_certificate(text)
    except CredentialError as error:
        raise TrustError("a certificate in the signature cannot be read") from error


def _check_chained(own: x509.Certificate, others: tuple[x509.Certificate, ...], signers: Signers, at: datetime) -> None:
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
