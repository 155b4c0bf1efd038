"""The certificate service a profile means, and its customers."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import typer

from govfile.cli.exits import Exit
from govfile.errors import ConfigurationError, Phase, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.certificates.deploy import Hook
    from govfile.certificates.keystore import KeyStore
    from govfile.cli.session import Session
    from govfile.vero import CertificateService


def open_service(session: Session, *, create: bool = False) -> CertificateService:
    """The service with the session's key store; a context manager. Raises `ConfigurationError` or `KeyStoreError`."""
    check_anchors(session)  # before the key store is looked for
    return over(session, session.open_keys(create=create))


def over(session: Session, store: KeyStore) -> CertificateService:
    """The service with a key store that is open already; raises `ConfigurationError`."""
    from govfile.vero import CertificateService

    check_anchors(session)
    return CertificateService(session.vero_environment, store)


def check_anchors(session: Session) -> None:
    """Raise `ConfigurationError` when the profile does not say whom to believe."""
    from govfile.vero.anchors import PUBLISHED_AT

    environment = session.vero_environment
    if environment.answer_signers is not None and environment.issuers is not None:
        return
    wanted = ", ".join(pin.name for pin in (*environment.pins.answers, *environment.pins.issued))
    raise ConfigurationError(
        f"{session.profile.table.where}: nobody is named whose answers are believed",
        certain="nothing was sent",
        advice=f"download {wanted or 'the certificates of the authorities'} from {PUBLISHED_AT} into one PEM file, "
        f'and write environment = {{base = "{environment.name}", authorities = "vero.pem"}}',
    )


def customer(session: Session, given: str | None) -> str:
    """The customer that was named, or the profile's."""
    found = given or session.profile.table.get("customer", str)
    if found is None:
        raise ConfigurationError(
            "no customer is named", advice='give the Business ID, or customer = "…" in the profile'
        )
    return found


def customer_name(session: Session, given: str | None) -> str | None:
    """The customer's name, as given or of the profile; the service does not need it."""
    return given or session.profile.table.get("customer_name", str)


def hooks(session: Session) -> tuple[Hook, ...]:
    """What the profile runs after each renewal; what it prints is blotted of the passphrase of the keys."""
    from govfile.certificates.deploy import Command
    from govfile.cli.keystore.place import passphrase

    arguments = session.profile.table.texts("after_renewal")
    if not arguments:
        return ()
    secret = passphrase(session.profile)
    return (Command(arguments, secrets=() if secret is None else (secret,)),)


@contextlib.contextmanager
def refusals(session: Session) -> Iterator[None]:
    """End the command with 4, not 3, for a refusal that leaves open whether the service took the request."""
    try:
        yield
    except Rejected as refusal:
        if refusal.phase is not Phase.CONFIRM:
            raise
        session.out.error(refusal)
        raise typer.Exit(int(Exit.UNKNOWN)) from refusal
