"""The one-time codes of an enrolment: from a file, standard input, the environment, or a person."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import typer

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from govfile.certificates.secret import Secret
    from govfile.cli.output import Output

_LARGEST = 4096


@attrs.frozen(kw_only=True)
class Given:
    """What the command line says about where the codes are. Only the transfer id may stand in it."""

    codes: Path | None
    transfer_id: str | None
    transfer_id_env: str | None
    transfer_id_file: Path | None
    password_env: str | None
    password_file: Path | None

    def secrets(self, out: Output) -> tuple[Secret, Secret]:
        """Transfer id and password; a person is asked for what is not given.

        Raises `ConfigurationError` when one is missing and nobody can be asked, or when one is given twice.
        """
        self._check_once()
        if self.codes is not None:
            return _both(self.codes)
        if self.transfer_id is not None:
            out.note(
                "govfile: note: the transfer id stands in the process list and in the shell's history; "
                "--codes, --transfer-id-file or a prompt keep it out"
            )
        # everything that can fail first, so that nobody is asked in vain
        found = (
            _one(self.transfer_id, self.transfer_id_env, self.transfer_id_file),
            _one(None, self.password_env, self.password_file),
        )
        return found[0] or _asked("Transfer id"), found[1] or _asked("Transfer password")

    def _check_once(self) -> None:
        ids = (self.transfer_id, self.transfer_id_env, self.transfer_id_file)
        passwords = (self.password_env, self.password_file)
        given = [sum(part is not None for part in parts) for parts in (ids, passwords)]
        if max(given) > 1 or (self.codes is not None and any(given)):
            raise ConfigurationError("a transfer code is given in two ways", advice="give each once")


def _both(path: Path) -> tuple[Secret, Secret]:
    """Both codes from one file, or from standard input (`-`): the transfer id, then the password."""
    from govfile.certificates.secret import Secret

    where = "standard input" if path == Path("-") else f"the file {path}"
    try:
        if path == Path("-"):
            data = sys.stdin.read(_LARGEST + 1)
        else:
            with path.open(encoding="utf-8-sig") as stream:
                data = stream.read(_LARGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the transfer codes cannot be read from {where}: {type(error).__name__}") from None
    words = data.split()
    if len(data) > _LARGEST or len(words) != 2:
        raise ConfigurationError(
            f"{where} does not hold a transfer id and a transfer password", advice="these two alone, in this order"
        )
    return Secret(words[0]), Secret(words[1])


def _one(text: str | None, env: str | None, file: Path | None) -> Secret | None:
    from govfile.certificates.secret import Secret

    if text is not None:
        return Secret(text)
    if env is not None:
        return Secret.from_env(env)
    return Secret.from_file(file) if file is not None else None


def _asked(what: str) -> Secret:
    from govfile.certificates.secret import Secret

    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"the {what.lower()} is missing, and nobody is there to be asked",
            certain="nothing was sent",
            advice="give --codes FILE, or --codes - for standard input",
        )
    return Secret(str(typer.prompt(what, hide_input=True, err=True)).strip())
