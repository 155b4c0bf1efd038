"""The sandbox, a key store and a client on the sandbox's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from govfile import KeyStore, Ledger
from govfile.vero import CertificateService, IncomesRegister
from support import pki

if TYPE_CHECKING:
    from pathlib import Path

    from govfile import Credential
    from govfile.sandbox import VeroSandbox
    from govfile.vero import Environment

CUSTOMER = "0123456-7"


class VeroWorld:
    """One customer's office, and the authority it deals with."""

    def __init__(self, authority: VeroSandbox, folder: Path, **changes: Any) -> None:
        self.authority = authority
        self.folder = folder
        self.keys = KeyStore(folder / "keys", None, clock=authority.clock)
        environment = authority.environment
        patience = attrs.evolve(environment.patience, give_up=timedelta(milliseconds=300))
        self.environment: Environment = attrs.evolve(environment, **{"patience": patience, **changes})
        self.client = self.another()

    def another(self, **changes: Any) -> CertificateService:
        """A client as another process opens it; sleeping moves the sandbox's clock."""
        return CertificateService(
            attrs.evolve(self.environment, **changes),
            self.keys,
            clock=self.authority.clock,
            sleep=self.authority.clock.sleep,
        )

    def enrol(self, number: int = 0, client: CertificateService | None = None) -> Credential:
        """Get codes, and enrol with them."""
        transfer_id, password = self.authority.invite(CUSTOMER, customer_name="Ab Example Oy")
        return (client or self.client).enrol(
            CUSTOMER,
            customer_name="Ab Example Oy",
            transfer_id=transfer_id,
            transfer_password=password,
            key=pki.rsa_key(number),
        )

    def due(self) -> Credential:
        """Have a certificate in use that was issued 700 days ago, so that it may be renewed."""
        at = self.authority.clock() - timedelta(days=700)
        found = self.authority.credential_for(CUSTOMER, customer_name="Ab Example Oy", issued=at)
        self.keys.adopt(self.client.slot(CUSTOMER), found)
        return found

    def register(self, credential: Credential, ledger: Ledger | None = None) -> IncomesRegister:
        """The register, for the holder of a certificate."""
        return IncomesRegister(
            self.environment,
            credential,
            ledger=ledger,
            clock=self.authority.clock,
            sleep=self.authority.clock.sleep,
        )
