"""The identity provider: NemLog-in, a local one and the citizens' in one, with the tokens each of them issues."""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from govfile.sandbox.sosi import citizens, employees, encrypting, jwt, names, stock
from govfile.sandbox.sosi.assertions import Assertion, Attribute, bearer, holder_of_key
from govfile.sandbox.sosi.building import declare
from govfile.sandbox.sosi.card_exchanges import common_name, of_certificate, subject_name
from govfile.sandbox.sosi.names import DK, MODEL, URI_FORMAT
from govfile.sandbox.sosi.reading import parse
from govfile.sandbox.sosi.settings import Encryption
from govfile.sandbox.sosi.signing import Signer, enveloped, x509_data

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cryptography import x509

    from govfile.sandbox.sosi.people import Holder

_ISSUER, _NEMLOGIN = "https://idp.sandbox.invalid", "https://saml.nemlog-in.sandbox.invalid/"
_PREFIXES = ("saml", "ds", "wsa", "xs", "xsi")


def oiosaml(
    holder: Holder, at: datetime, *, life: timedelta, level: str, has_certificate: bool, has_cpr: bool
) -> bytes:
    """An OIOSAML 2 assertion about an employee, as NemLog-in gave them."""
    at = at.replace(microsecond=0)
    encoded = base64.b64encode(holder.certificate.public_bytes(Encoding.DER)).decode()
    given = [
        Attribute(name="urn:oid:2.5.4.4", friendly="surName", content=holder.surname),
        Attribute(name="urn:oid:2.5.4.3", friendly="CommonName", content=common_name(holder)),
        Attribute(name="urn:oid:0.9.2342.19200300.100.1.3", friendly="email", content="test.person@example.invalid"),
        Attribute(name=DK + "AssuranceLevel", content=level),
        Attribute(name=DK + "SpecVer", content="DK-SAML-2.0"),
        Attribute(name=DK + "CvrNumberIdentifier", content=holder.cvr),
        Attribute(name="urn:oid:2.5.4.10", friendly="organizationName", content=holder.company),
        *of_certificate(holder),
    ]
    if has_certificate:
        given.append(Attribute(name=employees.CERTIFICATE, friendly="userCertificate", content=encoded))
    if has_cpr and holder.cpr:
        given.append(Attribute(name=DK + "CprNumberIdentifier", content=holder.cpr))
    return _signed(
        Assertion(
            issuer=_NEMLOGIN,
            issued=at,
            name_id=subject_name(holder),
            name_id_format=names.X509_NAME,
            confirmation=bearer("https://sosi.dk", at + life),
            start=at,
            end=at + life,
            audience="https://sosi.dk",
            authenticated=at,
            attributes=given,
        )
    )


def employee_token(
    holder: Holder,
    bound_to: x509.Certificate,
    at: datetime,
    *,
    life: timedelta,
    audience: str = employees.STS_AUDIENCE,
    privileges: str = "",
    is_encrypted: bool = False,
) -> bytes:
    """An employee's bootstrap token (OIO-SAML-H 3.0), bound to the certificate that signs the exchange."""
    at = at.replace(microsecond=0)
    given = {
        MODEL + "specVersion": "OIO-SAML-3.0",
        "https://healthcare.data.gov.dk/model/core/specVersion": "OIO-SAML-H-3.0",
        "https://data.gov.dk/concept/core/nsis/loa": "Substantial",
        MODEL + "eid/professional/uuid/persistent": f"urn:uuid:{holder.identifier}",
        MODEL + "eid/professional/cvr": holder.cvr,
        MODEL + "eid/professional/orgName": holder.company,
        MODEL + "eid/privilegesIntermediate": privileges,
    }
    return _signed(
        _bootstrap(given, f"urn:uuid:{holder.identifier}", bound_to, at, life, audience), is_encrypted=is_encrypted
    )


def citizen_token(
    cpr: str,
    bound_to: x509.Certificate,
    at: datetime,
    *,
    life: timedelta,
    audience: str = citizens.AUDIENCES[0],
    is_encrypted: bool = False,
) -> bytes:
    """A citizen's bootstrap token (OIOSAML 3)."""
    at = at.replace(microsecond=0)
    given = {
        MODEL + "specVersion": "OIO-SAML-3.0",
        "https://data.gov.dk/concept/core/nsis/loa": "Substantial",
        MODEL + "eid/cprNumber": cpr,
    }
    token = _bootstrap(given, f"{citizens.CPR_CLAIM}:{cpr}", bound_to, at, life, audience)
    return _signed(token, is_encrypted=is_encrypted)


def web_token(cpr: str, at: datetime, *, life: timedelta, issuer: str = jwt.ISSUER) -> str:
    """A citizen's JWT. Which claim holds the personal number is not published; the sandbox calls it `cpr`."""
    moment = int(at.timestamp())
    claims = {
        "iss": issuer,
        "sub": str(uuid.uuid4()),
        "aud": "https://sts.sosi.dk/",
        "iat": moment,
        "exp": int((at + life).timestamp()),
        "cpr": cpr,
    }
    return jwt.write(claims, stock.rsa_key_of(stock.idp()))


def _bootstrap(
    given: dict[str, str], name_id: str, bound_to: x509.Certificate, at: datetime, life: timedelta, audience: str
) -> Assertion:
    return Assertion(
        issuer=_ISSUER,
        issued=at,
        name_id=name_id,
        name_id_format=names.PERSISTENT,
        confirmation=holder_of_key(x509_data(bound_to), end=at + life, is_typed=True),
        start=None,
        end=at + life,
        audience=audience,
        attributes=[
            Attribute(name=name, form=URI_FORMAT, content=found, is_typed=False)
            for name, found in given.items()
            if found
        ],
    )


def _signed(assertion: Assertion, *, is_encrypted: bool = False) -> bytes:
    """The assertion as a document of its own, signed by the identity provider with SHA-256."""
    written = assertion.written()
    opening, rest = "<saml:Assertion", written.removeprefix("<saml:Assertion")
    declared = "".join(f' {name}="{uri}"' for name, uri in declare(_PREFIXES).items())
    root = parse(f"{opening}{declared}{rest}".encode())
    enveloped(root, Signer(issued=stock.idp().issued), index=1)
    plain = etree.tostring(root)
    if not is_encrypted:
        return plain
    sealed = encrypting.encrypted(plain, stock.sts().certificate, Encryption.AES256_CBC_OAEP)
    return with_namespaces(sealed)


def with_namespaces(sealed: str) -> bytes:
    """An EncryptedAssertion that declares its own prefixes."""
    opening = "<saml:EncryptedAssertion"
    declared = "".join(f' {name}="{uri}"' for name, uri in declare(("saml", "ds")).items())
    return f"{opening}{declared}{sealed.removeprefix(opening)}".encode()
