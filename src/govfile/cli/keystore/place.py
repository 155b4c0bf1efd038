"""The key store a profile names, and slots by what people call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.cli.escape import printable
from govfile.errors import ConfigurationError, KeyStoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.certificates.keystore import KeyStore, SlotId
    from govfile.certificates.secret import Secret
    from govfile.cli.config import Profile


def open_keys(profile: Profile, *, create: bool) -> KeyStore:
    """Open it; with `create`, it need not be there yet. Raises `ConfigurationError` or `KeyStoreError`."""
    from govfile.certificates.keystore import KeyStore

    folder = profile.places.path(profile.table, "keys")
    if folder is None:
        raise ConfigurationError(
            f"{profile.table.where}: keys is missing",
            advice='e.g. keys = "keys" with keys_passphrase = {env = "KEYS_PASSPHRASE"}',
        )
    if not create and not folder.exists():
        raise KeyStoreError(
            f"there is no key store {folder}",
            certain="nothing was changed",
            advice="the first `govfile vero enrol` or `govfile keys import` makes it; check the path if there was one",
        )
    return KeyStore(folder, passphrase(profile))


def passphrase(profile: Profile) -> Secret | None:
    """What encrypts the keys; None where the profile says `keys_passphrase = false`."""
    given = profile.table.values.get("keys_passphrase")
    if given is False:
        return None
    found = profile.places.secret(profile.table, "keys_passphrase")
    if found is None:
        raise ConfigurationError(
            f"{profile.table.where}: keys_passphrase is missing",
            advice='e.g. keys_passphrase = {env = "KEYS_PASSPHRASE"}; false keeps the keys in clear text',
        )
    return found.resolve()


def find_slot(store: KeyStore, which: str) -> SlotId:
    """The one slot that is called so: authority/environment/holder, or its holder alone.

    Raises `ConfigurationError` when there is none, or several holders of that name.
    """
    found = [slot for slot in store.slots() if which in (str(slot), slot.holder)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f"{len(found)} slots have the holder {printable(which)}", advice=f"give one in full: {_named(found)}"
        )
    raise ConfigurationError(
        f"the key store {store.path} holds nothing for {printable(which)}", advice="govfile keys list"
    )


def _named(slots: Iterable[SlotId]) -> str:
    return ", ".join(printable(slot) for slot in slots)
