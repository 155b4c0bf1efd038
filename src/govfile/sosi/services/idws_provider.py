"""Being the service that is called with a token: whether to believe the token, the caller, and the message.

Two signatures are verified: the token's by the STS, and the message's by whoever holds the key that the token names.
Only what the two cover is handed on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.signer import SignatureAlgorithm
from govfile.errors import ProtocolError, TrustError
from govfile.sosi import constants, times
from govfile.sosi.assertions import assertion_of
from govfile.sosi.audience import Audience
from govfile.sosi.constants import ASSERTION
from govfile.sosi.services.dgws import soap_of
from govfile.sosi.verifying import check_audience
from govfile.xml.algorithms import Digest
from govfile.xml.parse import Limits
from govfile.xml.policy import ALGORITHMS, DIGESTS, Coverage, Part, Policy, Signers, Window
from govfile.xml.unsigned import read_unsigned
from govfile.xml.verifying import verify

if TYPE_CHECKING:
    from cryptography import x509

    from govfile.sosi.assertions import Assertion
    from govfile.sosi.services.dgws import Soap
    from govfile.sosi.trust import StsTrust
    from govfile.xml.verifying import Verified

#: How long a token may claim to hold.
LONGEST_TOKEN = timedelta(hours=24)

_STAMP = f"{{{constants.WSU}}}Timestamp"


@attrs.frozen(kw_only=True, eq=False)
class IdwsCall:
    """A call that was accepted; everything in it was signed.

    `token` is what the STS says of the caller, `certificate` the caller's. `action`, `message_id` and `to` (None where
    it is not named) address the call; `created` is aware UTC. `body` is the element in the body as it was signed, in
    canonical form: prefixes that stand in values alone are not declared on it.
    """

    token: Assertion
    certificate: x509.Certificate
    action: str
    message_id: str
    to: str | None
    created: datetime
    body: bytes = attrs.field(repr=False)
    soap: Soap


def verify_idws_request(
    request: bytes,
    *,
    trust: StsTrust,
    audience: str | Audience,
    at: datetime | None = None,
    longest_ago: timedelta = timedelta(minutes=5),
    longest_token: timedelta = LONGEST_TOKEN,
    allow_sha1: bool = False,
    limits: Limits | None = None,
) -> IdwsCall:
    """The call in a request (the HTTP body), when it may be believed at `at` (aware; now, if left out).

    `trust` says who issues tokens, `audience` who we are. The message must have been created at most `longest_ago`, and
    not have ended where it says when; clocks may differ by `trust.skew`. `allow_sha1` takes what older callers sign
    with. A message that comes twice is not noticed here: compare `message_id` with those of the last minutes.

    Raises `TrustError` when a signature, the audience or a time does not hold, or the token names no key, and
    `ProtocolError` for what cannot be read.
    """
    at = at or datetime.now(UTC)
    limits = limits or Limits()
    soap = soap_of(request)
    envelope, header, body = (f"{{{soap.value}}}{name}" for name in ("Envelope", "Header", "Body"))
    head = (envelope, header)
    security = (*head, f"{{{constants.WSSE}}}Security")
    window = Window(skew=trust.skew, longest=longest_token)
    demanded = trust.policy((*security, ASSERTION), window=window, others=(security,), free=(envelope, body))
    verified = verify(request, attrs.evolve(demanded, limits=limits), at=at)
    token = assertion_of(verified.element, verified.parts[0].original)
    check_audience(token, Audience.parse(audience))
    if token.holder is None:
        raise TrustError("the token names no key that the caller must have", advice="take no calls with such tokens")
    action, message_id, address = (f"{{{constants.WSA}}}{name}" for name in ("Action", "MessageID", "To"))
    policy = _message_policy(
        security,
        detached=((envelope, body), (*head, action), (*head, message_id), (*security, _STAMP)),
        optional=((*head, address), (*head, f"{{{constants.LIBERTY}}}Framework")),
        holder=token.holder,
        allow_sha1=allow_sha1,
    )
    message = verify(request, attrs.evolve(policy, free=(envelope, body), limits=limits), at=at)
    return IdwsCall(
        token=token,
        certificate=token.holder,
        action=_text(message, (*head, action)) or "",
        message_id=_text(message, (*head, message_id)) or "",
        to=_text(message, (*head, address)),
        created=_created(message, (*security, _STAMP), at, longest_ago, trust.skew),
        body=_body(message, (envelope, body)),
        soap=soap,
    )


def _message_policy(
    security: tuple[str, ...],
    *,
    detached: tuple[tuple[str, ...], ...],
    optional: tuple[tuple[str, ...], ...],
    holder: x509.Certificate,
    allow_sha1: bool,
) -> Policy:
    """The message's own signature: over its parts and, by reference, the token, with the key the token names."""
    parts = [Part(path=path, is_only_one=False) for path in detached]
    parts += [Part(path=path, is_only_one=False, is_required=False) for path in optional]
    parts.append(Part(path=(*security, ASSERTION), coverage=Coverage.BY_REFERENCE))
    weak = {SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED} if allow_sha1 else set[SignatureAlgorithm]()
    weak_digests = {Digest.SHA1_WHERE_DEMANDED} if allow_sha1 else set[Digest]()
    return Policy(
        signature=security,
        parts=tuple(parts),
        others=((*security, ASSERTION),),
        signers=Signers(pinned=(holder,)),
        algorithms=ALGORITHMS | weak,
        digests=DIGESTS | weak_digests,
    )


def _text(message: Verified, path: tuple[str, ...]) -> str | None:
    part = message.part(path)
    return part.element.text.strip() if part is not None else None


def _created(
    message: Verified, path: tuple[str, ...], at: datetime, longest_ago: timedelta, skew: timedelta
) -> datetime:
    stamp = message.part(path)
    assert stamp is not None
    moments = {
        child.name: times.read(child.text.strip(), f"the message's {child.name}") for child in stamp.element.children
    }
    if "Created" not in moments:
        raise ProtocolError("the message does not say when it was created")
    created, ends = moments["Created"], moments.get("Expires")
    if created > at + skew or created + longest_ago < at - skew or (ends is not None and ends <= at - skew):
        raise TrustError(
            f"the message was created at {created:%Y-%m-%d %H:%M:%S} UTC, and it is {at.astimezone(UTC):%H:%M:%S}",
            advice="compare both computers' clocks; a message is good for minutes",
        )
    return created


def _body(message: Verified, path: tuple[str, ...]) -> bytes:
    part = message.part(path)
    assert part is not None
    body = read_unsigned(part.content, free=(path[-1],))
    children = body.children
    if len(children) > 1 or body.has_text:
        raise ProtocolError(f"the message has {len(children)} elements and text in its body, not one element")
    return children[0].original if children else b""
