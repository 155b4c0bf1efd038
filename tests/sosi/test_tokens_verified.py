"""A token that a browser brings is believed by the service it is for, when the token service signed it, in its time."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile import sosi
from govfile.errors import GovfileError, InvalidContent, ProtocolError, TrustError
from govfile.sandbox.sosi import Settings, SigningAlgorithm, SosiSandbox
from support.sosi_client import CPR, FMK, USER, client

if TYPE_CHECKING:
    from govfile.sosi.signed_card import SignedCard
    from govfile.sosi.sts import SecurityTokenService


@pytest.fixture(scope="module")
def token(sts: SecurityTokenService, card: SignedCard) -> sosi.IdentityToken:
    return sts.identity_token(card, audience=FMK)


def test_a_token_arrives_by_a_url_and_is_believed(authority: SosiSandbox, token: sosi.IdentityToken) -> None:
    xml = sosi.from_url_value(sosi.to_url_value(token))
    found = sosi.verify_token(xml, trust=authority.trust, audience="HTTPS://FMK/", at=authority.clock())
    assert (found, found.id, found.audience) == (token, token.id, token.audience)
    assert found.value("dk:gov:saml:attribute:CprNumberIdentifier") == CPR
    assert found.certificate == authority.sts_certificate
    assert CPR not in repr(found)


def test_what_stands_around_a_token_is_no_part_of_it(authority: SosiSandbox, token: sosi.IdentityToken) -> None:
    xml = b'<?xml version="1.0" encoding="UTF-8"?>\n' + token.xml + b"\n"
    assert sosi.verify_token(xml, trust=authority.trust, audience=FMK, at=authority.clock()).xml == token.xml


def test_t08_a_token_for_another_service_is_refused(authority: SosiSandbox, token: sosi.IdentityToken) -> None:
    with pytest.raises(TrustError, match="for another service than https://fsk"):
        sosi.verify_token(token.xml, trust=authority.trust, audience="https://fsk", at=authority.clock())


def test_t07_a_token_out_of_its_time_is_refused(authority: SosiSandbox, token: sosi.IdentityToken) -> None:
    assert token.valid_from is not None
    for at in (token.expires + timedelta(minutes=1), token.valid_from - timedelta(minutes=10)):
        with pytest.raises(TrustError):
            sosi.verify_token(token.xml, trust=authority.trust, audience=FMK, at=at)


def test_t02_a_token_somebody_changed_is_refused(authority: SosiSandbox, token: sosi.IdentityToken) -> None:
    changed = token.xml.replace(CPR.encode(), b"0202021235")
    assert changed != token.xml
    with pytest.raises(TrustError, match="digest"):
        sosi.verify_token(changed, trust=authority.trust, audience=FMK, at=authority.clock())


def test_t03_a_token_of_a_strangers_is_refused(authority: SosiSandbox, token: sosi.IdentityToken) -> None:
    other = attrs.evolve(authority.trust, cvr="30808460")
    with pytest.raises(TrustError, match="not that of the signer"):
        sosi.verify_token(token.xml, trust=other, audience=FMK, at=authority.clock())
    strict = attrs.evolve(authority.trust, allow_sha1=False)
    with pytest.raises(TrustError, match="not accepted"):
        sosi.verify_token(token.xml, trust=strict, audience=FMK, at=authority.clock())


def test_what_is_no_token_in_the_clear_is_refused(
    authority: SosiSandbox, sts: SecurityTokenService, card: SignedCard, token: sosi.IdentityToken
) -> None:
    encrypted = sts.to_oiosaml(card, audience="https://sp.example.dk").xml
    wrong: dict[bytes, type[GovfileError]] = {
        encrypted: InvalidContent,
        card.xml: GovfileError,
        b"<Ping xmlns='urn:example'/>": InvalidContent,
        gzip.compress(token.xml): InvalidContent,
        b"": InvalidContent,
    }
    for xml, kind in wrong.items():
        with pytest.raises(kind):
            sosi.verify_token(xml, trust=authority.trust, audience=FMK, at=authority.clock())
    with pytest.raises(InvalidContent):
        sosi.verify_token(token.xml, trust=authority.trust, audience="not an address", at=authority.clock())


def test_a_token_that_only_names_its_signers_key_needs_the_pinned_certificate() -> None:
    settings = Settings(names_key_only=True, signs_with=SigningAlgorithm.RSA_SHA256)
    with SosiSandbox(settings=settings) as authority, client(authority) as sts:
        token = sts.identity_token(sts.issue(USER), audience=FMK)
        pinned = sosi.StsTrust.pinned_to(authority.sts_pem())
        assert sosi.verify_token(token.xml, trust=pinned, audience=FMK, at=authority.clock()) == token
        with pytest.raises((TrustError, ProtocolError), match="no certificate"):
            sosi.verify_token(token.xml, trust=authority.trust, audience=FMK, at=authority.clock())
