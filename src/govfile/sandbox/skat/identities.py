"""Who may log in: certificates in the OCES2 and OCES3 shapes, their user names, passwords and roles.

The shapes follow the authority's published B2B certificates; the user name rule its page on production access and its
AS4 client (the `UI` form).
"""

from __future__ import annotations

import enum
import functools
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.x509.oid import NameOID

from govfile.sandbox import pki

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from govfile.certificates.credential import Credential
    from govfile.certificates.secret import Secret
    from govfile.sandbox.skat.settings import Settings

_SERIAL_OCES2 = re.compile(r"CVR:(?P<cvr>[0-9]{8})-(?P<kind>UID|RID|FID):(?P<id>[0-9]+)")
_SERIAL_OCES3 = re.compile(r"UI:DK-[OE]:G:(?P<id>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
_NATIONAL = re.compile(r"NTRDK-(?P<cvr>[0-9]{8})")
_HOUR = timedelta(hours=1)


class CertificateKind(enum.Enum):
    """The kinds of certificate; the value is the letter or word its subject carries."""

    OCES2_COMPANY = "UID"
    OCES2_EMPLOYEE = "RID"
    OCES2_FUNCTION = "FID"
    OCES3_ORGANISATION = "O"
    OCES3_EMPLOYEE = "E"

    @property
    def issuer(self) -> pki.Issuer:
        """Who issues this kind."""
        return pki.Issuer.OCES2 if self.name.startswith("OCES2") else pki.Issuer.OCES3


def subject(kind: CertificateKind, *, cvr: str, identifier: str, company: str) -> x509.Name:
    """The distinguished name: OCES2 ends in a multi-valued RDN, OCES3 has five single ones."""
    country = x509.NameAttribute(NameOID.COUNTRY_NAME, "DK")
    common = x509.NameAttribute(NameOID.COMMON_NAME, f"{company} - sandbox")
    if kind.issuer is pki.Issuer.OCES2:
        serial = x509.NameAttribute(NameOID.SERIAL_NUMBER, f"CVR:{cvr}-{kind.value}:{identifier}")
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"{company} // CVR:{cvr}")
        return x509.Name([*_single(country, organisation), x509.RelativeDistinguishedName([serial, common])])
    return x509.Name(
        _single(
            country,
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRDK-{cvr}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, company),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"UI:DK-{kind.value}:G:{identifier}"),
            common,
        )
    )


def _single(*attributes: x509.NameAttribute[str]) -> list[x509.RelativeDistinguishedName]:
    return [x509.RelativeDistinguishedName([attribute]) for attribute in attributes]


def login_of(certificate: x509.Certificate) -> str | None:
    """The only user name this certificate may log in with; None for one that has none (a person's, say)."""
    serials = [str(found.value) for found in certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]
    national = [
        str(found.value) for found in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
    ]
    if len(serials) != 1:
        return None
    if old := _SERIAL_OCES2.fullmatch(serials[0]):
        return f"CVR_{old['cvr']}_{old['kind']}_{old['id']}"
    new = _SERIAL_OCES3.fullmatch(serials[0])
    company = _NATIONAL.fullmatch(national[0]) if len(national) == 1 else None
    if new and company:
        return f"CVR_{company['cvr']}_UI_{new['id']}"
    return None


@attrs.frozen(kw_only=True)
class Identity:
    """One certificate with what its owner needs: user name, password, and the key as the client reads it."""

    kind: CertificateKind
    cvr: str
    username: str
    password: Secret
    passphrase: Secret
    issued: pki.Issued

    @property
    def company_folder(self) -> str:
        """`CVR_<cvr>`."""
        return f"CVR_{self.cvr}"

    @property
    def certificate_folder(self) -> str:
        """`<kind>_<id>`."""
        return self.username.removeprefix(f"{self.company_folder}_")

    @property
    def credential(self) -> Credential:
        """Key, certificate and chain, read from the PKCS#12 file like anybody's."""
        return _credential(self)

    def pkcs12(self) -> bytes:
        """The PKCS#12 file; `passphrase` opens it."""
        return self.issued.pkcs12(self.passphrase.reveal())

    def pem(self) -> bytes:
        """Key (in clear) and certificates, for clients that read nothing else."""
        return self.issued.pem()


@functools.lru_cache(maxsize=64)
def _credential(identity: Identity) -> Credential:
    from govfile.certificates.credential import Credential

    return Credential.from_pkcs12(identity.pkcs12(), identity.passphrase, allow_expired=True)


@attrs.define(kw_only=True)
class Registration:
    """What the authority knows of an identity. A role given at None is in force at once."""

    identity: Identity
    roles: dict[str, datetime | None]
    withdrawn: dict[str, datetime] = attrs.field(factory=dict)
    on_se_number: bool = False

    def grant(self, service: str, now: datetime) -> datetime:
        """Give a role; returns when its folder shows."""
        is_there = service in self.roles and self._is_copied(service, now)
        self.withdrawn.pop(service, None)
        if not is_there:
            self.roles[service] = now
        return _next_copy(now)

    def revoke(self, service: str, now: datetime) -> datetime:
        """Take a role away; returns when its folder goes."""
        self.withdrawn.setdefault(service, now)
        return _next_copy(now)

    def visible(self, now: datetime) -> tuple[str, ...]:
        """The service folders after the last hourly copy of roles; none for a company registered on an SE number."""
        if self.on_se_number:
            return ()
        return tuple(sorted(service for service in self.roles if self._is_copied(service, now)))

    def _is_copied(self, service: str, now: datetime) -> bool:
        given, withdrawn = self.roles[service], self.withdrawn.get(service)
        if withdrawn is not None and now >= _next_copy(withdrawn):
            return False
        return given is None or now >= _next_copy(given)


def _next_copy(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + _HOUR


class Registry:
    """The registered identities of one authority. `refusal` judges a login."""

    def __init__(self) -> None:
        self._by_login: dict[str, Registration] = {}

    def add(self, identity: Identity, services: Iterable[str], *, on_se_number: bool = False) -> Registration:
        """Register, with roles that are already copied."""
        found = Registration(identity=identity, roles=dict.fromkeys(services, None), on_se_number=on_se_number)
        self._by_login[identity.username] = found
        return found

    def get(self, username: str | None) -> Registration | None:
        """The registration of a user name."""
        return self._by_login.get(username or "")

    def of_company(self, cvr: str) -> list[Registration]:
        """Every registration of a company."""
        return [found for found in self._by_login.values() if found.identity.cvr == cvr]

    def refusal(
        self, certificate: x509.Certificate | None, username: str, password: str, settings: Settings
    ) -> str | None:
        """Why this login is refused, in words for the sandbox's owner; None when it is not."""
        expected = login_of(certificate) if certificate is not None else None
        if expected is None:
            return "the certificate names no company (CVR) with a UID, RID, FID or UUID"
        registration = self.get(expected)
        if registration is None:
            return f"the certificate of {expected} is not registered: register it in the certificate portal first"
        if settings.any_login:
            return None
        if username != expected:
            return f"the user name {username} is not the certificate's, which is {expected}"
        if password != registration.identity.password.reveal():
            return f"wrong password for {expected}"
        return None
