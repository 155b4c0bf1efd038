"""A program that renews as far as the key store goes: key and request, a note, the switch; then it is killed.

Usage: python -m support.keystore_steps STORE CA
CA holds the key and the certificate that answer, PEM. It goes on with what a run before it left, and says aloud, in
one write to the standard output, what it was promised to be durable.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from govfile.certificates.trust import Trust
from support.keystores import HOLDER, NOON, SLOT, YEAR, Clock, answer, begin, expected, open_store
from support.pki import Authority, Identity

DUE = NOON + 2 * YEAR - timedelta(days=30)


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def main(place: Path, ca: bytes) -> None:
    say("begun")
    store = open_store(place, Clock(DUE))
    store.finish(SLOT)
    current = store.current(SLOT)
    if current is not None and current.expires > DUE + YEAR:
        say("nothing to do")
        return
    pending = begin(store)
    say(f"pending {pending.number}")
    store.note(pending, sent="yes")
    say("noted")
    key = load_pem_private_key(ca, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    issuer = Authority(identity=Identity(key=key, certificate=x509.load_pem_x509_certificate(ca)))
    certificate = answer(pending, common_name=HOLDER, by=issuer, not_before=DUE, not_after=DUE + 2 * YEAR)
    store.complete(pending, certificate, expected=expected(trust=Trust.only(issuer.pem)))
    say("in use")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes())
