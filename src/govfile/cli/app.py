"""The command tree's root. Groups are loaded when they are used, so that `govfile --help` stays quick."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from govfile.cli import demo, exits

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Group → the module that declares it as `app`, and its line in the help.
GROUPS: dict[str, tuple[str, str]] = {
    "skat": ("govfile.cli.skat", "The Danish tax and customs FTPS gateway: file, collect, follow."),
    "onss": ("govfile.cli.onss", "The Belgian social-security channel: declare, collect, follow."),
    "vero": ("govfile.cli.vero", "The Finnish certificate service: enrol, renew, fetch, and try a certificate."),
    "keys": ("govfile.cli.keystore", "Keys at rest: what there is, until when, and whether it is sound."),
    "sosi": ("govfile.cli.sosi", "The Danish healthcare token service: sign, exchange, verify and show ID cards."),
    "ledger": ("govfile.cli.ledger", "The durable record of everything filed."),
    "cert": ("govfile.cli.cert", "Certificates: what one says, and its public half for registration."),
    "doctor": ("govfile.cli.doctor", "Check a set-up step by step; each finding comes with its remedy."),
    "sandbox": ("govfile.cli.sandbox", "An authority on this machine, to try things out."),
}

_HELP = "File documents with public authorities exactly once, and say truthfully what became of them."


class _Later(TyperGroup):
    """A group that is loaded when it is first used."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(
            name=name, help=summary, short_help=summary, no_args_is_help=True, invoke_without_command=False,
            rich_markup_mode=None,
        )  # fmt: skip
        self._module = module
        self._loaded = False

    def _load(self) -> None:
        if not self._loaded:
            declared: Any = get_group(importlib.import_module(self._module).app)
            self.commands = declared.commands
            self._loaded = True

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of its commands."""
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One of its commands, None for a name it does not have."""
        self._load()
        return super().get_command(ctx, cmd_name)


def _version(wanted: bool) -> None:
    if wanted:
        from govfile import __version__

        typer.echo(f"govfile {__version__}")
        raise typer.Exit


def build() -> Any:
    """The whole command tree, as a click-like group: call it with `main(args, prog_name=…)`."""
    app = typer.Typer(name="govfile", help=_HELP, epilog=exits.epilog(), rich_markup_mode=None, no_args_is_help=True)

    @app.callback()
    def root(
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
        ] = False,
    ) -> None:
        """Only --version and completion live here."""

    demo.declare(app)

    tree: Any = get_command(app)
    for name, (module, summary) in GROUPS.items():
        tree.add_command(_Later(name, module, summary))
    return tree


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (`sys.argv` by default) and return its exit code."""
    try:
        build().main(args=None if arguments is None else list(arguments), prog_name="govfile")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0
