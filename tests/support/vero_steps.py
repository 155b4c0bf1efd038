"""A program that enrols, or renews, at a service on this machine; then it is killed.

Usage: python -m support.vero_steps WISH.json, where WISH holds what `main` reads. What it was promised to be durable it
says aloud, in one write to the standard output.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from govfile import KeyStore
from govfile.certificates.trust import Trust
from govfile.filing.patience import Patience
from govfile.vero import CertificateService, Environment


def main(wish: dict[str, str]) -> None:
    """Enrol with the codes of the wish, or renew where it has none."""
    environment = Environment(
        name="test",
        element="TEST",
        url=wish["url"],
        answer_signers=Trust.only(wish["signers"].encode()),
        issuers=Trust.only(wish["issuers"].encode()),
        tls=Trust.only(wish["tls"].encode()),
        patience=Patience(first=timedelta(), usual=timedelta(milliseconds=20), give_up=timedelta(seconds=60)),
    )
    key = load_pem_private_key(wish["key"].encode(), None)
    with CertificateService(environment, KeyStore(wish["store"], None)) as service:
        if wish["transfer_id"]:
            service.enrol(
                wish["customer"],
                transfer_id=wish["transfer_id"],
                transfer_password=wish["transfer_password"],
                key=key,  # type: ignore[arg-type]
            )
        else:
            service.renew(wish["customer"], key=key)  # type: ignore[arg-type]
    os.write(1, b"in use\n")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))
