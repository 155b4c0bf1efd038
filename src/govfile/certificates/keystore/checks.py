"""What an issued certificate must be before it is put in use."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.x509.oid import NameOID

from govfile.certificates._chain import why_not_trusted
from govfile.certificates._material import key_of, label
from govfile.certificates.request import common_names
from govfile.errors import CredentialError, TrustError

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.certificates.signer import PublicKey
    from govfile.certificates.trust import Trust

_KEPT = "the credential that was in use stays in use, and the new key is kept"


@attrs.frozen(kw_only=True)
class Expected:
    """What the authority's part knows of the certificate it waits for.

    `trust` holds the issuing authorities of the environment; it may be None only for certificates somebody vouches
    for in another way. `common_name` is the holder's, `issuer` the common name of the authority right above it; each
    is checked when given. `least_life` is the shortest time it must still last, `skew` how far ahead the authority's
    clock may be.
    """

    trust: Trust | None
    common_name: str | None = None
    issuer: str | None = None
    least_life: timedelta = timedelta(0)
    skew: timedelta = timedelta(minutes=5)

    def check(
        self, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...], key: PublicKey, at: datetime
    ) -> None:
        """Raise unless the certificate belongs to `key` and is what was expected, at `at`.

        `CredentialError` for a wrong key, subject, window or kind; `TrustError` for a wrong issuer or chain.
        """
        who = label(certificate)
        if key_of(certificate) != key:
            raise self._refused(f"the {who} is for another key than the one it was asked for with")
        if self.common_name is not None and list(common_names(certificate)) != [self.common_name]:
            raise self._refused(f"the {who} is for another holder")
        _check_is_no_authority(certificate, who)
        self._check_window(certificate, who, at)
        self._check_issuer(certificate, chain, who, at)

    def _check_window(self, certificate: x509.Certificate, who: str, at: datetime) -> None:
        if certificate.not_valid_before_utc > at + self.skew:
            raise self._refused(f"the {who} is not valid yet: it begins {certificate.not_valid_before_utc:%Y-%m-%d}")
        if certificate.not_valid_after_utc <= at:
            raise self._refused(f"the {who} has expired")
        if certificate.not_valid_after_utc - at < self.least_life:
            raise self._refused(f"the {who} lasts less than the {self.least_life.days} days expected")

    def _check_issuer(
        self, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...], who: str, at: datetime
    ) -> None:
        names = [str(found.value) for found in certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if self.issuer is not None and names != [self.issuer]:
            raise TrustError(f"the {who} comes from another authority than expected", certain=_KEPT)
        if self.trust is None:
            return
        reason = why_not_trusted(certificate, chain, self.trust, max(at, certificate.not_valid_before_utc))
        if reason:
            raise TrustError(
                f"the {who} does not lead to an authority of this environment: {reason}",
                certain=_KEPT,
                advice="check that environment and trust anchors belong together",
            )

    @staticmethod
    def _refused(what: str) -> CredentialError:
        return CredentialError(
            what, certain=_KEPT, advice="ask the authority for the certificate that belongs to this request"
        )


def _check_is_no_authority(certificate: x509.Certificate, who: str) -> None:
    try:
        is_authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_authority = False  # RFC 5280, section 4.2.1.9: without it, it is no authority's
    except (x509.DuplicateExtension, ValueError) as error:
        raise CredentialError(f"the extensions of the {who} cannot be read", certain=_KEPT) from error
    if is_authority:
        raise CredentialError(f"the {who} is that of a certificate authority", certain=_KEPT)
