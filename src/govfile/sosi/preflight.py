"""What can be known before asking: each check here saves a call that the STS would refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from govfile.errors import CredentialError, InvalidContent
from govfile.sosi.assertions import own_element, read_assertion
from govfile.sosi.card import CardType
from govfile.sosi.constants import ASSERTION

if TYPE_CHECKING:
    from govfile.certificates.credential import Credential
    from govfile.sosi.assertions import Assertion
    from govfile.sosi.signed_card import SignedCard

#: What lives shorter would be dead on arrival.
LEAST_LEFT = timedelta(seconds=5)

_OIOSAML_3 = "https://data.gov.dk/model/core/specVersion"
_UID = "urn:oid:0.9.2342.19200300.100.1.1"


def check_signable(card: SignedCard) -> None:
    """A card the STS may sign: of level 3 or 4, and not signed by it before."""
    if card.is_verified:
        raise InvalidContent("the service has signed this ID card already", advice="use it as it is")
    if card.level not in {3, 4}:
        raise InvalidContent(
            f"the STS signs cards of level 3 and 4, not {card.level}", advice="leave the level out of the card"
        )


def check_card(card: SignedCard, at: datetime, credential: Credential) -> None:
    """A card to be exchanged, which the service signed and which has not run out; raises `InvalidContent`."""
    if card.signer == credential.certificate:
        raise InvalidContent("this ID card is signed by its owner alone", advice="have it signed first: issue(card)")
    check_time_left("the ID card", card.expires, at)


def check_user_card(card: SignedCard, at: datetime, credential: Credential) -> None:
    """The same for a user's card."""
    check_card(card, at, credential)
    if card.type is not CardType.USER:
        raise InvalidContent("only a user's ID card can be exchanged, not a system's", advice="use IdCard.user(…)")


def check_for_oiosaml(card: SignedCard, at: datetime, credential: Credential) -> None:
    """A card that can become an OIOSAML assertion."""
    check_card(card, at, credential)
    if not card.names_certificate:
        raise InvalidContent(
            "this ID card was signed by the old service: only those of NewSecurityTokenService name a certificate and "
            "can be exchanged for an OIOSAML assertion",
            advice="have a new card signed by issue(…) without legacy=True",
        )


def oiosaml_to_exchange(xml: bytes, at: datetime) -> Assertion:
    """An OIOSAML 2 assertion that can become a card."""
    found = read_assertion(xml, what="the OIOSAML assertion")
    check_time_left("the OIOSAML assertion", found.expires, at)
    if not found.value(_UID):
        raise InvalidContent(
            "this assertion names no CVR and RID (uid), which a card cannot be made without",
            advice="exchange OIOSAML 3 with from_bootstrap_token(…)"
            if _OIOSAML_3 in found.attributes
            else "only assertions made with an employee's certificate can be exchanged",
        )
    return found


def token_to_exchange(xml: bytes, at: datetime, credential: Credential) -> tuple[bytes, Assertion | None]:
    """A bootstrap token's bytes, and what it says where that can be read."""
    what = "the bootstrap token"
    own = own_element(xml, what)
    if own.name != ASSERTION:
        return own.xml, None
    found = read_assertion(own.xml, what=what)
    check_time_left(what, found.expires, at)
    if found.holder is not None and found.holder != credential.certificate:
        raise CredentialError(
            "the bootstrap token is bound to another certificate than the one that would sign the request",
            advice="use the credential the token was asked for with",
        )
    return found.xml, found


def check_person(about: Assertion | None, cpr: str) -> None:
    """Raise `InvalidContent` where a token can be read and names another person than `cpr` (ten digits)."""
    if about is not None and about.cpr not in (None, cpr):
        raise InvalidContent(
            "the bootstrap token names another person than the CPR number given", advice="give the number of its person"
        )


def check_time_left(what: str, expires: datetime | None, at: datetime) -> None:
    """Raise `InvalidContent` where it has run out, or will before the STS has read it."""
    if expires is None or expires - at >= LEAST_LEFT:
        return
    left = (expires - at).total_seconds()
    when = f"in {left:.0f} seconds" if left > 0 else f"at {expires.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    raise InvalidContent(
        f"{what} {'runs' if left > 0 else 'ran'} out {when}",
        certain="nothing was sent",
        advice=f"get a new one; this computer's clock says {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
    )
