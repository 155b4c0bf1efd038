"""The Danish FTPS gateway on localhost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile._on_first_use import on_first_use

if TYPE_CHECKING:
    from govfile.sandbox.clock import SandboxClock as SandboxClock
    from govfile.sandbox.pki import ServerCertificate as ServerCertificate
    from govfile.sandbox.skat.authority import SkatSandbox as SkatSandbox
    from govfile.sandbox.skat.backend import Arrival as Arrival
    from govfile.sandbox.skat.command import serve as serve
    from govfile.sandbox.skat.faults import Damage as Damage
    from govfile.sandbox.skat.faults import Faults as Faults
    from govfile.sandbox.skat.faults import LinkLoss as LinkLoss
    from govfile.sandbox.skat.identities import CertificateKind as CertificateKind
    from govfile.sandbox.skat.identities import Identity as Identity
    from govfile.sandbox.skat.settings import Broken as Broken
    from govfile.sandbox.skat.settings import Gate as Gate
    from govfile.sandbox.skat.settings import Layout as Layout
    from govfile.sandbox.skat.settings import NameScope as NameScope
    from govfile.sandbox.skat.settings import Schedule as Schedule
    from govfile.sandbox.skat.settings import Settings as Settings
    from govfile.sandbox.skat.settings import Spelling as Spelling

_HOMES = {
    "Arrival": "backend",
    "Broken": "settings",
    "CertificateKind": "identities",
    "Damage": "faults",
    "Faults": "faults",
    "Gate": "settings",
    "Identity": "identities",
    "Layout": "settings",
    "LinkLoss": "faults",
    "NameScope": "settings",
    "SandboxClock": ".clock",
    "Schedule": "settings",
    "ServerCertificate": ".pki",
    "Settings": "settings",
    "SkatSandbox": "authority",
    "Spelling": "settings",
    "serve": "command",
}

__all__ = [
    "Arrival",
    "Broken",
    "CertificateKind",
    "Damage",
    "Faults",
    "Gate",
    "Identity",
    "Layout",
    "LinkLoss",
    "NameScope",
    "SandboxClock",
    "Schedule",
    "ServerCertificate",
    "Settings",
    "SkatSandbox",
    "Spelling",
    "serve",
]

__getattr__, __dir__ = on_first_use(__name__, _HOMES)
