"""The signing papers of the sandbox's own institutions, made once per process when they are first needed."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from govfile.sandbox import pki
from govfile.sandbox.sosi.people import CertificateKind, Holder, new_holder

if TYPE_CHECKING:
    from cryptography import x509

OPERATOR_CVR, OPERATOR = "10101010", "Sandbox Health Data Authority"
STS_NAME = "SOSI Test Federation"
_DAY = timedelta(days=1)


@functools.cache
def sts() -> Holder:
    """Who signs cards and tokens. Its kind is the one such certificates have today; the name is the one they had."""
    return _institution(f"{STS_NAME} (sandbox)", "sosi sts")


@functools.cache
def next_sts() -> Holder:
    """The certificate the STS goes over to: the same subject, another key."""
    return _institution(f"{STS_NAME} (sandbox)", "sosi next sts", identifier=sts().identifier)


def is_sts(certificate: x509.Certificate | None) -> bool:
    """Whether it is the STS's present or next one."""
    return certificate in (sts().certificate, next_sts().certificate)


@functools.cache
def expired_sts() -> Holder:
    """The STS's earlier certificate, over since the day before yesterday."""
    now = datetime.now(UTC)
    return _institution(f"{STS_NAME} (sandbox)", "sosi sts", valid=(now - 100 * _DAY, now - 2 * _DAY))


@functools.cache
def idp() -> Holder:
    """The identity provider, NemLog-in and the others in one."""
    return _institution("Sandbox identity provider", "sosi idp")


@functools.cache
def provider() -> Holder:
    """The service provider that assertions are encrypted for."""
    return new_holder(CertificateKind.VOCES3, cvr="30808460", company="Sandbox Service Provider", use="sosi provider")


@functools.cache
def stranger() -> pki.Issued:
    """A certificate with the STS's subject from an authority nobody knows."""
    key = pki.rsa_key("sosi stranger")
    issuer = pki.authority(pki.Issuer.STRANGER)
    now = datetime.now(UTC)
    builder = pki.certificate_builder(
        sts().certificate.subject, issuer.certificate.subject, key.public_key(), now - _DAY, now + 365 * _DAY
    )
    certificate = builder.sign(issuer.key, hashes.SHA256())
    return pki.Issued(key=key, certificate=certificate, issuer=issuer.certificate)


def rsa_key_of(holder: Holder) -> rsa.RSAPrivateKey:
    """The private key behind one of these."""
    key = holder.issued.key
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _institution(
    name: str, use: str, *, valid: tuple[datetime, datetime] | None = None, identifier: str | None = None
) -> Holder:
    return new_holder(
        CertificateKind.VOCES3,
        cvr=OPERATOR_CVR,
        company=OPERATOR,
        identifier=identifier,
        common_name=name,
        use=use,
        valid=valid,
    )
