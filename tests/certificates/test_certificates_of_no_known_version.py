"""A certificate whose version number does not exist: the library below has an error of its own for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from govfile import ConfigurationError, Credential, CredentialError, Secret
from govfile.certificates.public import PublicHalf
from govfile.certificates.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import pki


@pytest.fixture
def odd(company: pki.Identity) -> bytes:
    encoded = company.certificate.public_bytes(Encoding.DER)
    version_3 = bytes.fromhex("a003020102")
    assert encoded.count(version_3) == 1
    return encoded.replace(version_3, bytes.fromhex("a003020106"))


def pem(encoded: bytes) -> bytes:
    import base64

    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(encoded) + b"-----END CERTIFICATE-----\n"


def test_it_is_refused_in_our_own_words(odd: bytes, company: pki.Identity) -> None:
    for given in (odd, pem(odd)):
        with pytest.raises(CredentialError):
            PublicHalf.read(given)
        with pytest.raises(ConfigurationError):
            Trust.only(given)
    with pytest.raises(CredentialError):
        Credential.from_pem(company.key_pem() + pem(odd))


def test_it_is_refused_inside_a_pkcs12_file_too(
    odd: bytes, company: pki.Identity, openssl_pkcs12: Callable[..., bytes]
) -> None:
    @attrs.frozen
    class Odd:
        pem: bytes
        chain_pem: bytes = b""
        key_pem: Callable[[], bytes] = company.key_pem

    made = openssl_pkcs12(Odd(pem(odd)), passphrase="words")
    with pytest.raises(CredentialError):
        Credential.from_pkcs12(made, Secret("words"))
