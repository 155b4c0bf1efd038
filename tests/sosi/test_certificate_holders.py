"""What an ID card takes from the certificate that signs it."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from govfile.errors import CredentialError, InvalidContent
from govfile.sosi import CardType, IdCard
from govfile.sosi.holder import filled, holder_of, rid_of
from support import pki
from support.repository import ROOT
from support.xml_messages import authority

VECTORS = ROOT.parent / "shared" / "vectors" / "sosi" / "certificates"


def certificate(subject: x509.Name) -> x509.Certificate:
    return authority().issue(subject).certificate


def person(*names: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    """An OCES3 employee with these names."""
    return pki.name(
        (NameOID.COUNTRY_NAME, "DK"),
        (NameOID.ORGANIZATION_IDENTIFIER, "NTRDK-10101010"),
        (NameOID.ORGANIZATION_NAME, "Eksempel ApS"),
        (NameOID.SERIAL_NUMBER, f"UI:DK-E:G:{pki.UUID}"),
        *names,
    )


@pytest.mark.parametrize(
    ("serial", "rid"),
    [
        ("CVR:12345678-RID:1234567", "1234567"),
        ("CVR:12345678-RID:1234567 more", "1234567"),
        ("CVR:12345678-RID:1234567+CN=x", "1234567"),
        ("CVR:12345678-RID:1234567, O=x", "1234567"),
        ("CVR:12345678-RID:anna.b-2/æ", "anna.b-2/æ"),
        ("CVR:12345678-RID: 1", None),
        ("CVR:12345678-UID:1234567", None),
        ("CVR:1234567-RID:1234567", None),
        ("UI:DK-E:G:5d1f3a0c", None),
        ("", None),
    ],
)
def test_a_rid_ends_at_a_space_a_plus_sign_or_a_comma(serial: str, rid: str | None) -> None:
    assert rid_of(serial) == rid


def test_an_oces2_employee_of_any_rid() -> None:
    holder = holder_of(certificate(pki.oces2(what="RID", number="anna.b, old", common_name="Anna Beate Carlsen")))
    assert (holder.type, holder.cvr, holder.identifier) == (CardType.USER, "10101010", "anna.b")
    assert (holder.organisation, holder.given_name, holder.surname) == ("Eksempel ApS", "Anna Beate", "Carlsen")
    assert "Anna" not in repr(holder)


@pytest.mark.parametrize("what", ["UID", "FID"])
def test_an_oces2_system(what: str) -> None:
    holder = holder_of(certificate(pki.oces2(what=what)))
    assert (holder.type, holder.organisation, holder.given_name) == (CardType.SYSTEM, "Eksempel ApS", None)


@pytest.mark.parametrize(
    ("names", "given_name", "surname"),
    [
        ([(NameOID.COMMON_NAME, "Anna Beate Carlsen")], "Anna Beate", "Carlsen"),
        (
            [
                (NameOID.GIVEN_NAME, "Anna"),
                (NameOID.SURNAME, "Beate Carlsen"),
                (NameOID.COMMON_NAME, "Anna Beate Carlsen"),
            ],
            "Anna",
            "Beate Carlsen",
        ),
        ([(NameOID.SURNAME, "Beate Carlsen"), (NameOID.COMMON_NAME, "Anna X")], "Anna", "Beate Carlsen"),
        ([(NameOID.COMMON_NAME, "  Anna   Carlsen ")], "Anna", "Carlsen"),
        ([(NameOID.COMMON_NAME, "Anna")], None, "Anna"),
        ([], None, None),
    ],
)
def test_a_persons_names(
    names: list[tuple[x509.ObjectIdentifier, str]], given_name: str | None, surname: str | None
) -> None:
    holder = holder_of(certificate(person(*names)))
    assert (holder.given_name, holder.surname) == (given_name, surname)


def test_a_name_that_nobody_gives_is_missed() -> None:
    card = IdCard.user(it_system="Example Lab", role="7170")
    with pytest.raises(InvalidContent, match="neither the card nor the certificate has a given name"):
        filled(card, certificate(person((NameOID.COMMON_NAME, "Anna"))))


def test_an_organisation_that_nobody_names_is_missed() -> None:
    nameless = pki.name(
        (NameOID.ORGANIZATION_IDENTIFIER, "NTRDK-10101010"), (NameOID.SERIAL_NUMBER, f"UI:DK-O:G:{pki.UUID}")
    )
    with pytest.raises(InvalidContent, match="an organisation"):
        filled(IdCard.system(it_system="Example Lab"), certificate(nameless))


def test_a_personal_certificate_is_refused() -> None:
    with pytest.raises(CredentialError, match="personal certificate"):
        holder_of(certificate(pki.oces2_personal()))


@pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the published certificates do not lie beside this checkout (../shared/vectors/sosi)"
)
@pytest.mark.parametrize(
    ("name", "card_type", "is_person"),
    [
        ("moces3", CardType.USER, True),
        ("voces3", CardType.SYSTEM, False),
        ("moces2", CardType.USER, True),
        ("foces2", CardType.SYSTEM, False),
    ],
)
def test_published_certificates(name: str, card_type: CardType, is_person: bool) -> None:
    holder = holder_of(x509.load_pem_x509_certificate((VECTORS / f"{name}.pem").read_bytes()))
    assert holder.type is card_type
    assert len(holder.cvr) == 8
    assert holder.organisation
    assert "CVR" not in holder.organisation
    assert (holder.given_name is not None, holder.surname is not None) == (is_person, is_person)
