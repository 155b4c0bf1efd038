"""`govfile onss verify`: whether a file and its FS belong together, and who signed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.onss import app
from govfile.cli.output import moment
from govfile.cli.session import Session
from govfile.errors import ConfigurationError, InvalidContent, ProtocolError

if TYPE_CHECKING:
    from govfile.certificates._cms_check import Timestamp
    from govfile.certificates.cms import CmsReport
    from govfile.certificates.trust import Trust

_WORDS = {True: "yes", False: "NO", None: "not checked (give --trust)"}


@command(app, "verify", profile=False)
def verify(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An FI, FO or CO file.")],
    signature: Annotated[
        Path | None, typer.Argument(metavar="FS", help="Its FS file; the one of the same name beside it without.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", metavar="PATH", help="PEM file with the authorities that are believed.")
    ] = None,
) -> Exit:
    """Check the signature of a declaration or an answer. Asks nobody; revocation is not looked up.

    Exits with 9 when file and signature do not belong together, or the signer leads to none of the authorities given.
    """
    report, over = _report(file, signature or _beside(file), _anchors(trust))
    _show(session, report, over)
    session.out.record(
        "signature",
        path=file,
        over=over,
        digest_matches=report.digest_matches,
        signature_valid=report.signature_valid,
        chain_trusted=report.chain_trusted,
        signer=report.signer,
        signing_time=report.signing_time,
        timestamp=report.timestamp.time if report.timestamp else None,
        hash=report.hash_name,
        problems=list(report.problems),
    )
    return Exit.DONE if report.is_sound and report.chain_trusted is not False else Exit.OTHER


def _beside(file: Path) -> Path:
    """The FS file that has the name of this one, as sent and as collected."""
    prefix, dot, rest = file.name.partition(".")
    if prefix not in ("FI", "FO", "CO") or not dot:
        raise ConfigurationError(
            f"{printable(file.name)} has no name from which that of its signature follows", advice="name the FS too"
        )
    return file.with_name(f"FS.{rest}")


def _anchors(file: Path | None) -> "Trust | None":
    from govfile.certificates.trust import Trust

    return None if file is None else Trust.only(file)


def _report(file: Path, signature: Path, trust: "Trust | None") -> tuple["CmsReport", str]:
    """The report, and over what the signature is: the file, or what a compressed one holds."""
    from govfile.certificates.cms import verify_detached
    from govfile.onss.fs import LARGEST, decode_fs

    try:
        with signature.open("rb") as stream:
            der = decode_fs(stream.read(LARGEST + 1))
        with file.open("rb") as stream:
            report = verify_detached(der, stream, trust=trust)
        if report.digest_matches or not file.name.startswith("CO."):
            return report, "the file"
        content = file.read_bytes()
    except OSError as error:
        raise InvalidContent(f"{error.filename} cannot be read: {error.strerror}", advice="check the path") from error
    from govfile.onss.packing import unpack

    try:
        inside = verify_detached(der, unpack(content).content, trust=trust)
    except ProtocolError as error:  # what holds of the file itself stays
        return attrs.evolve(report, problems=(*report.problems, error.what)), "the file"
    return (inside, "what it holds unpacked") if inside.digest_matches else (report, "the file")


def _of_timestamp(stamp: "Timestamp") -> str:
    holds = stamp.is_of_this and stamp.signature_valid
    by = f", by {stamp.authority}" if stamp.authority else ""
    return by if holds else f"{by}; it does NOT hold: {stamp.problem}"


def _show(session: Session, report: "CmsReport", over: str) -> None:
    say = session.out.say
    say(f"content unchanged:    {_WORDS[report.digest_matches]} ({over})")
    say(f"signature valid:      {_WORDS[report.signature_valid]}")
    say(f"signer trusted:       {_WORDS[report.chain_trusted]}")
    say(f"signer:               {printable(report.signer or 'its certificate is not in the signature')}")
    if report.signing_time:
        say(f"signed at:            {moment(report.signing_time)} UTC, by the signer's own clock")
    if report.timestamp:
        stamped = f"{moment(report.timestamp.time)} UTC" if report.timestamp.time else "its time cannot be read"
        say(f"time stamp:           {stamped}{printable(_of_timestamp(report.timestamp))}")
    if report.is_weak:
        session.out.note("govfile: note: the signature is by SHA-1, which no longer proves much")
    for problem in report.problems:
        say(f"problem:              {printable(problem)}")
