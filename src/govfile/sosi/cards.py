"""Building, signing, reading and verifying ID cards: bytes in, bytes out, no network.

A card's bytes are never written anew once it is signed. Signed is as the service wants it: one enveloped signature as
the last child, over the card by its id, exclusive canonicalisation, RSA PKCS#1 v1.5, the signer's certificate alone.
"""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes

from govfile.certificates._by_identity import by_identity
from govfile.certificates._carried import carried_certificate
from govfile.certificates.signer import SignatureAlgorithm
from govfile.certificates.usage import check_signs_documents
from govfile.errors import ConfigurationError, CredentialError, InvalidContent, ProtocolError, TrustError
from govfile.sosi import _writing, times
from govfile.sosi._reading import fields_of, zones_are_named
from govfile.sosi.card import SIGNED_LEVEL, UNSIGNED_LEVELS, CardType, CertificateHash, IdCard
from govfile.sosi.constants import ASSERTION, CARD_ID, DS, SIGNATURE_ID
from govfile.sosi.holder import filled
from govfile.sosi.signed_card import SignedCard, WrittenCard
from govfile.sosi.times import DANISH_TIME, DgwsVersion
from govfile.xml.policy import Window
from govfile.xml.signing import enveloped_signature
from govfile.xml.unsigned import read_unsigned
from govfile.xml.verifying import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509

    from govfile.certificates.credential import Credential
    from govfile.sosi._reading import Part
    from govfile.sosi.trust import StsTrust
    from govfile.xml.policy import Policy
    from govfile.xml.verifying import Verified

#: A card must not hold for longer.
LONGEST_LIFE = timedelta(hours=24)
#: How far before now a card begins, so that it holds at once where a clock is behind.
BACK_DATING = timedelta(minutes=5)

_SIGNATURE_ID = ("id", SIGNATURE_ID)


def build(
    card: IdCard,
    credential: Credential,
    *,
    at: datetime | None = None,
    life: timedelta = LONGEST_LIFE,
    back_dating: timedelta = BACK_DATING,
    algorithm: SignatureAlgorithm = SignatureAlgorithm.RSA_SHA256,
    randomness: Callable[[int], bytes] = os.urandom,
) -> SignedCard:
    """`card`, filled from the credential's certificate and signed with its key, ready for the service.

    It holds from `back_dating` before `at` (aware; now, if left out), for `life`. `algorithm` with SHA-1 has to be
    named. Raises `CredentialError` when the certificate is expired, of the wrong kind or not for signatures, or when
    the key cannot sign; `InvalidContent` when card and certificate contradict each other; `ConfigurationError` for
    times that make no card.
    """
    at = at or datetime.now(UTC)
    credential.check(at)
    certificate = credential.certificate
    _check_signs(certificate)
    card = filled(card, certificate)
    level = SIGNED_LEVEL[card.type]
    hashed = _hashes(certificate)[card.certificate_hash]
    text, fields = _written(card, level, hashed, _window(at, life, back_dating, card.version), randomness)
    canonical = b"".join((_writing.START, text, _writing.END))
    signature = enveloped_signature(canonical, CARD_ID, credential, algorithm=algorithm, signature_id=_SIGNATURE_ID)
    xml = b"".join((_writing.START, _writing.DECLARED, text, signature, _writing.END))
    return SignedCard(xml=xml, signer=certificate, **fields)


def write(
    card: IdCard,
    *,
    at: datetime | None = None,
    life: timedelta = LONGEST_LIFE,
    back_dating: timedelta = BACK_DATING,
    randomness: Callable[[int], bytes] = os.urandom,
) -> WrittenCard:
    """A card of level 1 or 2, which nobody signs; the arguments and errors are those of `build`.

    The service signs no such card: it goes to a service that takes it as it is. A card of level 2 holds the password.
    """
    if card.level not in UNSIGNED_LEVELS:
        raise InvalidContent(
            "only cards of level 1 and 2 go without a signature", advice="use build, or give the card level 1 or 2"
        )
    if card.type is CardType.USER and (card.given_name is None or card.surname is None):
        raise InvalidContent("the user's given name or surname is missing")
    at = at or datetime.now(UTC)
    text, fields = _written(card, card.level, None, _window(at, life, back_dating, card.version), randomness)
    return WrittenCard(xml=b"".join((_writing.START, _writing.DECLARED, text, _writing.END)), **fields)


def read_card(xml: bytes) -> SignedCard:
    """The card that the document `xml` is, as it came; **nothing of it is verified** (see `verify_card`).

    Raises `ProtocolError` when it cannot be read as a signed ID card.
    """
    part = read_unsigned(xml, what="the ID card")
    if part.name != ASSERTION:
        raise ProtocolError(f"an ID card is a SAML assertion, not {part.name!r}")
    return SignedCard(xml=part.original, signer=_certificate_in(part), **fields_of(part))


