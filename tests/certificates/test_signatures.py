"""What a key in memory signs, cryptography and the openssl program accept."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path  # noqa: TC003 - fixtures are looked up by it

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from govfile import Credential, CredentialError
from govfile.certificates.signer import Scheme, SignatureAlgorithm, Signer, SoftwareSigner, is_signature
from govfile.errors import InvalidContent
from support import pki
from support.verifying import accepted_by_openssl

_RSA = [found for found in SignatureAlgorithm if found.scheme is not Scheme.ECDSA]
_EC = [found for found in SignatureAlgorithm if found.scheme is Scheme.ECDSA]
_KEYS: list[tuple[pki.Key, SignatureAlgorithm]] = [
    *((pki.rsa_key(2), found) for found in _RSA),
    *((pki.ec_key(0, curve), found) for found in _EC for curve in (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)),
]


def _title(value: object) -> str:
    return value.value if isinstance(value, SignatureAlgorithm) else str(getattr(value, "key_size", value))


@pytest.mark.parametrize(("key", "algorithm"), _KEYS, ids=_title)
def test_each_algorithm(tmp_path: Path, key: pki.Key, algorithm: SignatureAlgorithm) -> None:
    signer, data = SoftwareSigner(key), b"a document\r\n\x00\xff"
    digest = hashlib.new(algorithm.hash_name, data).digest()
    for signature in (signer.sign(data, algorithm), signer.sign_digest(digest, algorithm)):
        assert is_signature(signer.public_key, signature, data, algorithm)
        assert accepted_by_openssl(tmp_path, signer.public_key, signature, data, algorithm)
        assert not is_signature(signer.public_key, signature, data + b"x", algorithm)
        assert not accepted_by_openssl(tmp_path, signer.public_key, signature, data + b"x", algorithm)


def test_a_signature_under_another_scheme_is_not_one() -> None:
    signer = SoftwareSigner(pki.rsa_key(2))
    signature = signer.sign(b"x", SignatureAlgorithm.RSA_SHA256)
    assert not is_signature(signer.public_key, signature, b"x", SignatureAlgorithm.RSA_PSS_SHA256)
    assert not is_signature(signer.public_key, signature, b"x", SignatureAlgorithm.RSA_SHA512)
    assert not is_signature(signer.public_key, b"", b"x", SignatureAlgorithm.RSA_SHA256)


@pytest.mark.parametrize("algorithm", SignatureAlgorithm, ids=_title)
def test_an_algorithm_for_the_other_type_of_key_is_refused(algorithm: SignatureAlgorithm) -> None:
    key: pki.Key = pki.rsa_key(2) if algorithm.scheme is Scheme.ECDSA else pki.ec_key()
    with pytest.raises(CredentialError, match=f"cannot make {algorithm.value} signatures"):
        SoftwareSigner(key).sign(b"x", algorithm)


def test_a_key_too_small_for_the_salt_is_refused() -> None:
    with pytest.raises(CredentialError, match="rsa-pss-sha512"):
        SoftwareSigner(pki.rsa_key(0, 1024)).sign(b"x", SignatureAlgorithm.RSA_PSS_SHA512)


@pytest.mark.parametrize("length", [0, 20, 31, 33, 64])
def test_a_digest_of_the_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidContent, match="has 32 bytes"):
        SoftwareSigner(pki.rsa_key(2)).sign_digest(b"x" * length, SignatureAlgorithm.RSA_SHA256)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (pki.rsa_key(2), SignatureAlgorithm.RSA_SHA256),
        (pki.ec_key(0, ec.SECP256R1), SignatureAlgorithm.ECDSA_SHA256),
        (pki.ec_key(0, ec.SECP384R1), SignatureAlgorithm.ECDSA_SHA384),
        (pki.ec_key(0, ec.SECP521R1), SignatureAlgorithm.ECDSA_SHA512),
    ],
    ids=_title,
)
def test_the_usual_algorithm(key: pki.Key, expected: SignatureAlgorithm) -> None:
    assert SignatureAlgorithm.usual_for(key.public_key()) is expected


def test_sha1_is_nobodys_usual_algorithm_and_says_what_it_is() -> None:
    assert [found.name for found in SignatureAlgorithm if found.hash_name == "sha1"] == ["RSA_SHA1_WHERE_DEMANDED"]


def test_a_credentials_signer_is_a_signer(company: pki.Identity) -> None:
    signer = Credential.from_pem(company.key_pem() + company.pem).signer
    assert isinstance(signer, Signer)
    assert is_signature(
        company.key.public_key(), signer.sign(b"x", SignatureAlgorithm.RSA_SHA256), b"x", SignatureAlgorithm.RSA_SHA256
    )


def test_a_key_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(CredentialError, match="Ed25519"):
        SoftwareSigner(ed25519.Ed25519PrivateKey.generate())  # type: ignore[arg-type]


def test_threads_share_a_signer() -> None:
    signer = SoftwareSigner(pki.rsa_key(2))
    made: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: made.append(signer.sign(b"x", SignatureAlgorithm.RSA_SHA256))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
