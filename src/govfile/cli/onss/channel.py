"""The channel a profile means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.cli.filings.office import Place

if TYPE_CHECKING:
    from govfile.cli.session import Session
    from govfile.filing.ledger import Ledger
    from govfile.onss import Channel


def open_channel(session: Session, ledger: Ledger) -> Channel:
    """A channel for the session's profile; a context manager. Raises `ConfigurationError` or `CredentialError`."""
    from govfile.onss import Channel

    return Channel(
        session.onss_environment,
        session.signer,
        sender=session.sender,
        user=session.user,
        ssh_key=session.ssh_key,
        ledger=ledger,
        channel_created_at=session.channel_created_at,
        trust=session.trust,
    )


def place(session: Session) -> Place:
    """Where the session's profile files."""
    environment = session.onss_environment
    return Place("onss", environment.name, environment.patience)