def verify_card(
    xml: bytes,
    *,
    trust: StsTrust,
    at: datetime | None = None,
    path: tuple[str, ...] = (ASSERTION,),
    **policy: Any,
) -> SignedCard:
    """The card in `xml`, when everything about it is in order at `at` (aware; now, if left out).

    `xml` is the card itself, or a message that holds it at `path` (`{namespace}local` names from the root down).
    Checked are: one signature, a child of this very card and its last; its one reference, to this card by an id that
    no other element has; algorithms; the signer, by `trust`; the digest and the signature; version, type and level;
    that the card began, has not ended, and holds for 24 hours at most. `policy` are further fields of
    `govfile.xml.policy.Policy`. Revocation is not looked up.

    Raises `TrustError` when one of these fails, `ProtocolError` when the message cannot be read or is no ID card.
    """
    return verified_card(xml, trust=trust, at=at, path=path, **policy)[0]


def verified_card(
    xml: bytes, *, trust: StsTrust, at: datetime | None, path: tuple[str, ...], **policy: Any
) -> tuple[SignedCard, Verified]:
    """What `verify_card` returns, with the message it was found in, as it was read for that."""
    verified = verify(xml, _policy(trust, path, frozenset(policy.items())), at=at)
    part = verified.parts[0]
    assert verified.valid_from is not None
    assert verified.valid_until is not None
    fields = fields_of(part, (verified.valid_from, verified.valid_until))
    if fields["level"] in UNSIGNED_LEVELS:
        raise TrustError(f"the ID card has level {fields['level']}; the service signs levels 3 and 4 only")
    if fields["version"] is not DgwsVersion.V1_0 and not zones_are_named(part):
        raise TrustError("the ID card has a time without a zone, which only cards of version 1.0 have")
    return SignedCard(xml=part.original, signer=verified.certificate, is_verified=True, **fields), verified


@lru_cache(maxsize=64)
def _policy(trust: StsTrust, path: tuple[str, ...], more: frozenset[tuple[str, Any]]) -> Policy:
    window = Window(skew=trust.skew, longest=LONGEST_LIFE, zone=DANISH_TIME)
    return trust.policy(path, window=window, is_last=True, **dict(more))


def _written(
    card: IdCard,
    level: int,
    hashed: str | None,
    window: tuple[datetime, datetime],
    randomness: Callable[[int], bytes],
) -> tuple[bytes, dict[str, Any]]:
    """The text of the card, and the fields of the value it becomes."""
    card_id = card.id or base64.b64encode(randomness(16)).decode("ascii")
    begin, end = window
    text = _writing.content(card, card_id=card_id, level=level, certificate_hash=hashed, begin=begin, end=end)
    assert card.care_provider is not None
    name, name_format = _writing.name_id(card, card.care_provider)
    return text, {
        "id": card_id,
        "version": card.version,
        "type": card.type,
        "level": level,
        "issuer": card.issuer,
        "issued": begin,
        "valid_from": begin,
        "expires": end,
        "it_system": card.it_system,
        "care_provider": card.care_provider,
        "name_id": name,
        "name_id_format": name_format.value,
        "certificate_hash": hashed,
        "cpr": card.cpr,
        "given_name": card.given_name,
        "surname": card.surname,
        "email": card.email,
        "role": card.role,
        "authorisation_code": card.authorisation_code,
        "occupation": card.occupation,
    }


def _window(at: datetime, life: timedelta, back_dating: timedelta, version: DgwsVersion) -> tuple[datetime, datetime]:
    if at.tzinfo is None:
        raise ConfigurationError(f"the time {at} has no time zone", advice="give an aware datetime, e.g. in UTC")
    if not timedelta() <= back_dating < life <= LONGEST_LIFE:
        raise ConfigurationError(
            f"a card cannot begin {back_dating} before now and hold for {life}",
            advice="let it hold for at most 24 hours, and for longer than it is dated back",
        )
    begin, end = times.window(at - back_dating, life, version)
    if end <= at:
        raise ConfigurationError(
            f"no card of version {version.value} can be written now that holds for {life} only",
            advice="let it hold for longer, or use version 1.0.1: 1.0 cannot tell the hour that the clocks repeat",
        )
    return begin, end


@by_identity
def _check_signs(certificate: x509.Certificate) -> None:
    check_signs_documents(certificate)


@by_identity
def _hashes(certificate: x509.Certificate) -> dict[CertificateHash, str | None]:
    """How a card names its signer's certificate."""
    kinds: dict[CertificateHash, hashes.HashAlgorithm] = {
        CertificateHash.SHA1: hashes.SHA1(),  # noqa: S303 it names a certificate, and nothing rests on it
        CertificateHash.SHA256: hashes.SHA256(),
    }
    named = {how: base64.b64encode(certificate.fingerprint(kind)).decode("ascii") for how, kind in kinds.items()}
    return {**named, CertificateHash.LEFT_OUT: None}


def _certificate_in(card: Part) -> x509.Certificate:
    """The first certificate in a card's own signature."""
    found = card.rows(*(f"{{{DS}}}{name}" for name in ("Signature", "KeyInfo", "X509Data", "X509Certificate")))
    if not found:
        raise ProtocolError("the ID card is not signed, or its signature holds no certificate")
    try:
        return carried_certificate(found[0].text or "")
    except CredentialError as error:
        raise ProtocolError("the certificate in the ID card's signature cannot be read") from error
