"""Calls to Danish healthcare services: envelopes around a card that is at hand, and requests verified by the service.

    python benchmarks/sosi_services.py [SECONDS]

Writing: a new message each time, with its own id and time, around one signed card and a small body; bytes out. The
target is 50 000 a second where the bare RSA signature of 3072 bits takes its 1/1093 second: 45.7 envelopes in the time
of one. Verifying: such a request, the card with all checks, and every header read. One thread, processor time; they
take turns with the RSA signature, a twentieth of a second each (or SECONDS), 41 times; printed are medians, and the
medians of the ratios within a turn.
"""

from __future__ import annotations

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
from govfile.sosi.services.dgws import dgws_request
from govfile.sosi.services.provider import verify_request
from govfile.sosi.trust import StsTrust

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 41
CVR = "20301823"
BODY = b"<Ping xmlns='urn:example'/>"


def credential() -> Credential:
    """An employee's certificate, which vouches for itself, and its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRDK-{CVR}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Laboratory"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "UI:DK-E:G:5d1f3a0c-7f0b-4c7e-9a55-1c2d3e4f5a6b"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Example Person"),
        ]
    )
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    own = builder.not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    return Credential.from_pem(
        own.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


def rate(work: Callable[[], object], seconds: float) -> float:
    """How often a second of processor time."""
    count = 0
    began = time.process_time()
    while (passed := time.process_time() - began) < seconds:
        work()
        count += 1
    return count / passed


def compare(name: str, ours: Callable[[], object], raw: Callable[[], object], seconds: float) -> float:
    """Let both take turns; print the medians, return that of the ratios."""
    ours(), raw()
    pairs = [(rate(ours, seconds), rate(raw, seconds)) for _ in range(ROUNDS)]
    mine, theirs = (statistics.median(found) for found in zip(*pairs, strict=True))
    print(f"{name} {mine:.0f}/s, raw RSA 3072 {theirs:.0f}/s")
    return statistics.median(first / second for first, second in pairs)


def main(seconds: float = 0.05) -> int:
    """Print the rows."""
    signer = credential()
    card = cards.build(IdCard.user(it_system="Example Lab", role="7170", cpr="0101001234"), signer)
    trust = StsTrust.pinned_to(signer.certificate.public_bytes(Encoding.PEM))
    request = dgws_request(card, body=BODY)
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)

    def raw() -> bytes:
        return key.sign(request, padding.PKCS1v15(), hashes.SHA256())

    ratio = compare("DGWS envelopes", lambda: dgws_request(card, body=BODY), raw, seconds)
    print(f"ratio: DGWS envelope around a card over raw RSA 3072 signing | {ratio:.1f} | >= 45.7")
    ratio = compare("DGWS requests verified", lambda: verify_request(request, trust=trust), raw, seconds)
    print(f"ratio: DGWS request verified over raw RSA 3072 signing | {ratio:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(float(argument) for argument in sys.argv[1:2])))
