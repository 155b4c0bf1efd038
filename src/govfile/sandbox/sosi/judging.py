"""The judgement of a card, in the order of the STS's own description: card, certificate, system, user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.sosi import authorising, cards, names, refusals, subjects
from govfile.sandbox.sosi.settings import normalised
from govfile.sandbox.sosi.verifying import BadSignature, verify_enveloped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cryptography import x509
    from lxml import etree

    from govfile.sandbox.sosi.faults import Faults
    from govfile.sandbox.sosi.people import Registers
    from govfile.sandbox.sosi.settings import Audience, Settings


@attrs.frozen(kw_only=True)
class Office:
    """What a judgement needs: habits, registers, faults."""

    settings: Settings
    registers: Registers
    faults: Faults
    audiences: Mapping[str, Audience]

    def audience(self, asked: str, actor: str) -> Audience:
        """The registered receiver of that name, whatever its case and slash; raises `Refused` for any other."""
        found = self.audiences.get(normalised(asked))
        if found is None:
            raise refusals.request_failed(actor, f"The specified request failed: unknown audience {asked}")
        return found


def judged(assertion: etree._Element, office: Office, *, at: datetime) -> tuple[cards.Card, x509.Certificate]:
    """The card and its signer's certificate, with what the registers add; raises `Refused` or `Unreadable`."""
    card = cards.read(assertion)
    _check_card(card, office.settings, at)
    certificate, read = _check_certificate(assertion, card, office, at)
    if card.care_format == "medcom:cvrnumber" and card.care_id != read.cvr:
        raise refusals.failed(f"the card says CVR {card.care_id}, its certificate {read.cvr}")
    if card.is_user:
        card = attrs.evolve(card, user=user(card.user, read, office))
    return card, certificate


def _check_card(card: cards.Card, settings: Settings, at: datetime) -> None:
    if card.level not in ("3", "4"):
        raise refusals.malformed(f"level {card.level} is not signed here")
    if card.level != ("4" if card.is_user else "3"):
        raise refusals.malformed(f"level {card.level} on a {'user' if card.is_user else 'system'} card")
    if not card.start < card.end or card.end - card.start > settings.card_life:
        raise refusals.bad_time("the card lives too long, or not at all")
    if card.issued > at + settings.tolerance or card.start > at + settings.tolerance:
        raise refusals.bad_time("the card is from the future")
    if card.issued > card.start + settings.tolerance or card.end <= card.issued:
        raise refusals.bad_time("the card's times contradict each other")
    if card.end <= at:
        raise refusals.expired("the card is over")


def _check_certificate(
    assertion: etree._Element, card: cards.Card, office: Office, at: datetime
) -> tuple[x509.Certificate, subjects.Read]:
    try:
        signed = verify_enveloped(assertion)
    except BadSignature as error:
        raise refusals.bad_digest(str(error)) from error
    certificate = signed.certificate
    assert certificate is not None
    if signed.method == names.RSA_SHA1 and not office.settings.requester_sha1:
        raise refusals.bad_digest("SHA-1 is not taken here")
    read = subjects.read(certificate)
    if read is None:
        raise refusals.failed("no OCES certificate")
    if not subjects.is_valid(certificate, at):
        raise refusals.failed("the certificate is expired or not valid yet")
    if read.kind.is_person is not card.is_user:
        raise refusals.failed(f"a {read.kind.name} certificate on a {'user' if card.is_user else 'system'} card")
    if office.registers.is_revoked(certificate):
        raise refusals.revoked()
    if not subjects.issued_by_federation(certificate, office.registers.authorities):
        raise refusals.untrusted("the certificate is nobody's we know")
    return certificate, read


def user(found: dict[str, str], read: subjects.Read, office: Office) -> dict[str, str]:
    """The user's attributes with what the registers add; raises `Refused` where they disagree."""
    if office.faults.takes_lookup_failure():
        raise refusals.lookup_failed(read.serial)
    employee = office.registers.employee(read.cvr, read.identifier)
    if employee is None or employee.cpr is None:
        raise refusals.illegal_identity(read.serial)
    given = found.get(cards.CPR)
    if given and given != employee.cpr:
        raise refusals.cpr_mismatch(read.serial, given)
    return authorising.enriched({**found, cards.CPR: employee.cpr}, office)
