"""Danish healthcare ID cards: building and signing, and verifying, beside the bare RSA operation.

    python benchmarks/sosi_cards.py [SECONDS]

Signing: a level-4 card made from its fields, filled, signed with RSA-SHA256 and put into the envelope that asks the
service to sign it. Verifying: such a card, signed by a service of a 2048-bit key under an authority, with all checks
(place, ids, one signature, algorithms, chain, subject, digest, signature, times) and all fields read. One thread; keys
are loaded once. They take turns, a twentieth of a second of processor time each (or SECONDS), 41 times; printed are
medians, and the medians of the ratios within a turn.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from govfile.certificates.credential import Credential
from govfile.sosi import cards
from govfile.sosi.card import IdCard
from govfile.sosi.care_provider import CareProvider
from govfile.sosi.envelope import card_request
from govfile.sosi.trust import StsTrust

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 41
CVR = "20301823"


def credential(bits: int, issuer_key: rsa.RSAPrivateKey) -> Credential:
    """An employee's certificate under an authority of one's own, with its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = [
        x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRDK-{CVR}"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Laboratory"),
        x509.NameAttribute(NameOID.SERIAL_NUMBER, "UI:DK-E:G:5d1f3a0c-7f0b-4c7e-9a55-1c2d3e4f5a6b"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Example Person"),
    ]
    own = certificate(x509.Name(subject), key.public_key(), issuer_key, is_authority=False)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Credential.from_pem(own.public_bytes(Encoding.PEM) + pem)


def certificate(
    name: x509.Name, key: rsa.RSAPublicKey, issuer_key: rsa.RSAPrivateKey, *, is_authority: bool
) -> x509.Certificate:
    """One for two days, issued by the benchmark's authority."""
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(AUTHORITY).public_key(key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=1))
    constraints = x509.BasicConstraints(ca=is_authority, path_length=None)
    return builder.add_extension(constraints, critical=True).sign(issuer_key, hashes.SHA256())


AUTHORITY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchmark authority")])


class Contest:
    """The keys, and what is done with them."""

    def __init__(self) -> None:
        authority_key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        anchor = certificate(AUTHORITY, authority_key.public_key(), authority_key, is_authority=True)
        self.credentials = {bits: credential(bits, authority_key) for bits in (2048, 3072)}
        pem = anchor.public_bytes(Encoding.PEM)
        self.trust = StsTrust.of(pem, common_name="Example", cvr=CVR)
        self.card = cards.build(self.described(), self.credentials[2048]).xml

    def described(self) -> IdCard:
        """A card from its fields."""
        return IdCard.user(
            issuer="ExampleLab",
            it_system="Example Lab",
            care_provider=CareProvider.cvr(CVR, "Example Laboratory"),
            cpr="0101001234",
            given_name="Example",
            surname="Person",
            role="7170",
            authorisation_code="ABCDE",
        )

    def build(self, bits: int) -> Callable[[], object]:
        """Fields in, request out."""
        signer = self.credentials[bits]
        return lambda: card_request(cards.build(self.described(), signer), at=datetime.now(UTC), randomness=os.urandom)

    def raw(self, bits: int) -> Callable[[], object]:
        """The RSA signature alone."""
        key = self.credentials[bits].private_key
        assert isinstance(key, rsa.RSAPrivateKey)
        return lambda: key.sign(self.card, padding.PKCS1v15(), hashes.SHA256())

    def verify(self) -> None:
        """Bytes in, verified card out."""
        cards.verify_card(self.card, trust=self.trust)


def rate(work: Callable[[], object], seconds: float) -> float:
    """How often a second of processor time."""
    count = 0
    began = time.process_time()
    while (passed := time.process_time() - began) < seconds:
        work()
        count += 1
    return count / passed


def compare(ours: tuple[str, Callable[[], object]], other: tuple[str, Callable[[], object]], seconds: float) -> float:
    """Let both take turns; print the medians, return that of the ratios."""
    contestants = (ours, other)
    for _, work in contestants:
        work()
    rates: dict[str, list[float]] = {name: [] for name, _ in contestants}
    for _ in range(ROUNDS):
        for name, work in contestants:
            rates[name].append(rate(work, seconds))
    for name, found in rates.items():
        print(f"{name} {statistics.median(found):.0f}/s")
    return statistics.median(mine / theirs for mine, theirs in zip(rates[ours[0]], rates[other[0]], strict=True))


def main(seconds: float = 0.05) -> int:
    """Print the rows."""
    contest = Contest()
    for bits in (2048, 3072):
        raw = (f"raw RSA {bits}", contest.raw(bits))
        ratio = compare((f"card built, signed and wrapped, {bits}", contest.build(bits)), raw, seconds)
        print(f"ratio: ID card signed, {bits}, over raw RSA | {ratio:.2f} | >= 0.85")
    raw = ("raw RSA 3072", contest.raw(3072))
    ratio = compare(("card verified, 2048", contest.verify), raw, seconds)
    print(f"ratio: ID card verified over raw RSA 3072 signing | {ratio:.2f} | >= 3.2")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(float(argument) for argument in sys.argv[1:2])))
