"""What a renewal of a Finnish certificate costs apart from its key, and what the SOAP part costs to start.

    python benchmarks/vero.py

A renewal here is request and signature, the key store's writes, both exchanges over TLS with the sandbox, verifying
both answers, the switch; and, since the sandbox runs in this process, its work on the other side. Keys are made
beforehand. Beside it: reading and writing the messages alone, and zeep's part of the start.
"""

from __future__ import annotations

import functools
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import rsa

from govfile import KeyStore, Secret
from govfile.certificates.request import make_request, subject_name
from govfile.certificates.signer import SignatureAlgorithm
from govfile.sandbox import VeroSandbox
from govfile.vero import CertificateService, CustomerId, messages

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 9
CUSTOMER = "0123456-7"
START = {
    "bare": "pass",
    "govfile.vero": "from govfile import vero; vero.CertificateService",
    "first message": (
        "from govfile import vero; vero.CertificateService\n"
        "from govfile.vero import messages\n"
        "messages.contract().action('getCertificate')"
    ),
    "zeep": "import zeep",
}


def milliseconds(work: Callable[[], object]) -> float:
    """Wall clock of one call."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def run(code: str) -> None:
    """Run a program in an interpreter of its own."""
    subprocess.run([sys.executable, "-c", code], check=True)


def starts() -> dict[str, float]:
    """Milliseconds over bare Python, medians of alternated runs."""
    taken: dict[str, list[float]] = {name: [] for name in START}
    for _ in range(ROUNDS):
        for name, code in START.items():
            taken[name].append(milliseconds(functools.partial(run, code)))
    bare = taken.pop("bare")
    return {
        name: statistics.median(one - other for one, other in zip(found, bare, strict=True))
        for name, found in taken.items()
    }


def renewals() -> tuple[float, float]:
    """Milliseconds of a renewal with a key at hand, and of a plain RSA signature: medians."""
    keys = [rsa.generate_private_key(65537, 2048) for _ in range(ROUNDS)]
    took, raw = [], []
    with VeroSandbox() as authority, tempfile.TemporaryDirectory() as place:
        for number, key in enumerate(keys):
            store = KeyStore(Path(place) / str(number), Secret("a passphrase for this bench"), clock=authority.clock)
            environment, clock = authority.environment, authority.clock
            with CertificateService(environment, store, clock=clock, sleep=clock.sleep) as service:
                at = clock() - timedelta(days=700)
                store.adopt(service.slot(CUSTOMER), authority.credential_for(CUSTOMER, issued=at))
                service.server_time()
                took.append(milliseconds(functools.partial(service.renew, CUSTOMER, key=key)))
            signer = authority.credential_for(CUSTOMER).signer
            raw.append(milliseconds(functools.partial(signer.sign, b"x" * 1000, SignatureAlgorithm.RSA_SHA256)))
    return statistics.median(took), statistics.median(raw)


def writing() -> tuple[float, float]:
    """Messages written and signed each second, and raw signatures by the same key: alternated."""
    with VeroSandbox() as authority:
        credential = authority.credential_for(CUSTOMER)
    request = make_request(credential.private_key, subject_name(CUSTOMER))
    customer, to = CustomerId(CUSTOMER), messages.contract()

    def write() -> object:
        return messages.renew("TEST", customer, None, request, credential, to=to)

    def sign() -> object:
        return credential.signer.sign(b"x" * 1000, SignatureAlgorithm.RSA_SHA256)

    rates: dict[str, list[float]] = {"write": [], "sign": []}
    for _ in range(ROUNDS):
        for name, work in (("write", write), ("sign", sign)):
            rates[name].append(200 / sum(milliseconds(work) / 1000 for _ in range(200)))
    return statistics.median(rates["write"]), statistics.median(rates["sign"])


def main() -> int:
    """Print the rows."""
    start = starts()
    print(f"import of govfile.vero {start['govfile.vero']:.0f} ms, zeep alone {start['zeep']:.0f} ms over bare Python")
    print(f"ratio: vero's first message over importing zeep | {start['first message'] / start['zeep']:.2f}")
    whole, raw = renewals()
    print(f"a renewal, its key at hand and the sandbox in this process: {whole:.0f} ms; one RSA signature {raw:.2f} ms")
    written, signed = writing()
    print(f"renewal messages written and signed: {written:.0f}/s; raw signatures {signed:.0f}/s")
    print(f"ratio: renewal messages over raw signatures | {written / signed:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
