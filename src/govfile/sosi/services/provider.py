"""Being the service that is called by Den Gode Webservice: whether to believe a request, and what it says.

The signature is on the card alone. Whoever holds a card's bytes can put any body and any header beside it, so these are
named unsigned, and TLS has to vouch for them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ProtocolError, TrustError
from govfile.sosi import constants, times
from govfile.sosi.cards import verified_card
from govfile.sosi.constants import ASSERTION
from govfile.sosi.services.dgws import Soap, is_too_old, soap_of
from govfile.sosi.services.fault_codes import CallRefused, FaultCode
from govfile.sosi.services.hsuid import HsuidHeader
from govfile.sosi.services.medcom import MedcomHeader
from govfile.xml.parse import Limits
from govfile.xml.unsigned import read_unsigned

if TYPE_CHECKING:
    from collections.abc import Collection

    from govfile.sosi.card import CardType
    from govfile.sosi.signed_card import SignedCard
    from govfile.sosi.trust import StsTrust
    from govfile.xml.unsigned import UnsignedPart
    from govfile.xml.verifying import Verified

#: Levels that the STS signs.
SIGNED_LEVELS = (3, 4)

_MEDCOM = f"{{{constants.MEDCOM}}}Header"
_HSUID = f"{{{constants.HSUID}}}HsuidHeader"
_SECURITY = f"{{{constants.WSSE}}}Security"
_TIMESTAMP = f"{{{constants.WSU}}}Timestamp"
_CREATED = f"{{{constants.WSU}}}Created"


@attrs.frozen(kw_only=True, eq=False)
class DgwsCall:
    """A request that was accepted.

    `card` was verified: it says who calls. All else was not signed: `header` (level, flow, message id, priority),
    `hsuid` (who uses the service, None where the caller does not say), `created` (aware UTC), and `unsigned_body`, the
    element in the body, able to stand alone, or nothing.
    """

    card: SignedCard
    header: MedcomHeader
    unsigned_body: bytes = attrs.field(repr=False)
    created: datetime
    hsuid: HsuidHeader | None = None
    soap: Soap = Soap.V1_1


def verify_request(
    request: bytes,
    *,
    trust: StsTrust,
    at: datetime | None = None,
    levels: Collection[int] = SIGNED_LEVELS,
    types: Collection[CardType] | None = None,
    level_is_required: bool = False,
    longest_ago: timedelta | None = None,
    allow_receipts: bool = False,
    limits: Limits | None = None,
) -> DgwsCall:
    """The call in a request (the HTTP body), when it may be believed at `at` (aware; now, if left out).

    Checked are: one envelope, one header of each kind, each where it belongs; the card as `verify_card` does, and that
    it is the one in `wsse:Security` and no other is anywhere; its level among `levels` and its type among `types`
    (None: either); that the header names the card's level (it may leave it out, unless `level_is_required`) and that
    the card is not older than the header's time-out; that the message was not created after `at`, and not longer before
    than `longest_ago` (None: however long); that no receipt is asked for, unless `allow_receipts`. Clocks may differ by
    `trust.skew`. What the caller may do is for the service to decide, and so is what a repeated message id means.

    Raises `CallRefused` (a `TrustError`) with the `fault_code` to answer, and `ProtocolError` for what cannot be read.
    `DgwsFault.about` makes the answer of either.
    """
    at = at or datetime.now(UTC)
    limits = limits or Limits()
    soap = soap_of(request)
    envelope, header, body = (f"{{{soap.value}}}{name}" for name in ("Envelope", "Header", "Body"))
    path = (envelope, header, _SECURITY, ASSERTION)
    try:
        card, verified = verified_card(request, trust=trust, at=at, path=path, free=(envelope, body), limits=limits)
    except TrustError as error:
        raise _refusal(error, request, path, limits, at) from error
    medcom = MedcomHeader.of(_only(verified, (envelope, header, _MEDCOM)).element)
    created = _created(verified, (envelope, header, _SECURITY))
    _check_header(card, medcom, at, trust.skew, level_is_required, allow_receipts)
    if card.level not in levels:
        raise CallRefused(
            f"the card has level {card.level}, which is not accepted here", fault_code=FaultCode.SECURITY_LEVEL_FAILED
        )
    if types is not None and card.type not in types:
        raise CallRefused(f"a {card.type.value}'s card is not accepted here", fault_code=FaultCode.INVALID_IDCARD)
    _check_created(created, at, trust.skew, longest_ago)
    return DgwsCall(
        card=card,
        header=medcom,
        unsigned_body=_body(verified, (envelope, body)),
        created=created,
        hsuid=_hsuid(verified, (envelope, header, _HSUID)),
        soap=soap,
    )


def _only(verified: Verified, path: tuple[str, ...]) -> UnsignedPart:
    found = verified.unsigned(path)
    name = path[-1].rpartition("}")[2]
    if len(found) == 1:
        return found[0]
    if found:
        raise ProtocolError(f"the message has {len(found)} elements {name}, not one")
    raise CallRefused(f"the message has no {name}", fault_code=FaultCode.MISSING_REQUIRED_HEADER)


def _created(verified: Verified, security: tuple[str, ...]) -> datetime:
    found = _only(verified, (*security, _TIMESTAMP)).at(_CREATED)
    if len(found) != 1:
        raise ProtocolError(f"the message's time stamp has {len(found)} elements Created, not one")
    return times.read(found[0].element.text.strip(), "the message's Created")


def _body(verified: Verified, path: tuple[str, ...]) -> bytes:
    bodies = verified.unsigned(path)
    if len(bodies) != 1:
        raise ProtocolError(f"the message has {len(bodies)} bodies, not one")
    children = bodies[0].children
    if len(children) > 1 or bodies[0].has_text:
        raise ProtocolError(f"the message has {len(children)} elements and text in its body, not one element")
    return children[0].original if children else b""


def _hsuid(verified: Verified, path: tuple[str, ...]) -> HsuidHeader | None:
    return HsuidHeader.of(_only(verified, path).element)[0] if verified.unsigned(path) else None


def _check_header(
    card: SignedCard, header: MedcomHeader, at: datetime, skew: timedelta, is_required: bool, allow_receipts: bool
) -> None:
    if header.security_level is None and is_required:
        raise CallRefused("the header names no level", fault_code=FaultCode.MISSING_REQUIRED_HEADER)
    if header.security_level not in (None, card.level):
        raise CallRefused(
            f"the header names level {header.security_level}, and the card has level {card.level}",
            fault_code=FaultCode.SECURITY_LEVEL_FAILED,
        )
    if is_too_old(card, header, at - skew):
        raise CallRefused(
            "the card was issued longer ago than the header's time-out allows",
            fault_code=FaultCode.EXPIRED_IDCARD,
        )
    if header.non_repudiation and not allow_receipts:
        raise CallRefused("no receipts are given here", fault_code=FaultCode.NONREPUDIATION_NOT_SUPPORTED)


def _check_created(created: datetime, at: datetime, skew: timedelta, longest_ago: timedelta | None) -> None:
    if created > at + skew:
        raise CallRefused(
            f"the message was created at {created:%Y-%m-%d %H:%M:%S} UTC, and it is {at.astimezone(UTC):%H:%M:%S}",
            fault_code=FaultCode.SYNTAX_ERROR,
            advice="compare both computers' clocks",
        )
    if longest_ago is not None and created + longest_ago < at - skew:
        raise CallRefused(
            f"the message was created at {created:%Y-%m-%d %H:%M:%S} UTC, longer ago than is accepted",
            fault_code=FaultCode.SYNTAX_ERROR,
        )


def _refusal(error: TrustError, request: bytes, path: tuple[str, ...], limits: Limits, at: datetime) -> CallRefused:
    """Which code to answer. What is read for this was not verified, and decides about nothing else."""
    cards = read_unsigned(request, limits=limits, free=(path[0], path[0].replace("}Envelope", "}Body"))).at(*path[1:])
    code = FaultCode.INVALID_SIGNATURE if len(cards) == 1 else FaultCode.INVALID_IDCARD
    if not cards:
        code = FaultCode.MISSING_REQUIRED_HEADER
    elif _has_ended(cards[0], at):
        code = FaultCode.EXPIRED_IDCARD
    return CallRefused(f"the card is not believed: {error.what}", fault_code=code, advice=error.advice)


def _has_ended(card: UnsignedPart, at: datetime) -> bool:
    ends = [found.element.attributes.get("NotOnOrAfter", "") for found in card.at(f"{{{constants.SAML}}}Conditions")]
    try:
        return len(ends) == 1 and times.read(ends[0]) <= at
    except ProtocolError:
        return False
