"""The Danish FTPS gateway on localhost."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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
    "Arrival": "skat.backend",
    "Broken": "skat.settings",
    "CertificateKind": "skat.identities",
    "Damage": "skat.faults",
    "Faults": "skat.faults",
    "Gate": "skat.settings",
    "Identity": "skat.identities",
    "Layout": "skat.settings",
    "LinkLoss": "skat.faults",
    "NameScope": "skat.settings",
    "SandboxClock": "clock",
    "Schedule": "skat.settings",
    "ServerCertificate": "pki",
    "Settings": "skat.settings",
    "SkatSandbox": "skat.authority",
    "Spelling": "skat.settings",
    "serve": "skat.command",
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


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'govfile.sandbox.skat' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(f"govfile.sandbox.{home}"), name)
    globals()[name] = value
    return value
