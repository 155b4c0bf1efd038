"""`Credential`: a key, its certificate and its chain, checked when they are loaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from govfile.certificates._files import Source, read_source
from govfile.certificates._material import Material, certificate_for, chain_of, label
from govfile.certificates._pem import open_certificates, open_pem
from govfile.certificates._pkcs12 import open_pkcs12
from govfile.certificates.signer import PrivateKey, PublicKey, Signer, SoftwareSigner
from govfile.certificates.subject import Kind, Subject, is_test_certificate
from govfile.errors import ConfigurationError, CredentialError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from govfile.certificates.secret import Secret

#: Certificates as objects, or as PEM (one alone also as DER), given as bytes or as a path.
Certificates: TypeAlias = tuple[x509.Certificate, ...] | list[x509.Certificate] | Source

#: Days before the end at which to warn, the most urgent first.
WARNING_DAYS = (7, 30, 60)


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Credential:
    """Who files: a `signer`, the `certificate` of its key, and the `chain` above it (issuer first).

    Made by `from_pkcs12`, `from_pem`, `from_pkcs11` or `from_signer`, which check that the key fits the certificate
    and that the certificate is valid now. Loading costs tens of milliseconds for the key's self-check: load once and
    keep the object. It cannot change, threads may share it, and it does not pickle. Two are equal when certificate
    and key are.
    """

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()
    signer: Signer
    subject: Subject = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "subject", Subject.of(self.certificate))

    # --- where it comes from ------------------------------------------------------------------------------------

    @classmethod
    def from_pkcs12(
        cls,
        source: Source,
        passphrase: Secret | None = None,
        *,
        at: datetime | None = None,
        allow_expired: bool = False,
    ) -> Credential:
        """From a PKCS#12 file (`.p12`, `.pfx`), given as bytes or as a path; nothing is written to disk.

        Files with the RC2 and 3DES ciphers of the NemID years open too. `at` (aware; now, if left out) is the time
        at which the certificate must be valid; `allow_expired` loads one whose time is over. Raises
        `CredentialError`, which says what is wrong with file, passphrase, key or certificate.
        """
        material = open_pkcs12(read_source(source, "PKCS#12 file"), passphrase)
        return cls._checked(material, material.certificates, None, at, allow_expired)

    @classmethod
    def from_pem(
        cls,
        source: Source,
        passphrase: Secret | None = None,
        *,
        certificate: Source | None = None,
        chain: Source | None = None,
        at: datetime | None = None,
        allow_expired: bool = False,
    ) -> Credential:
        """From PEM, given as bytes or as a path: the key, encrypted or not, and certificates in any order.

        `certificate` (PEM or DER) and `chain` (PEM) may be files of their own; then the certificate is looked for
        there only. A passphrase for a key that is not encrypted is an error: somebody believes it is. `at`,
        `allow_expired` and the errors are those of `from_pkcs12`.
        """
        material = open_pem(read_source(source, "PEM file"), passphrase)
        candidates: Sequence[x509.Certificate] = material.certificates
        if certificate is not None:
            candidates = open_certificates(read_source(certificate, "certificate"), "certificate")
            material = Material.of(material.key, [*candidates, *material.certificates])
        above = None if chain is None else open_certificates(read_source(chain, "chain"), "chain")
        return cls._checked(material, candidates, above, at, allow_expired)

    @classmethod
    def from_signer(
        cls,
        signer: Signer,
        certificate: x509.Certificate | Source,
        chain: Certificates = (),
        *,
        at: datetime | None = None,
        allow_expired: bool = False,
    ) -> Credential:
        """From a `Signer` and the certificate of its key, an object or PEM or DER (bytes or a path).

        `chain` holds certificates in any order; those that do not lead upwards from `certificate` are left out.
        """
        offered = _certificates(certificate, "certificate")
        own = certificate_for(signer.public_key, offered)
        above = chain_of(own, [*offered, *_certificates(chain, "chain")])
        return _valid(cls(certificate=own, chain=above, signer=signer), at, allow_expired)

    @classmethod
    def from_pkcs11(
        cls,
        module: str | os.PathLike[str],
        *,
        token: str,
        pin: Secret | None,
        key_label: str | None = None,
        key_id: bytes | None = None,
        certificate: x509.Certificate | Source | None = None,
        chain: Certificates = (),
        at: datetime | None = None,
        allow_expired: bool = False,
    ) -> Credential:
        """From a PKCS#11 token (extra `pkcs11`); the key stays there.

        `module` is the path of the token maker's library, `token` the token's label; `key_label` or `key_id` (raw
        bytes) chooses among several keys. The certificate is read from the token unless given. Call
        `close()` to log out. Such a credential signs documents and messages; it cannot hold a TLS connection, for
        which `private_key` is needed. Raises `CredentialError`; a refused PIN is not tried again.
        """
        from govfile.certificates.pkcs11 import Pkcs11Signer

        given = None if certificate is None else _certificates(certificate, "certificate")
        signer = Pkcs11Signer.open(
            module, token=token, pin=pin, key_label=key_label, key_id=key_id, certificates=given or ()
        )
        try:
            own = certificate_for(signer.public_key, signer.certificates if given is None else given)
            above = [*_certificates(chain, "chain"), *(given or ()), *signer.certificates]
            return cls.from_signer(signer, own, above, at=at, allow_expired=allow_expired)
        except BaseException:
            signer.close()
            raise

    # --- what it says -------------------------------------------------------------------------------------------

    @property
    def private_key(self) -> PrivateKey:
        """The key itself, for a TLS library; raises `CredentialError` when it lives in a token."""
        if isinstance(self.signer, SoftwareSigner):
            return self.signer.private_key
        raise CredentialError(
            "the private key cannot leave its token", advice="use a credential from PKCS#12 or PEM for this connection"
        )

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self.signer.public_key

    @property
    def kind(self) -> Kind:
        """What the certificate stands for."""
        return self.subject.kind

    @property
    def is_test(self) -> bool | None:
        """Whether a test authority issued it; None when the issuer is unknown to this library."""
        return is_test_certificate(self.certificate)

    @property
    def valid_from(self) -> datetime:
        """The certificate's first moment (UTC)."""
        return self.certificate.not_valid_before_utc

    @property
    def expires(self) -> datetime:
        """The certificate's last moment (UTC)."""
        return self.certificate.not_valid_after_utc

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the certificate's DER form, 64 lower-case hexadecimal digits."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def check(self, at: datetime | None = None) -> None:
        """Raise `CredentialError` unless the certificate is valid at `at` (aware; now, if left out)."""
        moment = _moment(at)
        if moment < self.valid_from:
            raise CredentialError(
                f"the {label(self.certificate)} is not valid before {self.valid_from:%Y-%m-%d %H:%M} UTC",
                advice=f"wait until then; this computer's clock says {moment:%Y-%m-%d %H:%M} UTC",
            )
        if moment > self.expires:
            raise CredentialError(
                f"the {label(self.certificate)} expired on {self.expires:%Y-%m-%d %H:%M} UTC",
                advice=f"use its successor; this computer's clock says {moment:%Y-%m-%d %H:%M} UTC",
            )

    def expires_within(self, at: datetime | None = None) -> int | None:
        """How near the end is at `at` (aware; now, if left out).

        7, 30 or 60 when no more than so many days are left, 0 when the certificate has expired, None otherwise.
        """
        return warning_mark(self.expires - _moment(at))

    def close(self) -> None:
        """Close the token the key lives in; nothing to do for a key in memory."""
        close = getattr(self.signer, "close", None)
        if close is not None:
            close()

    # --- how it behaves -----------------------------------------------------------------------------------------

    @classmethod
    def _checked(
        cls,
        material: Material,
        candidates: Sequence[x509.Certificate],
        above: Sequence[x509.Certificate] | None,
        at: datetime | None,
        allow_expired: bool,
    ) -> Credential:
        signer = SoftwareSigner(material.key)
        certificate = certificate_for(signer.public_key, candidates)
        chain = chain_of(certificate, [*(above or ()), *material.certificates])
        if above and not chain:
            raise CredentialError(
                f"no certificate of the chain issued the {label(certificate)}",
                advice="give the authority's certificates that belong to it, or leave the chain out",
            )
        return _valid(cls(certificate=certificate, chain=chain, signer=signer), at, allow_expired)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Credential):
            return NotImplemented
        return self.certificate == other.certificate and self.public_key == other.public_key

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        who = f"{self.subject.cvr} {self.subject.identifier}" if self.subject.cvr else "no company number"
        return f"<Credential {self.kind.name} {who}, {self.fingerprint[:16]}…, until {self.expires:%Y-%m-%d}>"

    def __copy__(self) -> Credential:
        return self

    def __deepcopy__(self, memo: object) -> Credential:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Credential holds a private key and cannot be pickled; load it again in the other process")


def warning_mark(left: timedelta) -> int | None:
    """The mark of `WARNING_DAYS` that a certificate with so much time left has passed; 0 expired, None before all."""
    if left < timedelta(0):
        return 0
    return next((days for days in WARNING_DAYS if left <= timedelta(days=days)), None)


def _valid(credential: Credential, at: datetime | None, allow_expired: bool) -> Credential:
    moment = _moment(at)
    credential.check(min(moment, credential.expires) if allow_expired else moment)
    return credential


def _moment(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    if at.tzinfo is None:
        raise ConfigurationError(f"the time {at} has no time zone", advice="give an aware datetime, e.g. in UTC")
    return at.astimezone(UTC)


def _certificates(given: x509.Certificate | Certificates, what: str) -> tuple[x509.Certificate, ...]:
    if isinstance(given, x509.Certificate):
        return (given,)
    if isinstance(given, list | tuple):
        return tuple(given)
    return open_certificates(read_source(given, what), what)
