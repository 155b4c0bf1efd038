"""`KeyStore`: what is in use, what was, and what waits for its certificate."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from govfile.certificates._files import utf8
from govfile.certificates.credential import Credential
from govfile.certificates.keystore import files
from govfile.certificates.keystore.keys import Keys
from govfile.certificates.keystore.locks import Locks
from govfile.certificates.keystore.pointer import About, Pointer
from govfile.certificates.keystore.shelf import Shelf, pem
from govfile.certificates.keystore.slots import Finding, Generation, Pending, SlotId
from govfile.certificates.keystore.upkeep import clear_drafts, inspect, mend, shelves
from govfile.certificates.request import key_of_request, make_request, new_key
from govfile.certificates.signer import SoftwareSigner
from govfile.errors import ConfigurationError, CredentialError, KeyStoreError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from cryptography import x509

    from govfile.certificates.keystore.checks import Expected
    from govfile.certificates.secret import Secret
    from govfile.certificates.signer import PrivateKey

_log = logging.getLogger("govfile.certificates")


def _now() -> datetime:
    return datetime.now(UTC)


class KeyStore:
    """Keys and certificates in a folder, so kept that a renewal never loses one.

    `path` is the folder; it is made, with mode 0700, when the first key is written. `passphrase` encrypts the keys;
    None keeps them in the clear and must be said. `clock` gives the time (aware). `patience` is how long, in seconds,
    a call waits for a slot another process works on.

    Each slot (authority, environment, holder) has numbered generations; one is current. A key and its request are on
    the disk before `begin` returns, and `complete` changes what is current in one step, after the certificate has
    passed every check. Whatever the moment of a crash, the credential that was in use is still there. Threads and
    processes may share a store; the folder must be on a file system with locks.

    Every method raises `KeyStoreError` when files cannot be read or written, `KeyStoreTooNew` when a newer version
    wrote them; those that change something raise `KeyStoreBusy` after the patience.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        passphrase: Secret | None,
        *,
        clock: Callable[[], datetime] = _now,
        patience: float = 30.0,
    ) -> None:
        self.path = Path(path)
        self._clock = clock
        self._keys = Keys(self.path, passphrase)
        self._locks = Locks(patience)
        if files.exists(self.path):
            files.check_folder(self.path)
        self._keys.check_version()

    # --- looking ------------------------------------------------------------------------------------------------

    def slots(self) -> tuple[SlotId, ...]:
        """The slots that hold something, in order. Folders that nobody can tell whose they are: see `strays`."""
        return tuple(sorted(shelf.slot for shelf in shelves(self.path) if isinstance(shelf, Shelf)))

    def strays(self) -> list[Finding]:
        """Folders in the store that are no slots: renamed, damaged throughout, or written by a newer version."""
        return [found for found in shelves(self.path) if isinstance(found, Finding)]

    def current(self, slot: SlotId) -> Generation | None:
        """The generation in use, None where there is none yet. No key is opened, and the dates are not checked."""
        shelf = self._shelf(slot)
        number = shelf.pointer().current
        return None if number is None else shelf.generation(number, is_current=True)

    def generations(self, slot: SlotId) -> tuple[Generation, ...]:
        """All that have a certificate, the oldest first: those replaced stay usable until their own last day."""
        shelf = self._shelf(slot)
        current = shelf.pointer().current
        complete = [number for number in shelf.numbers() if shelf.is_complete(number)]
        return tuple(shelf.generation(number, is_current=number == current) for number in complete)

    def notes(self, slot: SlotId, number: int) -> Mapping[str, str]:
        """What was noted beside a generation while it was pending; it stays when the certificate is there."""
        return self._shelf(slot).about(number).notes

    def pending(self, slot: SlotId) -> Pending | None:
        """The key and request that wait for a certificate, None where nothing does."""
        shelf = self._shelf(slot)
        number = shelf.pointer().pending
        return None if number is None else shelf.pending(number)

    def credential(
        self, slot: SlotId, number: int | None = None, *, at: datetime | None = None, allow_expired: bool = False
    ) -> Credential:
        """The credential in use, or that of generation `number`, ready to sign; its key is opened.

        `at` (now by the store's clock, if left out) and `allow_expired` are those of `Credential.from_pem`. Raises
        `CredentialError` when there is none, the passphrase is wrong, the key does not fit, or it has expired.
        """
        shelf = self._shelf(slot)
        wanted = shelf.pointer().current if number is None else number
        if wanted is None or not shelf.is_complete(wanted):
            which = "credential" if number is None else f"generation {number}"
            raise CredentialError(
                f"the key store {self.path} has no {which} for {slot}", advice="enrol, or put one in with adopt()"
            )
        found = shelf.generation(wanted)
        signer = SoftwareSigner(self._keys.open(found.key_file))
        return self._credential(found, signer, at or self._clock(), allow_expired=allow_expired)

    def export_pkcs12(self, slot: SlotId, passphrase: Secret, number: int | None = None) -> bytes:
        """The credential in use, or that of generation `number`, as a PKCS#12 file under `passphrase`."""
        secret = utf8(passphrase)
        if not secret:
            raise ConfigurationError(
                "a PKCS#12 file needs a passphrase of its own", advice="give one that is not empty"
            )
        found = self.credential(slot, number, allow_expired=True)
        return pkcs12.serialize_key_and_certificates(
            str(slot).encode(), found.private_key, found.certificate, found.chain, BestAvailableEncryption(secret)
        )

    # --- renewing -----------------------------------------------------------------------------------------------

    def locked(self, slot: SlotId) -> AbstractContextManager[None]:
        """Keep other processes and threads from changing the slot during the block; raises `KeyStoreBusy`.

        The system ends the lock with the process that holds it, and not before.
        """
        shelf = self._shelf(slot)
        self._make_root()
        files.make_folder(shelf.folder)
        return self._locks.hold(shelf.lock)

    def begin(self, slot: SlotId, subject: x509.Name, *, key: PrivateKey | None = None, bits: int = 2048) -> Pending:
        """A new key (RSA of `bits`; or `key`, where the authority prescribes one) and its request, on the disk.

        When one is pending already, that one comes back: it is to be used up (`finish`, `complete`) or given up
        (`abandon`) first.
        """
        with self.locked(slot):
            waiting = self.pending(slot)
            if waiting is not None:
                return waiting
            own = key or new_key(bits)
            shelf = self._shelf(slot)
            was = shelf.pointer()
            number = shelf.add(
                {
                    "key.pem": self._keys.dump(own),
                    "request.der": make_request(own, subject),
                    "about.json": self._about(slot).dump(),
                }
            )
            attrs.evolve(was, pending=number).save(shelf.pointer_file)
            _log.info("generation %d of %s is pending", number, slot)
            return shelf.pending(number)

    def note(self, pending: Pending, **notes: str) -> Pending:
        """Write down, beside the pending request, what a later process must know; durable when this returns.

        Notes with the same name are replaced, the others stay. Never a secret: notes are not encrypted.
        """
        with self.locked(pending.slot):
            shelf = self._waiting(pending)
            about = shelf.about(pending.number)
            shelf.save_about(pending.number, attrs.evolve(about, notes={**about.notes, **notes}))
            return shelf.pending(pending.number)

    def abandon(self, pending: Pending, reason: str) -> None:
        """Give the pending request up, for a `reason` that is kept; its key stays on the disk, out of use."""
        with self.locked(pending.slot):
            shelf = self._waiting(pending)
            about = shelf.about(pending.number)
            shelf.save_about(pending.number, attrs.evolve(about, abandoned=reason or "given up"))
            attrs.evolve(shelf.pointer(), pending=None).save(shelf.pointer_file)
            _log.info("generation %d of %s was given up", pending.number, pending.slot)

    def complete(
        self,
        pending: Pending,
        certificate: x509.Certificate,
        chain: Sequence[x509.Certificate] = (),
        *,
        expected: Expected,
        force: bool = False,
        at: datetime | None = None,
    ) -> Credential:
        """Put the certificate that came in use, after all checks of `expected` at `at` (aware; now by the store's
        clock, if left out); the credential.

        The one before stays as a generation. One that would expire earlier than it is refused unless `force`. Called
        again with the same certificate, as after a crash, it returns the same. Raises `CredentialError` and
        `TrustError` for a certificate that must not be used; nothing has changed then.
        """
        with self.locked(pending.slot):
            shelf = self._shelf(pending.slot)
            was = shelf.pointer()
            if was.pending != pending.number and not self._is_in_use(shelf, was, pending, certificate):
                raise self._gone(pending)
            key = self._keys.open(shelf.place(pending.number) / "key.pem")
            if key.public_key() != key_of_request(shelf.pending(pending.number).request):
                raise KeyStoreError(f"key and request in {shelf.place(pending.number)} do not belong together")
            at = at or self._clock()
            expected.check(certificate, tuple(chain), key.public_key(), at)
            if was.pending == pending.number:
                self._check_is_later(shelf, was, certificate, force=force)
                shelf.add_certificate(pending.number, certificate, chain)
                Pointer(slot=pending.slot, current=pending.number).save(shelf.pointer_file)
                _log.info("generation %d of %s is in use", pending.number, pending.slot)
            found = shelf.generation(pending.number)
            return self._credential(found, SoftwareSigner(key), max(at, certificate.not_valid_before_utc))

    def finish(self, slot: SlotId) -> Credential | None:
        """Make the switch that a crash cut short; None where there is nothing to finish.

        The answer is on the disk only when it has passed all checks of `complete`, so that nobody need be asked for
        it again. Raises `CredentialError` when it does not fit its key after all.
        """
        waiting = self.pending(slot)
        if waiting is None or not waiting.is_answered:
            return None
        with self.locked(slot):
            shelf = self._waiting(waiting)
            found = shelf.generation(waiting.number)
            credential = self.credential(slot, waiting.number, allow_expired=True)
            self._check_is_later(shelf, shelf.pointer(), found.certificate, force=False)
            Pointer(slot=slot, current=waiting.number).save(shelf.pointer_file)
            _log.info("generation %d of %s is in use, after a crash", waiting.number, slot)
            return credential

    def adopt(self, slot: SlotId, credential: Credential, *, force: bool = False) -> Generation:
        """Put a credential that came another way in use, key included; the same one twice is one generation.

        Raises `CredentialError` for a key that lives in a token, and for a certificate that expires earlier than the
        one in use, unless `force`.
        """
        key = credential.private_key
        with self.locked(slot):
            shelf = self._shelf(slot)
            was = shelf.pointer()
            for found in self.generations(slot):
                if found.is_current and found.certificate == credential.certificate:
                    return found
            self._check_is_later(shelf, was, credential.certificate, force=force)
            number = shelf.add(
                {
                    "key.pem": self._keys.dump(key),
                    "about.json": self._about(slot).dump(),
                    "chain.pem": pem(*credential.chain),
                    "certificate.pem": pem(credential.certificate),
                }
            )
            attrs.evolve(was, current=number).save(shelf.pointer_file)
            _log.info("generation %d of %s was adopted", number, slot)
            return shelf.generation(number, is_current=True)

    # --- keeping house ------------------------------------------------------------------------------------------

    def verify(self, *, keys: bool = True) -> list[Finding]:
        """What is not as it should be; empty when all is sound. Changes nothing.

        With `keys` every key is opened under the passphrase and held against its certificate (some milliseconds each).
        """
        return inspect(self.path, self._keys if keys else None)

    def repair(self) -> list[Finding]:
        """Mend what can be mended without losing anything, and say what was done.

        Unfinished files go, modes are set right, a pointer that is lost or damaged is found out anew, and what is
        current moves forward, never back, to a sound certificate that expires later.
        """
        self._make_root()
        with self._locks.hold(self.path / "lock"):
            done = clear_drafts(self.path, None)
        return done + mend(self.path, self._keys, self.locked)

    # --- inside -------------------------------------------------------------------------------------------------

    @staticmethod
    def _credential(
        found: Generation, signer: SoftwareSigner, at: datetime, *, allow_expired: bool = False
    ) -> Credential:
        """A key that was opened, with the certificate as it is on the disk."""
        return Credential.from_signer(signer, found.certificate, found.chain, at=at, allow_expired=allow_expired)

    def _make_root(self) -> None:
        files.make_folder(self.path)
        files.check_folder(self.path)
        with self._locks.hold(self.path / "lock"):
            self._keys.prove()

    def _shelf(self, slot: SlotId) -> Shelf:
        return Shelf(slot, self.path / slot.folder)

    def _about(self, slot: SlotId) -> About:
        return About(slot=slot, created=self._clock().astimezone(UTC).isoformat())

    def _waiting(self, pending: Pending) -> Shelf:
        shelf = self._shelf(pending.slot)
        if shelf.pointer().pending != pending.number:
            raise self._gone(pending)
        return shelf

    @staticmethod
    def _gone(pending: Pending) -> KeyStoreError:
        return KeyStoreError(
            f"generation {pending.number} of {pending.slot} is not pending any more",
            certain="nothing was changed",
            advice="ask pending() and current() again; another process has been at work",
        )

    @staticmethod
    def _is_in_use(shelf: Shelf, was: Pointer, pending: Pending, certificate: x509.Certificate) -> bool:
        return was.current == pending.number and shelf.generation(pending.number).certificate == certificate

    @staticmethod
    def _check_is_later(shelf: Shelf, was: Pointer, certificate: x509.Certificate, *, force: bool) -> None:
        if was.current is None or force:
            return
        current = shelf.generation(was.current)
        if certificate.not_valid_after_utc < current.expires:
            raise CredentialError(
                f"the certificate (until {certificate.not_valid_after_utc:%Y-%m-%d}) expires before the one in use "
                f"(until {current.expires:%Y-%m-%d})",
                certain="the one in use stays in use",
                advice="keep the later one; force=True where the earlier one is really meant",
            )
