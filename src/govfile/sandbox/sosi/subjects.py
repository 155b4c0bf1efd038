"""What the STS reads in a certificate, by its own rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from govfile.sandbox import pki
from govfile.sandbox.sosi.people import CertificateKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography import x509

_OCES2 = re.compile(r"CVR:([0-9]{8})-(RID|UID|FID):([^ +,]+)")
_OCES3 = re.compile(r"UI:(DK-[EO]):G:([0-9a-fA-F-]{36})")
_COMPANY = re.compile(r"NTRDK-([0-9]{8})")
_SHORT = {
    NameOID.COMMON_NAME: "CN",
    NameOID.SERIAL_NUMBER: "SERIALNUMBER",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COUNTRY_NAME: "C",
    NameOID.GIVEN_NAME: "GIVENNAME",
    NameOID.SURNAME: "SURNAME",
}


@attrs.frozen(kw_only=True)
class Read:
    """Kind, company and identifier (RID, UID, FID or UUID) of a certificate, with its subject serial number."""

    kind: CertificateKind
    cvr: str
    identifier: str
    serial: str
    organisation: str


def read(certificate: x509.Certificate) -> Read | None:
    """What an OCES certificate says; None for any other. A RID ends at a blank, a plus or a comma."""
    serials = _values(certificate, NameOID.SERIAL_NUMBER)
    if len(serials) != 1:
        return None
    organisation = (_values(certificate, NameOID.ORGANIZATION_NAME) or [""])[0]
    if old := _OCES2.match(serials[0]):
        kind = CertificateKind(old[2])
        name = organisation.partition(" // CVR:")[0]
        return Read(kind=kind, cvr=old[1], identifier=old[3], serial=serials[0], organisation=name)
    new = _OCES3.fullmatch(serials[0])
    company = _COMPANY.fullmatch((_values(certificate, NameOID.ORGANIZATION_IDENTIFIER) or [""])[0])
    if new and company:
        kind = CertificateKind(new[1])
        return Read(kind=kind, cvr=company[1], identifier=new[2], serial=serials[0], organisation=organisation)
    return None


def issued_by_federation(certificate: x509.Certificate, others: Iterable[x509.Certificate]) -> bool:
    """Whether one of the sandbox's two OCES authorities signed it, or one of the others it was told to believe."""
    for issuer in (*(pki.authority(each).certificate for each in (pki.Issuer.OCES3, pki.Issuer.OCES2)), *others):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    """Whether it is in its time."""
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def printed(name: x509.Name) -> str:
    """A distinguished name as the STS prints it: the last first, the parts of one RDN joined by a plus."""
    return ", ".join(
        " + ".join(f"{_SHORT.get(each.oid, f'OID.{each.oid.dotted_string}')}={each.value!s}" for each in rdn)
        for rdn in reversed(name.rdns)
    )


def name_id(certificate: x509.Certificate) -> str:
    """What NewSecurityTokenService writes into NameID."""
    return (
        f"SubjectDN={{{printed(certificate.subject)}}},IssuerDN={{{printed(certificate.issuer)}}},"
        f"CertSerial={{{certificate.serial_number}}}"
    )


def common_name(certificate: x509.Certificate) -> str:
    """CN of the subject."""
    return (_values(certificate, NameOID.COMMON_NAME) or [""])[0]


def _values(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(found.value) for found in certificate.subject.get_attributes_for_oid(oid)]
