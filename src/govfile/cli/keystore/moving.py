"""`govfile keys export`, `import`: a credential out of the key store, or into it from another tool."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.generations import generation_fields
from govfile.cli.keystore import app
from govfile.cli.keystore.looking import SlotArgument
from govfile.cli.keystore.place import find_slot
from govfile.cli.new_files import new_file
from govfile.cli.output import moment
from govfile.cli.passphrases import FromEnvOption, FromFileOption, referred
from govfile.cli.session import Session
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from govfile.certificates.credential import Credential
    from govfile.certificates.keystore import SlotId
    from govfile.certificates.secret import Secret


@command(app, "export")
def export(
    session: Session,
    which: SlotArgument,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The new PKCS#12 file.")],
    generation: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="An earlier generation; the one in use without.")
    ] = None,
    passphrase_env: FromEnvOption = None,
    passphrase_file: FromFileOption = None,
) -> Exit:
    """Write a credential, key included, as a PKCS#12 file under a passphrase of its own, for another program.

    The file is readable by its owner only, and an existing one is never overwritten. The key stays in the store too.
    """
    store = session.open_keys()
    slot = find_slot(store, which)
    secret = _passphrase(passphrase_env, passphrase_file, is_new=True)
    if secret is None:
        raise ConfigurationError(
            "a PKCS#12 file needs a passphrase", advice="give --passphrase-env NAME or --passphrase-file PATH"
        )
    content = store.export_pkcs12(slot, secret, generation)
    with new_file(out, mode=0o600) as stream:
        stream.write(content)
    session.out.say(f"written: {printable(out)}")
    session.out.record("export", path=out, format="pkcs12", slot=str(slot), generation=generation)
    return Exit.DONE


@command(app, "import")
def import_(
    session: Session,
    slot: Annotated[
        str, typer.Argument(metavar="SLOT", help="authority/environment/holder, e.g. vero/production/1234567-8.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="PKCS#12, or PEM with key and certificate.")],
    certificate: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The certificate, where it is a file of its own.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Even if it expires earlier than the one in use.")] = False,
    passphrase_env: FromEnvOption = None,
    passphrase_file: FromFileOption = None,
) -> Exit:
    """Put a credential that another tool made in use, key included. Expired ones are refused.

    The same file twice is one generation. FILE is left as it is: remove it when the other tool needs it no more.
    """
    where = _slot(slot)
    found = _read(file, certificate, passphrase_env, passphrase_file)
    name = found.subject.common_name
    if where.authority == "vero" and name != where.holder:
        session.out.note(f"govfile: note: the certificate is for {printable(name)}, not for {printable(where.holder)}")
    generation = session.open_keys(create=True).adopt(where, found, force=force)
    session.out.say(f"in use: {printable(where)} until {moment(generation.expires)} UTC")
    session.out.record("credential", what="imported", **generation_fields(generation))
    return Exit.DONE


def _slot(text: str) -> "SlotId":
    from govfile.certificates.keystore import SlotId

    parts = text.split("/", 2)
    if len(parts) != 3:
        raise ConfigurationError(
            f"{printable(text)} is no slot", advice="authority/environment/holder, e.g. vero/production/1234567-8"
        )
    return SlotId(*parts)


def _read(file: Path, certificate: Path | None, from_env: str | None, from_file: Path | None) -> "Credential":
    from govfile.certificates.credential import Credential
    from govfile.cli.keys import is_pem

    secret = _passphrase(from_env, from_file, is_new=False)
    if certificate is not None or is_pem(file):
        return Credential.from_pem(file, secret, certificate=certificate)
    return Credential.from_pkcs12(file, secret)


def _passphrase(from_env: str | None, from_file: Path | None, *, is_new: bool) -> "Secret | None":
    """As given; else a person is asked, who may leave it empty for a file that is not encrypted."""
    from govfile.certificates.secret import Secret

    given = referred(from_env, from_file)
    if given is not None or not sys.stdin.isatty():
        return given
    text = str(typer.prompt("Passphrase", default="", show_default=False, hide_input=True, err=True))
    if (
        is_new
        and text
        and text != str(typer.prompt("Again", default="", show_default=False, hide_input=True, err=True))
    ):
        raise ConfigurationError("the two passphrases differ", certain="nothing was written")
    return Secret(text) if text else None
