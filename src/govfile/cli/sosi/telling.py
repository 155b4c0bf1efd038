"""What a card or token says, as lines and as a record. Who it is about is told only where that was asked for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from govfile.cli.escape import printable
from govfile.cli.output import moment

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.x509 import Certificate

    from govfile.cli.session import Session
    from govfile.sosi.assertions import Assertion
    from govfile.sosi.signed_card import SignedCard
    from govfile.sosi.tokens import OiosamlAssertion


def card(found: SignedCard, *, person: bool) -> dict[str, Any]:
    """A card's fields."""
    fields: dict[str, Any] = {
        "token": "ID card",
        "verified": found.is_verified,
        "id": found.id,
        "type": found.type,
        "level": found.level,
        "version": found.version,
        "issuer": found.issuer,
        "issued": found.issued,
        "valid_from": found.valid_from,
        "expires": found.expires,
        "it_system": found.it_system,
        "care_provider": found.care_provider.name,
        "care_provider_id": found.care_provider.id,
        "care_provider_format": found.care_provider.format,
        "name_id_format": found.name_id_format,
        "signer": signer(found.signer),
        "signer_sha256": fingerprint(found.signer),
    }
    if person:
        about = ("name_id", "cpr", "given_name", "surname", "email", "role", "authorisation_code", "occupation")
        fields.update({key: getattr(found, key) for key in about})
    return fields


def assertion(found: Assertion, *, verified: bool, person: bool) -> dict[str, Any]:
    """A token's or an assertion's fields."""
    fields: dict[str, Any] = {
        "token": "assertion",
        "verified": verified,
        "id": found.id,
        "issuer": found.issuer,
        "valid_from": found.valid_from,
        "expires": found.expires,
        "audiences": list(found.audiences),
        "name_id_format": found.name_id_format,
        "needs_holder": found.needs_holder,
        "holder_sha256": fingerprint(found.holder) if found.holder else None,
        "attributes": sorted(found.attributes),
    }
    if person:
        fields["name_id"] = found.name_id
        fields["values"] = {name: list(values) for name, values in sorted(found.attributes.items())}
    return fields


def oiosaml(found: OiosamlAssertion, *, person: bool) -> dict[str, Any]:
    """The fields of an assertion for a service provider, which mostly nobody here can read."""
    if found.assertion is not None:
        return assertion(found.assertion, verified=True, person=person)
    return {
        "token": "encrypted assertion",
        "verified": False,
        "audiences": [str(found.audience)],
        "valid_from": found.valid_from,
        "expires": found.expires,
    }


def tell(session: Session, fields: dict[str, Any], *, path: Path | None = None) -> None:
    """Print them, as a record of the kind `token` with JSON."""
    session.out.record("token", **fields, path=path)
    for label, value in ({**fields, "path": path}).items():
        if value in (None, "", []):
            continue
        head = label.replace("_", " ") + ":"
        for text in _texts(value):
            session.out.say(f"{head:<24}{printable(text)}")
            head = ""


def signer(certificate: Certificate) -> str:
    """Whose certificate signed it, an employee's without the name."""
    from govfile.certificates.subject import Kind, Subject
    from govfile.errors import CredentialError

    try:
        subject = Subject.of(certificate)
    except CredentialError:  # a person's, of a kind that is not used here
        return "a person's certificate"
    if subject.kind in (Kind.OCES2_EMPLOYEE, Kind.OCES3_EMPLOYEE):
        return f"an employee of {subject.organisation or 'an organisation that is not named'}"
    return certificate.subject.rfc4514_string()


def fingerprint(certificate: Certificate) -> str:
    """Its SHA-256 in lower-case hex."""
    from cryptography.hazmat.primitives import hashes

    return certificate.fingerprint(hashes.SHA256()).hex()


def _texts(value: object) -> list[str]:
    if isinstance(value, datetime):
        return [f"{moment(value)} UTC"]
    if isinstance(value, dict):
        return [f"{name} = {', '.join(values)}" for name, values in value.items()]
    if isinstance(value, list):
        return [str(one) for one in value]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [str(getattr(value, "value", value))]
