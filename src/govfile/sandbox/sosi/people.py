"""Who exists in the sandbox: invented persons and companies, their certificates, what the registers know of them."""

from __future__ import annotations

import enum
import functools
import itertools
import threading
import uuid
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.x509.oid import NameOID

from govfile.certificates.credential import Credential
from govfile.certificates.secret import Secret
from govfile.errors import ConfigurationError
from govfile.sandbox import pki

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_serials = itertools.count(1)


class CertificateKind(enum.Enum):
    """The kinds of certificate; the value is how its subject serial number names them."""

    MOCES2 = "RID"
    VOCES2 = "UID"
    FOCES2 = "FID"
    MOCES3 = "DK-E"
    VOCES3 = "DK-O"

    @property
    def is_person(self) -> bool:
        """Whether it stands for an employee."""
        return self in (CertificateKind.MOCES2, CertificateKind.MOCES3)

    @property
    def issuer(self) -> pki.Issuer:
        """Who issues this kind."""
        return pki.Issuer.OCES3 if self.value.startswith("DK-") else pki.Issuer.OCES2


@attrs.frozen(kw_only=True)
class Authorisation:
    """An entry of the authorisation register."""

    code: str
    education: str


@attrs.frozen(kw_only=True)
class Holder:
    """A certificate with its key (unless that is elsewhere), and the person behind it where there is one.

    `identifier` is the RID, UID, FID or UUID of the subject. `rid`, `cpr`, the names and `authorisations` are what the
    registers hold (the RID too where the certificate names none); `national_roles` those given to the employee.
    """

    kind: CertificateKind
    cvr: str
    company: str
    identifier: str
    certificate: x509.Certificate = attrs.field(repr=False)
    key_pair: pki.Issued | None = attrs.field(default=None, repr=False)
    passphrase: Secret = attrs.field(factory=lambda: Secret(f"sandkasse-{uuid.uuid4().hex[:12]}"))
    rid: str | None = None
    cpr: str | None = attrs.field(default=None, repr=False)
    given_name: str = attrs.field(default="", repr=False)
    surname: str = attrs.field(default="", repr=False)
    authorisations: tuple[Authorisation, ...] = ()
    national_roles: tuple[str, ...] = ()

    @property
    def issued(self) -> pki.Issued:
        """Key and certificate; raises `ConfigurationError` where the key is elsewhere."""
        if self.key_pair is None:
            raise ConfigurationError("the key of this certificate is not the sandbox's")
        return self.key_pair

    @property
    def credential(self) -> Credential:
        """What a client signs with."""
        return _credential(self)

    def pkcs12(self) -> bytes:
        """Key, certificate and issuer as PKCS#12 under `passphrase`."""
        return self.issued.pkcs12(self.passphrase.reveal())


@functools.lru_cache(maxsize=64)
def _credential(holder: Holder) -> Credential:
    return Credential.from_pkcs12(holder.pkcs12(), holder.passphrase, allow_expired=True)


def new_holder(
    kind: CertificateKind,
    *,
    cvr: str,
    company: str,
    identifier: str | None = None,
    rid: str | None = None,
    cpr: str | None = None,
    given_name: str = "",
    surname: str = "",
    authorisations: Iterable[Authorisation] = (),
    national_roles: Iterable[str] = (),
    valid: tuple[datetime, datetime] | None = None,
    common_name: str | None = None,
    use: str | None = None,
) -> Holder:
    """A certificate for somebody; the CA signs it now, the key comes from the process's small stock."""
    number = next(_serials)
    if kind.is_person and not (given_name or surname or common_name):
        given_name, surname = "Test", f"Employee{number}"
    if identifier is None:
        identifier = (
            f"{25000000 + number}" if kind.issuer is pki.Issuer.OCES2 else str(uuid.UUID(int=number, version=4))
        )
    common = common_name or (f"{given_name} {surname}".strip() if kind.is_person else f"{company} - system")
    name = subject(kind, cvr=cvr, company=company, identifier=identifier, common=common, names=(given_name, surname))
    issued = pki.client(name, kind.issuer, use=use or f"sosi {number % 4}", valid=valid)
    return Holder(
        kind=kind,
        cvr=cvr,
        company=company,
        identifier=identifier,
        certificate=issued.certificate,
        key_pair=issued,
        rid=rid or (identifier if kind is CertificateKind.MOCES2 else None),
        cpr=cpr,
        given_name=given_name,
        surname=surname,
        authorisations=tuple(authorisations),
        national_roles=tuple(national_roles),
    )


def subject(
    kind: CertificateKind, *, cvr: str, company: str, identifier: str, common: str, names: tuple[str, str] = ("", "")
) -> x509.Name:
    """The distinguished name: OCES2 ends in a multi-valued RDN, OCES3 has single ones and names the person's parts."""
    country = x509.NameAttribute(NameOID.COUNTRY_NAME, "DK")
    common_name = x509.NameAttribute(NameOID.COMMON_NAME, common)
    if kind.issuer is pki.Issuer.OCES2:
        serial = x509.NameAttribute(NameOID.SERIAL_NUMBER, f"CVR:{cvr}-{kind.value}:{identifier}")
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"{company} // CVR:{cvr}")
        return x509.Name([*_single(country, organisation), x509.RelativeDistinguishedName([common_name, serial])])
    person = [
        x509.NameAttribute(oid, found)
        for oid, found in zip((NameOID.GIVEN_NAME, NameOID.SURNAME), names, strict=True)
        if found and kind.is_person
    ]
    return x509.Name(
        _single(
            country,
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRDK-{cvr}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, company),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"UI:{kind.value}:G:{identifier}"),
            *person,
            common_name,
        )
    )


def _single(*attributes: x509.NameAttribute[str]) -> list[x509.RelativeDistinguishedName]:
    return [x509.RelativeDistinguishedName([attribute]) for attribute in attributes]


class Registers:
    """RID to CPR, authorisations by CPR, the certificates that were revoked, and whom the STS believes beside its own:
    authorities of callers and identity providers. `citizens` are personal numbers by PID.
    """

    def __init__(self) -> None:
        self._by_employee: dict[tuple[str, str], Holder] = {}
        self._revoked: set[int] = set()
        self.citizens: dict[str, str] = {}
        self.authorities: list[x509.Certificate] = []
        self.identity_providers: list[x509.Certificate] = []
        self._lock = threading.Lock()

    def add(self, holder: Holder) -> None:
        """Register an employee; systems have nothing to register."""
        if holder.kind.is_person and holder.cpr:
            with self._lock:
                self._by_employee[holder.cvr, holder.identifier] = holder
                if holder.rid:
                    self._by_employee[holder.cvr, holder.rid] = holder

    def employee(self, cvr: str, identifier: str) -> Holder | None:
        """Who an employee certificate belongs to."""
        return self._by_employee.get((cvr, identifier))

    def person(self, cpr: str) -> Holder | None:
        """Somebody with that personal number."""
        with self._lock:
            return next((found for found in self._by_employee.values() if found.cpr == cpr), None)

    def authorisations(self, cpr: str) -> tuple[Authorisation, ...]:
        """Everything the authorisation register has for a personal number."""
        with self._lock:
            found = [holder for holder in self._by_employee.values() if holder.cpr == cpr]
        return tuple(dict.fromkeys(each for holder in found for each in holder.authorisations))

    def revoke(self, certificate: x509.Certificate) -> None:
        """Put a certificate on the revocation list."""
        self._revoked.add(certificate.serial_number)

    def is_revoked(self, certificate: x509.Certificate) -> bool:
        """Whether it is on the list."""
        return certificate.serial_number in self._revoked
