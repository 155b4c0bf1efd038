"""CVR number and identifier come from two attributes, found by OID; nothing else in a subject can pretend to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Name, NameAttribute, RelativeDistinguishedName, load_der_x509_certificate
from cryptography.x509.oid import NameOID

from govfile import Credential, CredentialError
from govfile.certificates.signer import SoftwareSigner
from govfile.certificates.subject import Kind, Subject, is_test_certificate
from support import pki

if TYPE_CHECKING:
    from cryptography import x509

_UI = f"UI:DK-O:G:{pki.UUID}"


def _oces3_like(serial: str, company: str = "NTRDK-10101010", common_name: str = "Eksempel ApS") -> x509.Name:
    return pki.name(
        (NameOID.ORGANIZATION_IDENTIFIER, company),
        (NameOID.SERIAL_NUMBER, serial),
        (NameOID.COMMON_NAME, common_name),
    )


def _subject(root: pki.Authority, name: x509.Name) -> Subject:
    return Subject.of(root.issue(name).certificate)


@pytest.mark.parametrize(
    ("name", "kind", "cvr", "identifier"),
    [
        (pki.oces2(cvr="19552101", what="RID", number="60134540"), Kind.OCES2_EMPLOYEE, "19552101", "60134540"),
        (pki.oces2(what="UID", number="9876543210"), Kind.OCES2_COMPANY, "10101010", "9876543210"),
        (pki.oces2(what="UID", number="1118061020356"), Kind.OCES2_COMPANY, "10101010", "1118061020356"),
        (pki.oces2(what="FID", number="00000007"), Kind.OCES2_FUNCTION, "10101010", "00000007"),
        (pki.oces3(), Kind.OCES3_ORGANISATION, "10101010", pki.UUID),
        (pki.oces3(letter="E", common_name="Test Testesen"), Kind.OCES3_EMPLOYEE, "10101010", pki.UUID),
        (pki.oces3(uuid=pki.UUID.upper()), Kind.OCES3_ORGANISATION, "10101010", pki.UUID.upper()),
        (pki.oces3(common_name=f"System {pki.DECOY_UUID}"), Kind.OCES3_ORGANISATION, "10101010", pki.UUID),
        (pki.oces3(organisation="A // CVR:99999999"), Kind.OCES3_ORGANISATION, "10101010", pki.UUID),
        (pki.oces2(common_name="CVR:99999999-UID:1"), Kind.OCES2_COMPANY, "10101010", "9876543210"),
        (
            pki.name([(NameOID.SERIAL_NUMBER, _UI), (NameOID.ORGANIZATION_IDENTIFIER, "NTRDK-00000001")]),
            Kind.OCES3_ORGANISATION,
            "00000001",
            pki.UUID,
        ),
    ],
)
def test_known_forms(root: pki.Authority, name: x509.Name, kind: Kind, cvr: str, identifier: str) -> None:
    subject = _subject(root, name)
    assert (subject.kind, subject.cvr, subject.identifier) == (kind, cvr, identifier)
    assert subject.require_identity() == (cvr, identifier)


@pytest.mark.parametrize(
    "name",
    [
        pki.plain("Eksempel ApS"),
        pki.plain(f"CVR:10101010-UID:1 {pki.UUID}"),
        _oces3_like(f"UI:DK-P:G:{pki.UUID}"),
        _oces3_like(f"UI:DK-O:G:{pki.UUID[:-1]}"),
        _oces3_like(f"UI:DK-O:G:{'-' * 36}"),
        _oces3_like(f"{_UI} "),
        _oces3_like(f"x{_UI}"),
        _oces3_like(f"{_UI}\n"),
        _oces3_like(_UI, company="NTRDK-1010101"),
        _oces3_like(_UI, company="NTRSE-10101010"),
        _oces3_like(_UI, company="NTRDK-\u0661\u0660\u0661\u0660\u0661\u0660\u0661\u0660"),
        _oces3_like("CVR:1010101-UID:1"),
        _oces3_like("CVR:10101010-UID:"),
        _oces3_like("CVR:10101010-UID:\u0663"),
        _oces3_like("CVR:10101010-XID:1"),
        pki.name((NameOID.SERIAL_NUMBER, _UI)),
        pki.name((NameOID.ORGANIZATION_IDENTIFIER, "NTRDK-10101010")),
        pki.name((NameOID.COMMON_NAME, _UI), (NameOID.ORGANIZATION_IDENTIFIER, "NTRDK-10101010")),
        pki.name((NameOID.SERIAL_NUMBER, "CVR:10101010-UID:1"), (NameOID.SERIAL_NUMBER, "CVR:30808460-UID:1")),
        pki.name(
            (NameOID.SERIAL_NUMBER, _UI),
            (NameOID.ORGANIZATION_IDENTIFIER, "NTRDK-10101010"),
            (NameOID.ORGANIZATION_IDENTIFIER, "NTRDK-30808460"),
        ),
    ],
)
def test_every_other_form_names_nobody(root: pki.Authority, name: x509.Name) -> None:
    subject = _subject(root, name)
    assert (subject.kind, subject.cvr, subject.identifier) == (Kind.OTHER, None, None)
    with pytest.raises(CredentialError, match="names no company in a known form"):
        subject.require_identity()


@pytest.mark.parametrize(
    "name",
    [
        pki.oces2_personal(),
        _oces3_like("pid:9208-2002-2-000000000000"),
        pki.name((NameOID.SERIAL_NUMBER, "CVR:10101010-UID:1"), (NameOID.SERIAL_NUMBER, "PID:9208-2002-2-0")),
    ],
)
def test_a_personal_certificate_is_refused(root: pki.Authority, name: x509.Name) -> None:
    with pytest.raises(CredentialError, match="personal certificate") as refused:
        _subject(root, name)
    assert "9208" not in str(refused.value)


def test_the_error_shows_both_attributes_and_no_personal_number(root: pki.Authority) -> None:
    with pytest.raises(CredentialError) as refused:
        _subject(root, _oces3_like("UI:SE-X:\x1b[31m", company="NTRSE-5560000000")).require_identity()
    assert "UI:SE-X:" in str(refused.value)
    assert "NTRSE-" in str(refused.value)
    assert "\x1b" not in str(refused.value)
    for personal in ("PNODK-0101001234", "010100-1234", "x 0101001234 y"):
        with pytest.raises(CredentialError) as refused:
            _subject(root, _oces3_like(personal)).require_identity()
        assert "1234" not in str(refused.value)
        assert "<personal number>" in str(refused.value)


_UNREADABLE = pytest.mark.parametrize(
    "value", [b"\x0c\x08" + b"\xff" * 8, b"\x14\x08S\xf8nderby", b"\x03\x08\0xample?"], ids=["UTF-8", "Teletex", "bits"]
)


@_UNREADABLE
def test_a_subject_that_cannot_be_read_is_our_error(root: pki.Authority, value: bytes) -> None:
    identity = root.issue(pki.oces3(common_name="Eksempel"))
    der = identity.certificate.public_bytes(Encoding.DER)
    assert der.count(b"\x0c\x08Eksempel") == 1
    odd = der.replace(b"\x0c\x08Eksempel", value)
    for read in (
        lambda: Subject.of(load_der_x509_certificate(odd)),
        lambda: Credential.from_pem(identity.key_pem(), certificate=odd),
        lambda: Credential.from_signer(SoftwareSigner(identity.key), odd, root.pem),
    ):
        with pytest.raises(CredentialError, match="the subject of the certificate cannot be read") as refused:
            read()
        assert refused.value.advice


@_UNREADABLE
def test_an_authority_whose_name_cannot_be_read_does_no_harm(value: bytes) -> None:
    named = pki.plain("Eksempel")
    authority = pki.Authority.create(named)
    identity = authority.issue(pki.oces3())
    above = authority.identity.certificate.public_bytes(Encoding.DER).replace(b"\x0c\x08Eksempel", value)
    own = identity.certificate.public_bytes(Encoding.DER).replace(b"\x0c\x08Eksempel", value)
    credential = Credential.from_signer(SoftwareSigner(identity.key), own, [load_der_x509_certificate(above)])
    assert (credential.subject.cvr, credential.is_test) == ("10101010", None)


def test_a_name_longer_than_x520_allows_is_read_where_warnings_are_errors(root: pki.Authority) -> None:
    text = "Foreningen af rødgrødspisende grønthandlere på Ærø, Fyn og Langeland"
    with pytest.warns(UserWarning, match="length must be"):
        common_name = NameAttribute(NameOID.COMMON_NAME, text, _validate=False)
    identity = root.issue(Name([*pki.oces3(common_name="x").rdns[:-1], RelativeDistinguishedName([common_name])]))
    credential = Credential.from_pem(identity.key_pem() + identity.pem)
    assert (credential.subject.cvr, credential.subject.common_name) == ("10101010", text)


def test_an_issuer_that_cannot_be_read_is_unknown() -> None:
    certificate = pki.Authority.create(pki.OCES3_ISSUER).issue().certificate
    der = certificate.public_bytes(Encoding.DER).replace(b"Den Danske Stat", b"\xff" * 15)
    assert is_test_certificate(load_der_x509_certificate(der)) is None


def test_the_repr_names_no_person(root: pki.Authority) -> None:
    subject = _subject(root, pki.oces2(what="RID", number="60134540", common_name="Test Testesen"))
    assert subject.common_name == "Test Testesen"
    assert "Testesen" not in repr(subject)


def test_the_last_rdn_of_oces2_is_multi_valued(root: pki.Authority) -> None:
    certificate = root.issue(pki.oces2()).certificate
    assert len(list(list(certificate.subject.rdns)[-1])) == 2
    assert Subject.of(certificate).organisation == "Eksempel ApS // CVR:10101010"


def _issued_by(**issuer: str) -> x509.Name:
    return pki.name(*((getattr(NameOID, oid), value) for oid, value in issuer.items()))


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        (pki.OCES3_TEST_ISSUER, True),
        (pki.OCES3_ISSUER, False),
        (pki.OCES2_TEST_ISSUER, True),
        (pki.OCES2_ISSUER, False),
        (_issued_by(ORGANIZATION_NAME="Den Danske Stat", COMMON_NAME="Den Danske Stat Andet"), None),
        (_issued_by(ORGANIZATION_NAME="TRUST2408", COMMON_NAME="Andet"), None),
        (_issued_by(COMMON_NAME="Den Danske Stat OCES udstedende-CA 1"), None),
        (
            _issued_by(
                ORGANIZATION_NAME="Den Danske Stat",
                ORGANIZATIONAL_UNIT_NAME="Afdeling",
                COMMON_NAME="Den Danske Stat OCES udstedende-CA 1",
            ),
            None,
        ),
        (pki.plain("Invented root"), None),
    ],
)
def test_the_issuer_tells_test_from_production(root: pki.Authority, issuer: x509.Name, expected: bool | None) -> None:
    assert is_test_certificate(root.subordinate(issuer).issue().certificate) is expected
