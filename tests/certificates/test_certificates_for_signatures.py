"""Which certificates may sign documents, and what is said of those that may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from govfile import CredentialError
from govfile.certificates.usage import check_signs_documents, is_belgian_eid
from support import pki
from support.signing import signing_identity

if TYPE_CHECKING:
    from cryptography import x509


def eid(role: str) -> x509.Name:
    return pki.name((NameOID.COUNTRY_NAME, "BE"), (NameOID.COMMON_NAME, f"Jan Voorbeeld ({role})"))


@pytest.fixture(scope="module", params=["Citizen CA", "Belgian Citizen CA 4", "Foreigner CA"])
def card_issuer(request: pytest.FixtureRequest) -> pki.Authority:
    subject = pki.name((NameOID.COUNTRY_NAME, "BE"), (NameOID.COMMON_NAME, request.param))
    return pki.Authority.create(subject, key=pki.rsa_key(27))


@pytest.mark.parametrize(
    "usages",
    [
        (),
        ("content_commitment",),
        ("digital_signature",),
        ("digital_signature", "content_commitment"),
        ("digital_signature", "key_encipherment"),
    ],
)
def test_these_sign(usages: tuple[str, ...], root: pki.Authority) -> None:
    check_signs_documents(signing_identity(root, *usages).certificate)


@pytest.mark.parametrize(
    ("usages", "named"),
    [
        (("key_encipherment",), "keyEncipherment"),
        (("key_encipherment", "data_encipherment"), "keyEncipherment, dataEncipherment"),
        (("key_agreement",), "keyAgreement"),
    ],
)
def test_these_do_not(usages: tuple[str, ...], named: str, root: pki.Authority) -> None:
    certificate = signing_identity(root, *usages).certificate
    with pytest.raises(CredentialError, match=f"its key usage is {named}") as caught:
        check_signs_documents(certificate)
    assert "nonRepudiation or digitalSignature" in caught.value.advice


def test_an_authority_does_not_sign_documents(root: pki.Authority) -> None:
    certificate = signing_identity(root, "digital_signature", "key_cert_sign", is_authority=True).certificate
    with pytest.raises(CredentialError, match="certificate authority"):
        check_signs_documents(certificate)


class TestIdentityCards:
    def test_the_signature_certificate(self, card_issuer: pki.Authority) -> None:
        identity = signing_identity(card_issuer, "content_commitment", subject=eid("Signature"))
        assert is_belgian_eid(identity.certificate)
        check_signs_documents(identity.certificate)

    def test_the_authentication_certificate(self, card_issuer: pki.Authority) -> None:
        identity = signing_identity(card_issuer, "digital_signature", subject=eid("Authentication"))
        with pytest.raises(CredentialError, match="authentication certificate of a Belgian eID") as caught:
            check_signs_documents(identity.certificate)
        assert "signature certificate" in caught.value.advice
        assert "Voorbeeld" not in str(caught.value)

    def test_the_name_of_the_holder_tells_too(self) -> None:
        subject = pki.name((NameOID.COUNTRY_NAME, "BE"), (NameOID.COMMON_NAME, "Invented card maker"))
        issuer = pki.Authority.create(subject, key=pki.rsa_key(27))
        identity = signing_identity(issuer, "digital_signature", subject=eid("Authentication"))
        with pytest.raises(CredentialError, match="authentication certificate"):
            check_signs_documents(identity.certificate)

    def test_a_like_name_in_another_country(self) -> None:
        subject = pki.name((NameOID.COUNTRY_NAME, "DK"), (NameOID.COMMON_NAME, "Citizen CA"))
        issuer = pki.Authority.create(subject, key=pki.rsa_key(27))
        certificate = signing_identity(issuer, "digital_signature").certificate
        assert not is_belgian_eid(certificate)
        check_signs_documents(certificate)


def test_a_key_that_is_too_short(root: pki.Authority) -> None:
    certificate = signing_identity(root, "content_commitment", key=pki.rsa_key(28, 1024)).certificate
    with pytest.raises(CredentialError, match="1024 bits") as caught:
        check_signs_documents(certificate)
    assert "2048" in caught.value.advice


def test_a_key_of_another_kind(root: pki.Authority) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    certificate = signing_identity(root, "content_commitment", key=key).certificate  # type: ignore[arg-type]
    with pytest.raises(CredentialError, match="another kind"):
        check_signs_documents(certificate)
