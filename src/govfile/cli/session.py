"""One run of one command: its options, its output, and the things a profile names, made when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from govfile.cli.config import load
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from govfile.certificates.credential import Credential
    from govfile.certificates.secret import Secret
    from govfile.cli.config import Profile
    from govfile.cli.output import Output
    from govfile.filing.ledger import Ledger
    from govfile.skat.environments import Environment


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
        """The gateway the profile means."""
        from govfile.cli import environment

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
