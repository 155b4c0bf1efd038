"""The passphrase of a file on the command line: by reference only, since arguments show in lists of processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from govfile.certificates.secret import Secret

FromEnvOption = Annotated[
    str | None, typer.Option("--passphrase-env", metavar="NAME", help="Environment variable with FILE's passphrase.")
]
FromFileOption = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="PATH", help="File that holds FILE's passphrase.")
]


def referred(from_env: str | None, from_file: Path | None) -> Secret | None:
    """The passphrase one of the options refers to, None without; raises `ConfigurationError` when it is not there."""
    from govfile.certificates.secret import Secret

    if from_env is not None:
        return Secret.from_env(from_env)
    return Secret.from_file(from_file) if from_file is not None else None
