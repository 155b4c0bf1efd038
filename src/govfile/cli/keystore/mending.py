"""`govfile keys verify`, `repair`: whether the key store is sound, and what can be mended."""

from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.keystore import app
from govfile.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.certificates.keystore import Finding


@command(app, "verify")
def verify(
    session: Session,
    no_keys: Annotated[
        bool, typer.Option("--no-keys", help="Do not open the keys, which takes time for many.")
    ] = False,
) -> Exit:
    """Check every slot: files, modes, pointers, and that each key opens and belongs to its certificate.

    Changes nothing. Exits with 5 when something is not as it should be.
    """
    found = session.open_keys().verify(keys=not no_keys)
    _tell(session, found)
    mendable = sum(finding.is_repairable for finding in found)
    session.out.say(
        f"{len(found)} findings, {mendable} of them for `govfile keys repair`" if found else "the key store is sound"
    )
    code = Exit.CREDENTIAL if found else Exit.DONE
    session.out.record("summary", findings=len(found), repairable=mendable, exit=int(code))
    return code


@command(app, "repair")
def repair(session: Session) -> Exit:
    """Mend what can be mended without losing anything, and say what was done. No key and no certificate is removed.

    Exits with 5 when something is left that only a person can mend.
    """
    store = session.open_keys()
    done = store.repair()
    _tell(session, done)
    left = store.verify()
    for finding in left:
        session.out.note(f"govfile: left: {printable(finding)}")
    session.out.say(f"{len(done)} mended, {len(left)} left")
    code = Exit.CREDENTIAL if left else Exit.DONE
    session.out.record("summary", mended=len(done), left=len(left), exit=int(code))
    return code


def _tell(session: Session, findings: "Iterable[Finding]") -> None:
    for finding in findings:
        session.out.say(printable(finding))
        session.out.record(
            "finding",
            text=str(finding),
            slot=None if finding.slot is None else str(finding.slot),
            path=finding.path,
            is_repairable=finding.is_repairable,
        )
