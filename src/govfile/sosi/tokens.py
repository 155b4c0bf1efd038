"""What the STS hands out beside ID cards: tokens for services and assertions for service providers, bytes kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidContent
from govfile.sosi.assertions import Assertion, assertion_of

if TYPE_CHECKING:
    from cryptography import x509

    from govfile.certificates.credential import Credential
    from govfile.sosi.audience import Audience
    from govfile.sosi.trust import StsTrust


@attrs.frozen(kw_only=True, eq=False, repr=False)
class IdentityToken(Assertion):
    """An OIO IDWS token for one service: signed by the STS, verified, to be put on calls as it is (`xml`).

    `audience` is the service it is for, `certificate` that of the STS which signed it. Calls made with it are signed
    with the key of `holder`; where that is None, as in those made of a card, it is for a browser (`to_url_value`).
    """

    audience: Audience
    certificate: x509.Certificate


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OiosamlAssertion:
    """An assertion for one service provider, as the STS handed it out (`xml`): encrypted, or in the clear.

    `valid_from` and `expires` (aware UTC) are those the STS names beside it. `assertion` is what it says; None while
    it is encrypted. Pass it on as it is: see `govfile.sosi.browser`.
    """

    xml: bytes
    audience: Audience
    valid_from: datetime
    expires: datetime
    assertion: Assertion | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether only the service provider can read it."""
        return self.assertion is None

    def decrypt(self, credential: Credential, *, trust: StsTrust, at: datetime | None = None) -> OiosamlAssertion:
        """The same in the clear, for the service provider whose key `credential` holds.

        The signature within is verified at `at` (aware; now, if left out), and the audience compared. An assertion in
        the clear comes back as it is. Raises `TrustError`, `ProtocolError` and `CredentialError`.
        """
        if self.assertion is not None:
            return self
        from govfile.sosi.verifying import check_audience, verify_assertion
        from govfile.xml.decrypting import decrypt_assertion

        plain = decrypt_assertion(self.xml, credential)
        verified = verify_assertion(plain, trust=trust, at=at or datetime.now(UTC), may_hold_card=True)
        found = assertion_of(verified.element, verified.parts[0].original)
        check_audience(found, self.audience)
        return attrs.evolve(self, xml=found.xml, assertion=found)

    def __eq__(self, other: object) -> bool:
        return self.xml == other.xml if isinstance(other, OiosamlAssertion) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.xml)

    def __repr__(self) -> str:
        how = "encrypted" if self.is_encrypted else "in the clear"
        return f"<OiosamlAssertion for {self.audience}, {how}, until {self.expires:%Y-%m-%d %H:%M:%S} UTC>"


def verify_token(xml: bytes, *, trust: StsTrust, audience: str | Audience, at: datetime | None = None) -> IdentityToken:
    """The identity token in `xml`, for the service that somebody brought it to and that is called `audience`.

    Checked are its one signature, the signer, by `trust`, that it holds at `at` (aware; now, if left out), and the
    audience. Whoever brings it is not asked for a key: a token that comes by a URL is good for whoever has it. One that
    comes twice is not noticed here: remember its `id` until it has ended. Revocation is not looked up.

    Raises `TrustError` when one of these fails, `ProtocolError` when it cannot be read, and `InvalidContent` when it is
    no assertion in the clear or `audience` cannot be one.
    """
    from govfile.sosi.assertions import ENCRYPTED_ASSERTION, own_element
    from govfile.sosi.audience import Audience
    from govfile.sosi.verifying import check_audience, verify_assertion

    wanted = Audience.parse(audience)
    if own_element(xml, "the token").name == ENCRYPTED_ASSERTION:
        raise InvalidContent("the token is encrypted", advice="see OiosamlAssertion.decrypt")
    verified = verify_assertion(xml, trust=trust, at=at or datetime.now(UTC))
    found = assertion_of(verified.element, verified.parts[0].original)
    check_audience(found, wanted)
    return identity_token_of(found, certificate=verified.certificate, audience=wanted)


def read_identity_token(xml: bytes, *, certificate: x509.Certificate, audience: Audience) -> IdentityToken:
    """A token that was verified before, from its bytes; nothing is verified again. Raises `InvalidContent`."""
    from govfile.sosi.assertions import read_assertion

    found = read_assertion(xml, what="the identity token")
    return identity_token_of(found, certificate=certificate, audience=audience)


def identity_token_of(found: Assertion, *, certificate: x509.Certificate, audience: Audience) -> IdentityToken:
    """A verified assertion as a token for its audience."""
    fields = {field.name: getattr(found, field.name) for field in attrs.fields(Assertion)}
    return IdentityToken(**fields, certificate=certificate, audience=audience)
