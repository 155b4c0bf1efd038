"""A throw-away key store, an authority that issues what is asked, and an authority's part for the `Renewer`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from govfile import Credential, Secret
from govfile.certificates.keystore import Expected, KeyStore, SlotId
from govfile.certificates.renewal import RenewalWindow
from govfile.certificates.trust import Trust
from support.pki import Authority, ec_key, plain

if TYPE_CHECKING:
    from pathlib import Path

    from govfile.certificates.keystore import Generation, Pending

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
HOLDER = "0123456-7"
SLOT = SlotId("vero", "TEST", HOLDER)
PASSPHRASE = "the 1 passphrase of the store"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@cache
def authority() -> Authority:
    """Who issues; valid for decades around `NOON`."""
    return Authority.create(
        plain("Test Issuing CA v1"), key=ec_key(0), not_before=NOON - 10 * YEAR, not_after=NOON + 30 * YEAR
    )


def expected(**changes: Any) -> Expected:
    """What a certificate of `SLOT` must be."""
    trust = Trust.only(authority().pem)
    return Expected(**{"trust": trust, "common_name": HOLDER, "issuer": "Test Issuing CA v1", **changes})


def fresh_key() -> ec.EllipticCurvePrivateKey:
    """A key that is made at once."""
    return ec.generate_private_key(ec.SECP256R1())


def open_store(folder: Path, clock: Any = None, passphrase: str | None = PASSPHRASE, **options: Any) -> KeyStore:
    """The store in a folder."""
    secret = None if passphrase is None else Secret(passphrase)
    return KeyStore(folder, secret, clock=clock or Clock(), **options)


def answer(
    pending: Pending, *, common_name: str = HOLDER, by: Authority | None = None, **dates: Any
) -> x509.Certificate:
    """The certificate for a pending request, two years from `NOON` unless said otherwise."""
    public = x509.load_der_x509_csr(pending.request).public_key()
    dates = {"not_before": NOON, "not_after": NOON + 2 * YEAR, **dates}
    return issue(public, common_name, by or authority(), **dates)


def issue(
    public: Any, common_name: str, by: Authority, *, not_before: datetime, not_after: datetime, ca: bool = False
) -> x509.Certificate:
    """A certificate for any public key."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(plain(common_name))
        .issuer_name(by.identity.certificate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    return builder.sign(by.identity.key, SHA256())


def begin(store: KeyStore, slot: SlotId = SLOT) -> Pending:
    """A pending generation with a quick key."""
    return store.begin(slot, plain(slot.holder), key=fresh_key())


def enrolled(store: KeyStore, slot: SlotId = SLOT, **dates: Any) -> Credential:
    """Put a credential of `slot` in use."""
    pending = begin(store, slot)
    certificate = answer(pending, common_name=slot.holder, **dates)
    return store.complete(pending, certificate, expected=expected(common_name=slot.holder))


class FakeAuthority:
    """Renews in the last 60 days; each call can be made to fail, or to make the caller wait.

    `pauses` come before the looks of one run.
    """

    def __init__(self, store: KeyStore, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.asked: list[SlotId] = []
        self.looked: list[SlotId] = []
        self.failing: dict[SlotId, Exception] = {}
        self.silent: dict[SlotId, Exception] = {}
        self.pauses = [timedelta()]
        self.is_slow = False
        self.time: datetime | None = None

    def window(self, slot: SlotId, current: Generation, at: datetime) -> RenewalWindow:
        return RenewalWindow.before_expiry(current.expires, at=at)

    def ask(self, slot: SlotId, pending: Pending | None) -> None:
        if slot in self.failing:
            raise self.failing[slot]
        if pending is None:
            self.asked.append(slot)
            begin(self.store, slot)

    def pause(self, pending: Pending, looks: int, waited: timedelta) -> timedelta | None:
        assert pending.slot not in self.failing
        return self.pauses[looks] if looks < len(self.pauses) else None

    def look(self, slot: SlotId, pending: Pending) -> Credential | None:
        self.looked.append(slot)
        if slot in self.silent:
            raise self.silent[slot]
        if self.is_slow:
            return None
        now = self.clock()
        certificate = answer(pending, common_name=slot.holder, not_before=now, not_after=now + 2 * YEAR)
        return self.store.complete(pending, certificate, expected=expected(common_name=slot.holder))

    def server_time(self) -> datetime | None:
        return self.time
