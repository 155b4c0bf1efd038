"""What a Danish certificate's subject says: the company, and the identifier an authority knows it by.

OCES2 certificates (until 2023) carry `CVR:<8 digits>-UID|RID|FID:<digits>` in serialNumber (OID 2.5.4.5), in one
multi-valued RDN with the common name. OCES3 certificates carry `UI:DK-<letter>:G:<uuid>` there, and
`NTRDK-<8 digits>` in organizationIdentifier (OID 2.5.4.97). Attributes are found by OID: printed names differ between
libraries, and the common name is free text. The subject's serialNumber is not the certificate's own serial number.

Sources: the OCES certificate policies, and the authority's page on user names (oid 2244618).
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING

import attrs
from cryptography.x509.oid import NameOID

from govfile.certificates._names import issuer_of, subject_of
from govfile.errors import CredentialError

if TYPE_CHECKING:
    from cryptography import x509

_OCES2 = re.compile(r"CVR:([0-9]{8})-(UID|RID|FID):([0-9]+)")
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_OCES3 = re.compile(rf"UI:(DK-[A-Z]):G:({_UUID})")
_COMPANY = re.compile(r"NTRDK-([0-9]{8})")
_PERSONAL = re.compile(r"PID:.*", re.IGNORECASE | re.DOTALL)


class Kind(enum.Enum):
    """What a certificate stands for; the value is what its serialNumber says."""

    OCES2_COMPANY = "UID"
    OCES2_EMPLOYEE = "RID"
    OCES2_FUNCTION = "FID"
    OCES3_ORGANISATION = "DK-O"
    OCES3_EMPLOYEE = "DK-E"
    OTHER = "other"


_OCES3_KINDS = {kind.value: kind for kind in (Kind.OCES3_ORGANISATION, Kind.OCES3_EMPLOYEE)}


@attrs.frozen(kw_only=True)
class Subject:
    """The subject of a certificate, read by OID.

    `cvr` (8 digits) and `identifier` (digits, or a UUID as it stands in the certificate) are None for `Kind.OTHER`.
    The other fields are the attributes as they are, None where the subject has none. What may name a person is kept
    out of the repr.
    """

    kind: Kind
    cvr: str | None = None
    identifier: str | None = None
    organisation: str | None = None
    common_name: str | None = attrs.field(default=None, repr=False)
    serial_number: str | None = attrs.field(default=None, repr=False)
    organization_identifier: str | None = attrs.field(default=None, repr=False)

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Subject:
        """Read the subject of `certificate`; raises `CredentialError` for a personal one and for an unreadable one."""
        try:
            name = subject_of(certificate)
        except ValueError as error:
            raise CredentialError(
                "the subject of the certificate cannot be read", advice="have it issued anew, or copy the file again"
            ) from error
        serials = _values(name, NameOID.SERIAL_NUMBER)
        companies = _values(name, NameOID.ORGANIZATION_IDENTIFIER)
        if any(_PERSONAL.fullmatch(serial) for serial in serials):
            raise CredentialError(
                "this is a personal certificate (PID): it names no company and cannot be used to file for one",
                advice="use a company, employee, organisation or system certificate",
            )
        kind, cvr, identifier = _identity(serials, companies)
        return cls(
            kind=kind,
            cvr=cvr,
            identifier=identifier,
            organisation=_first(_values(name, NameOID.ORGANIZATION_NAME)),
            common_name=_first(_values(name, NameOID.COMMON_NAME)),
            serial_number=_first(serials),
            organization_identifier=_first(companies),
        )

    def require_identity(self) -> tuple[str, str]:
        """CVR number and identifier; raises `CredentialError`, showing the two attributes, when there are none."""
        if self.cvr is None or self.identifier is None:
            raise CredentialError(
                "the certificate names no company in a known form: "
                f"serialNumber {_shown(self.serial_number)}, "
                f"organizationIdentifier {_shown(self.organization_identifier)}",
                advice="use an OCES certificate, or give the user name yourself",
            )
        return self.cvr, self.identifier


def is_test_certificate(certificate: x509.Certificate) -> bool | None:
    """Whether the issuer is one of the known test authorities; None when the issuer is unknown to this library.

    Only the issuer's name is read. It guards against a mix-up of environments, not against a forger.
    """
    try:
        issuer = issuer_of(certificate)
    except ValueError:
        return None
    organisation = _first(_values(issuer, NameOID.ORGANIZATION_NAME))
    common_name = _first(_values(issuer, NameOID.COMMON_NAME)) or ""
    units = _values(issuer, NameOID.ORGANIZATIONAL_UNIT_NAME)
    if organisation == "Den Danske Stat" and common_name.startswith("Den Danske Stat OCES"):
        if not units:
            return False
        return True if any(unit.startswith("Test") for unit in units) else None
    if organisation == "TRUST2408" and common_name.startswith("TRUST2408 Systemtest"):
        return True
    if organisation == "TRUST2408" and common_name.startswith("TRUST2408 OCES"):
        return False
    return None


def _identity(serials: list[str], companies: list[str]) -> tuple[Kind, str | None, str | None]:
    """Exactly one serialNumber decides: with two that disagree, nobody could say who files."""
    if len(serials) != 1:
        return Kind.OTHER, None, None
    if oces2 := _OCES2.fullmatch(serials[0]):
        return Kind(oces2[2]), oces2[1], oces2[3]
    oces3 = _OCES3.fullmatch(serials[0])
    company = _COMPANY.fullmatch(companies[0]) if len(companies) == 1 else None
    if oces3 and company and oces3[1] in _OCES3_KINDS:
        return _OCES3_KINDS[oces3[1]], company[1], oces3[2]
    return Kind.OTHER, None, None


def _values(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(found.value) for found in name.get_attributes_for_oid(oid)]


def _first(values: list[str]) -> str | None:
    return values[0] if values else None


#: Personal numbers: ETSI EN 319 412-1's `PNO<country>-…`, and the date-like ten digits of a Danish CPR number.
_PERSON = re.compile(
    r"PNO[A-Z]{2}-.*|(?<![0-9])(?:[0-2][0-9]|3[01])(?:0[0-9]|1[0-2])[0-9]{2}-?[0-9]{4}(?![0-9])", re.DOTALL
)


def _shown(value: str | None) -> str:
    """An attribute for an error message: short, printable, without personal numbers."""
    return "missing" if value is None else repr(_PERSON.sub("<personal number>", value)[:120])
