"""Who holds a certificate, as far as an ID card has to say it.

OCES2 certificates (until 2023) name company and holder in the subject's serialNumber, `CVR:<8 digits>-RID:<text>`, and
the company again behind its name, `<name> // CVR:<8 digits>`. OCES3 certificates name the company in
organizationIdentifier, the person in givenName and surname, and the kind in serialNumber. Sources: the user
documentation of the STS (for RID), published test certificates.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs
from cryptography.x509.oid import NameOID

from govfile.certificates._by_identity import by_identity
from govfile.certificates.subject import Kind, Subject
from govfile.errors import CredentialError, InvalidContent
from govfile.sosi.card import SIGNED_LEVEL, UNSIGNED_LEVELS, CardType, IdCard
from govfile.sosi.care_provider import CareProvider, NameFormat

if TYPE_CHECKING:
    from cryptography import x509

_TYPES = {
    Kind.OCES2_EMPLOYEE: CardType.USER,
    Kind.OCES3_EMPLOYEE: CardType.USER,
    Kind.OCES2_COMPANY: CardType.SYSTEM,
    Kind.OCES2_FUNCTION: CardType.SYSTEM,
    Kind.OCES3_ORGANISATION: CardType.SYSTEM,
}
#: An identifier is any text up to a space, a plus sign or a comma; what follows these is ignored.
_IDENTIFIER = re.compile(r"CVR:([0-9]{8})-(RID|UID|FID):([^ +,]+)")
_COMPANY_BEHIND_NAME = re.compile(r"\s*//\s*CVR:[0-9]{8}\s*\Z")
_WORDS = {CardType.USER: "an employee's", CardType.SYSTEM: "a system's"}


@attrs.frozen(kw_only=True)
class Holder:
    """Company number, organisation, and for an employee the names; `type` is the kind of card it may sign."""

    type: CardType
    cvr: str
    identifier: str
    organisation: str | None = None
    given_name: str | None = attrs.field(default=None, repr=False)
    surname: str | None = attrs.field(default=None, repr=False)


def rid_of(serial_number: str) -> str | None:
    """The RID in a subject's serialNumber, None where there is none."""
    match = _IDENTIFIER.match(serial_number)
    return match[3] if match is not None and match[2] == "RID" else None


@by_identity
def holder_of(certificate: x509.Certificate) -> Holder:
    """Who holds an OCES certificate; raises `CredentialError` when it does not say."""
    subject = Subject.of(certificate)
    kind, cvr, identifier = subject.kind, subject.cvr, subject.identifier
    match = _IDENTIFIER.match(subject.serial_number or "")
    if kind is Kind.OTHER and match is not None:
        kind, cvr, identifier = Kind(match[2]), match[1], match[3]
    if cvr is None or identifier is None:
        raise CredentialError(
            "the certificate is neither an employee's nor a system's as OCES has them",
            advice="sign ID cards with an OCES certificate (MOCES, VOCES or FOCES)",
        )
    card_type = _TYPES[kind]
    given_name, surname = _names(certificate, subject.common_name) if card_type is CardType.USER else (None, None)
    return Holder(
        type=card_type,
        cvr=cvr,
        identifier=identifier,
        organisation=_COMPANY_BEHIND_NAME.sub("", subject.organisation or "") or None,
        given_name=given_name,
        surname=surname,
    )


def filled(card: IdCard, certificate: x509.Certificate) -> IdCard:
    """The card with what it leaves out taken from the certificate that is to sign it.

    Raises `CredentialError` when the certificate is of the wrong kind for the card, and `InvalidContent` when the two
    contradict each other or neither says what is needed.
    """
    if card.level in UNSIGNED_LEVELS:
        raise InvalidContent(
            f"a card of level {card.level} is not signed",
            advice=f"leave the level out: signed, it is {SIGNED_LEVEL[card.type]}; or use govfile.sosi.cards.write",
        )
    holder = holder_of(certificate)
    if holder.type is not card.type:
        raise CredentialError(
            f"{_WORDS[holder.type]} certificate cannot sign {_WORDS[card.type]} card",
            advice=f"use {_WORDS[card.type]} certificate, or IdCard.{holder.type.value}(…)",
        )
    _check_company(card, holder)
    missing: dict[str, str | CareProvider] = {}
    if card.care_provider is None:
        missing["care_provider"] = CareProvider.cvr(holder.cvr, _required(holder.organisation, "an organisation"))
    if card.type is CardType.USER and card.given_name is None:
        missing["given_name"] = _required(holder.given_name, "a given name")
    if card.type is CardType.USER and card.surname is None:
        missing["surname"] = _required(holder.surname, "a surname")
    return attrs.evolve(card, **missing) if missing else card  # type: ignore[arg-type]


def _check_company(card: IdCard, holder: Holder) -> None:
    named = card.care_provider
    if named is not None and named.format is NameFormat.CVR and named.id != holder.cvr:
        raise InvalidContent(
            f"the care provider's CVR number {named.id} is not the certificate's, {holder.cvr}",
            advice="sign with a certificate of the care provider; or name it by its provider number, P number or SKS",
        )


def _required(value: str | None, what: str) -> str:
    if value is None:
        raise InvalidContent(f"neither the card nor the certificate has {what}")
    return value


def _names(certificate: x509.Certificate, common_name: str | None) -> tuple[str | None, str | None]:
    """Given name and surname: as the certificate has them, else the common name before and after its last space."""
    given, family = (
        " ".join(str(found.value) for found in certificate.subject.get_attributes_for_oid(oid)) or None
        for oid in (NameOID.GIVEN_NAME, NameOID.SURNAME)
    )
    if given is not None and family is not None:
        return given, family
    first, _, last = " ".join((common_name or "").split()).rpartition(" ")
    return given or first or None, family or last or None
