"""`govfile.toml`: profiles, with secrets by reference only.

The file decides which server gets the password and which code (a token's module) is loaded. So it is read only where
named or from the working folder, it must not be writable for everyone, and a path in it means what is written: relative
to the file's own folder, without `~` or `$NAME`, unless the file itself says `expand = true`.
"""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from govfile.cli.checked import Table
from govfile.cli.escape import printable
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from govfile.certificates.secret import Secret

FILE_NAME = "govfile.toml"

TOP_KEYS = frozenset({"expand", "profiles"})
COMMON_KEYS = frozenset(
    {"authority", "environment", "credential", "passphrase", "ledger", "into", "keys", "keys_passphrase"}
)
#: Authority → what only its profiles hold. A profile without `authority` is one for the first.
OWN_KEYS = {
    "skat": frozenset({"password", "username", "services"}),
    "onss": frozenset({"sender", "user", "ssh_key", "ssh_passphrase", "channel_created_at", "trust"}),
    "vero": frozenset({"customer", "customer_name", "after_renewal"}),
    "sosi": frozenset({"card", "tokens", "tokens_key"}),
}


@attrs.frozen(kw_only=True)
class SecretRef:
    """Where a secret is, not the secret: an environment variable, a file, or the system's keyring."""

    env: str | None = None
    file: Path | None = None
    keyring: tuple[str, str] | None = None

    def resolve(self) -> Secret:
        """The secret itself; raises `ConfigurationError` when it is not there."""
        from govfile.certificates.secret import Secret

        if self.env is not None:
            return Secret.from_env(self.env)
        if self.file is not None:
            return Secret.from_file(self.file)
        assert self.keyring is not None
        return Secret.from_keyring(*self.keyring)

    def __str__(self) -> str:
        if self.env is not None:
            return f"environment variable {self.env}"
        return f"file {self.file}" if self.file is not None else f"keyring entry {self.keyring}"


@attrs.frozen(kw_only=True)
class Places:
    """How paths in one file are read."""

    folder: Path
    expand: bool | None

    def path(self, table: Table, key: str) -> Path | None:
        """The path under `key`, absolute; raises `ConfigurationError` for `~` or `$` where nothing was decided."""
        text = table.get(key, str)
        if text is None:
            return None
        if self.expand:
            text = os.path.expandvars(Path(text).expanduser())
        elif self.expand is None and (text.startswith("~") or "$" in text):
            raise ConfigurationError(
                f"{table.where}: {key} holds ~ or $, which are not expanded",
                advice="write the path out, or put expand = true (or false, to mean it as written) at the top",
            )
        if not text or "\0" in text:
            raise ConfigurationError(f"{table.where}: {key} is no path", advice="write the path of a file or folder")
        return Path(os.path.normpath(self.folder / text))

    def secret(self, table: Table, key: str) -> SecretRef | None:
        """The reference under `key`; raises `ConfigurationError` for a secret in plain text, without repeating it."""
        value = table.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict) or len(value) != 1:
            raise ConfigurationError(
                f"{table.where}: {key} must be a reference; secrets do not belong in this file",
                advice=f'{key} = {{env = "NAME"}}, {{file = "path"}} or {{keyring = ["service", "user"]}}; '
                "if the secret itself was written here, take it out and have it changed",
            )
        inner = table.table(key)
        inner.allow({"env", "file", "keyring"})
        return SecretRef(env=inner.get("env", str), file=self.path(inner, "file"), keyring=inner.pair("keyring", str))


@attrs.frozen(kw_only=True)
class Profile:
    """One `[profiles.NAME]` as written, checked key by key; `table` and `places` serve what is built from it."""

    name: str
    authority: str
    file: Path
    table: Table
    places: Places

    def require(self, authority: str) -> None:
        """Raise `ConfigurationError` when the profile is one for another authority."""
        if self.authority != authority:
            raise ConfigurationError(
                f"{self.table.where} is for {self.authority}, and this command is for {authority}",
                advice=f"give --profile with one that says authority = {authority!r}".replace("'", '"'),
            )


def load(config: Path | None, name: str | None) -> Profile:
    """The profile `name` of the file `config` (or of `govfile.toml` in the working folder).

    Without a name: the profile called `default`, or the only one. Raises `ConfigurationError`.
    """
    file = (config or Path(FILE_NAME)).absolute()
    top = Table(file.name, _read(file, named=config is not None))
    top.allow(TOP_KEYS)
    places = Places(folder=file.parent, expand=top.get("expand", bool))
    profiles = top.table("profiles")
    chosen = _choose(profiles, name)
    table = Table(f"{file.name} [profiles.{printable(chosen)}]", profiles.need(chosen, dict))
    authority = table.choice("authority", {name: name for name in OWN_KEYS}) or next(iter(OWN_KEYS))
    table.allow(COMMON_KEYS | OWN_KEYS[authority])
    return Profile(name=chosen, authority=authority, file=file, table=table, places=places)


def _choose(profiles: Table, name: str | None) -> str:
    known = ", ".join(map(printable, profiles.values)) or "none"
    if name is not None:
        if name not in profiles.values:
            raise ConfigurationError(f"there is no profile {printable(name)}", advice=f"profiles in the file: {known}")
        return name
    if "default" in profiles.values:
        return "default"
    if len(profiles.values) == 1:
        return next(iter(profiles.values))
    raise ConfigurationError(
        f"no profile was chosen (profiles in the file: {known})", advice="give --profile NAME, or call one default"
    )


def _read(file: Path, *, named: bool) -> Mapping[str, Any]:
    try:
        with file.open("rb") as reader:
            _trust(file, os.fstat(reader.fileno()), named=named)
            return tomllib.load(reader)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no configuration file {file}",
            advice="give --config PATH, or write one; the reference shows its keys",
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"the configuration file {file} cannot be read: {error.strerror}", advice="check its path, owner and mode"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"the configuration file {file} is not UTF-8 text", advice="save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        place = str(error).rpartition("(")[2].removesuffix(")")
        # Without the cause: newer Pythons keep the whole text in it, and with it perhaps a secret.
        raise ConfigurationError(
            f"the configuration file {file} is not TOML: mistake {place}",
            advice="correct it there; texts stand in quotes",
        ) from None


def _trust(file: Path, found: os.stat_result, *, named: bool) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise ConfigurationError(f"the configuration file {file} is a folder", advice=f"--config {file / FILE_NAME}")
    if os.name != "posix":
        return
    if found.st_mode & stat.S_IWOTH:
        raise ConfigurationError(
            f"everyone may write to the configuration file {file}",
            advice=f"chmod o-w {file}: it decides which server gets the password",
        )
    if not named and found.st_uid not in (0, os.getuid()):
        raise ConfigurationError(
            f"the configuration file {file} belongs to another user",
            advice=f"if you trust it, name it: --config {file}",
        )
