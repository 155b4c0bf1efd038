"""What a nightly look at a fleet costs: 1000 slots in a key store, none of them due.

    python benchmarks/keystore.py

Median of seven runs of the whole look: every slot's pointer and certificate read, its window asked for, the reminders
found. The files are warm in the page cache, as the store was made a moment before.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from govfile import Credential, KeyStore
from govfile.certificates.keystore import Generation, Pending, SlotId
from govfile.certificates.renewal import Outcome, RenewalWindow, Renewer
from govfile.certificates.request import subject_name
from govfile.certificates.signer import SoftwareSigner

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

SLOTS = 1000
ROUNDS = 7


class Watched:
    """An authority that is never asked for anything but its window."""

    def window(self, slot: SlotId, current: Generation, at: datetime) -> RenewalWindow:
        """The last 60 days, for every slot."""
        assert slot == current.slot
        return RenewalWindow.before_expiry(current.expires, at=at)

    def ask(self, slot: SlotId, pending: Pending | None) -> None:
        """Nothing is due, so this is a fault of the benchmark."""
        raise AssertionError((slot, pending))

    def pause(self, pending: Pending, looks: int, waited: timedelta) -> timedelta | None:
        """Nothing is asked for, so this is a fault of the benchmark."""
        raise AssertionError((pending, looks, waited))

    def look(self, slot: SlotId, pending: Pending) -> Credential | None:
        """Nothing is asked for, so this is a fault of the benchmark."""
        raise AssertionError((slot, pending))

    def server_time(self) -> datetime | None:
        """Nobody asks."""
        return None


def credential(key: EllipticCurvePrivateKey, holder: str) -> Credential:
    """A self-signed certificate for two years."""
    name, now = subject_name(holder), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
    return Credential.from_signer(
        SoftwareSigner(key), builder.not_valid_after(now + timedelta(days=730)).sign(key, SHA256())
    )


def measure(folder: Path) -> float:
    """Seconds for one look at all slots, the median."""
    store, key = KeyStore(folder, None), ec.generate_private_key(ec.SECP256R1())
    for number in range(SLOTS):
        holder = f"{number:07d}-0"
        store.adopt(SlotId("vero", "TEST", holder), credential(key, holder))
    renewer = Renewer(KeyStore(folder, None), {"vero": Watched()})
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        summary = renewer.run()
        taken.append(time.perf_counter() - began)
        assert [result.outcome for result in summary.results] == [Outcome.NOT_DUE] * SLOTS, str(summary)
    return statistics.median(taken)


def main() -> int:
    """Print the row."""
    with tempfile.TemporaryDirectory() as folder:
        print(f"ratio: {SLOTS} slots looked at, s | {measure(Path(folder) / 'keys'):.3f} | <= 1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
