"""The gateway a profile means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.cli.filings.office import Place
from govfile.cli.services import own_services

if TYPE_CHECKING:
    from govfile.cli.session import Session
    from govfile.filing.ledger import Ledger
    from govfile.skat import Gateway


def open_gateway(session: Session, ledger: Ledger) -> Gateway:
    """A gateway for the session's profile; a context manager. Raises `ConfigurationError` or `CredentialError`."""
    from govfile.skat import Gateway

    return Gateway(
        session.environment,
        session.credential,
        password=session.password,
        ledger=ledger,
        username=session.username,
        profiles=own_services(session.profile),
    )


def place(session: Session) -> Place:
    """Where the session's profile files."""
    environment = session.environment
    return Place("skat", environment.name, environment.patience)
