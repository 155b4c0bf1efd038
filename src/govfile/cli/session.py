"""One run of one command: its options, its output, and the things a profile names, made when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from govfile.cli.config import load
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from govfile.certificates.credential import Credential
    from govfile.certificates.keystore import KeyStore
    from govfile.certificates.secret import Secret
    from govfile.certificates.ssh import SshKey
    from govfile.certificates.trust import Trust
    from govfile.cli.config import Profile
    from govfile.cli.output import Output
    from govfile.filing.ledger import Ledger
    from govfile.onss.environments import Environment as OnssEnvironment
    from govfile.skat.environments import Environment
    from govfile.sosi.environments import Environment as SosiEnvironment
    from govfile.vero.environments import Environment as VeroEnvironment


@attrs.define(kw_only=True, slots=False)
class Session:
    """What a command gets. The properties raise `ConfigurationError` or `CredentialError` when first read."""

    out: Output
    config: Path | None = None
    profile_name: str | None = None
    debug: bool = False

    @cached_property
    def profile(self) -> Profile:
        """The chosen profile of the configuration file."""
        return load(self.config, self.profile_name)

    @cached_property
    def environment(self) -> Environment:
        """The Danish gateway the profile means."""
        from govfile.cli import environment

        return environment.of(self.profile)

    @cached_property
    def onss_environment(self) -> OnssEnvironment:
        """The Belgian environment the profile means."""
        from govfile.cli.onss import environment

        return environment.of(self.profile)

    @cached_property
    def vero_environment(self) -> VeroEnvironment:
        """The Finnish environment the profile means."""
        from govfile.cli.vero import environment

        return environment.of(self.profile)

    @cached_property
    def sosi_environment(self) -> SosiEnvironment:
        """The Danish token service the profile means."""
        from govfile.cli.sosi import environment

        return environment.of(self.profile)

    @cached_property
    def password(self) -> Secret:
        """The gateway password."""
        found = self.profile.places.secret(self.profile.table, "password")
        if found is None:
            raise ConfigurationError(
                f"{self.profile.table.where}: password is missing", advice='e.g. password = {env = "SKAT_PASSWORD"}'
            )
        return found.resolve()

    @cached_property
    def credential(self) -> Credential:
        """Key and certificate, checked to be valid now."""
        from govfile.cli.keys import load_credential

        return load_credential(self.profile)

    @cached_property
    def signer(self) -> Credential | None:
        """The credential that signs declarations, checked to be valid now; None where the profile has none."""
        return self.credential if "credential" in self.profile.table.values else None

    @cached_property
    def ssh_key(self) -> SshKey:
        """The key an SFTP login is made with."""
        from govfile.cli.keys import load_ssh_key

        return load_ssh_key(self.profile)

    @property
    def sender(self) -> str:
        """The sender number."""
        from govfile.onss.accounts import check_sender

        return check_sender(self.profile.table.need("sender", str))

    @property
    def user(self) -> str:
        """The technical user name."""
        return self.profile.table.need("user", str)

    @cached_property
    def trust(self) -> Trust | None:
        """The authorities that signers of answers must lead up to, None where the profile has none."""
        from govfile.certificates.trust import Trust

        file = self.profile.places.path(self.profile.table, "trust")
        return None if file is None else Trust.only(file)

    @property
    def channel_created_at(self) -> datetime | None:
        """When the channel was made or its key changed (aware), None where the profile does not say."""
        from datetime import datetime

        found = self.profile.table.get("channel_created_at", datetime)
        if found is not None and found.tzinfo is None:
            raise ConfigurationError(
                f"{self.profile.table.where}: channel_created_at has no offset from UTC",
                advice="e.g. channel_created_at = 2026-03-02T10:15:00+01:00",
            )
        return found

    @property
    def username(self) -> str | None:
        """The user name written in the profile, None where it follows from the certificate."""
        return self.profile.table.get("username", str)

    def into(self, given: Path | None) -> Path:
        """The folder for what is collected: as given, or the profile's."""
        found = given or self.profile.places.path(self.profile.table, "into")
        if found is None:
            raise ConfigurationError(
                "there is no folder for what is collected", advice='give --into FOLDER, or into = "…" in the profile'
            )
        return found

    def open_ledger(self, *, create: bool = False) -> Ledger:
        """The profile's ledger; the caller closes it. Only filing creates one, so that a slip in a path shows."""
        from govfile.cli.ledgers import open_ledger

        return open_ledger(self.profile, create=create)

    def open_keys(self, *, create: bool = False) -> KeyStore:
        """The profile's key store. Only what makes a key creates one, so that a slip in a path shows."""
        from govfile.cli.keystore.place import open_keys

        return open_keys(self.profile, create=create)
