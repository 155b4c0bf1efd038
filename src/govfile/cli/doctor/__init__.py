"""`govfile doctor`: a set-up checked step by step."""

from typing import TYPE_CHECKING

from govfile.cli.commands import command, new_app
from govfile.cli.exits import Exit
from govfile.cli.session import Session

if TYPE_CHECKING:
    from govfile.cli.doctor.checks import Checks

app = new_app("Check a set-up step by step; each finding comes with its remedy.")


@command(app, "skat")
def skat(session: Session) -> Exit:
    """Check everything a filing with the Danish gateway needs, without filing anything.

    From the configuration and the certificate to the login, the folders and the ledger; steps that need a failed one
    are left out. Exits with the code of the worst finding.
    """
    from govfile.cli.doctor.skat import Examination

    return _report(session, Examination(session))


@command(app, "onss")
def onss(session: Session) -> Exit:
    """Check everything a filing with the Belgian channel needs, without filing anything.

    From the configuration, the SSH key and the signing certificate to the host key, the login, its algorithms, the
    folders, the ledger and the clock; steps that need a failed one are left out. Exits with the code of the worst
    finding.
    """
    return examine_onss(session)


def examine_onss(session: Session) -> Exit:
    """Take the steps for the Belgian channel and report them."""
    from govfile.cli.doctor.onss import Examination

    return _report(session, Examination(session))


@command(app, "vero")
def vero(session: Session) -> Exit:
    """Check everything a renewal in Finland needs, without asking for a certificate.

    From the configuration, the authorities and the key store to what is in use, what waits, the service, its clock and
    the register; steps that need a failed one are left out. Exits with the code of the worst finding.
    """
    return examine_vero(session)


def examine_vero(session: Session) -> Exit:
    """Take the steps for the Finnish certificate service and report them."""
    from govfile.cli.doctor.vero import Examination

    return _report(session, Examination(session))


@command(app, "sosi")
def sosi(session: Session) -> Exit:
    """Check everything an ID card of the Danish healthcare token service needs; one is asked for, once.

    From the configuration, whose signatures count and the certificate to the server's identity, the card, who signed
    it, and the clock; steps that need a failed one are left out. Exits with the code of the worst finding.
    """
    return examine_sosi(session)


def examine_sosi(session: Session) -> Exit:
    """Take the steps for the Danish token service and report them."""
    from govfile.cli.doctor.sosi import Examination

    return _report(session, Examination(session))


def _report(session: Session, examination: "Checks") -> Exit:
    """Take all steps and report them, and end what they began."""
    from govfile.cli.doctor.steps import report

    try:
        return report(session.out, examination.steps())
    finally:
        examination.close()
