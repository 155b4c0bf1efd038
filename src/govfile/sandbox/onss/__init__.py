"""The Belgian social-security channel on localhost."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from govfile.sandbox.clock import SandboxClock as SandboxClock
    from govfile.sandbox.onss.authority import Account as Account
    from govfile.sandbox.onss.authority import OnssSandbox as OnssSandbox
    from govfile.sandbox.onss.command import serve as serve
    from govfile.sandbox.onss.faults import Damage as Damage
    from govfile.sandbox.onss.faults import Drop as Drop
    from govfile.sandbox.onss.faults import Faults as Faults
    from govfile.sandbox.onss.faults import Spoilt as Spoilt
    from govfile.sandbox.onss.faults import Trick as Trick
    from govfile.sandbox.onss.faults import When as When
    from govfile.sandbox.onss.papers import CertificateKind as CertificateKind
    from govfile.sandbox.onss.replies import Anomaly as Anomaly
    from govfile.sandbox.onss.replies import Packing as Packing
    from govfile.sandbox.onss.replies import Replies as Replies
    from govfile.sandbox.onss.settings import Circuit as Circuit
    from govfile.sandbox.onss.settings import HostKey as HostKey
    from govfile.sandbox.onss.settings import Layout as Layout
    from govfile.sandbox.onss.settings import NameScope as NameScope
    from govfile.sandbox.onss.settings import Schedule as Schedule
    from govfile.sandbox.onss.settings import Settings as Settings
    from govfile.sandbox.onss.settings import Signing as Signing
    from govfile.sandbox.onss.transfer import Declared as Declared
    from govfile.sandbox.onss.transfer import Part as Part

_HOMES = {
    "Account": "onss.authority",
    "Anomaly": "onss.replies",
    "CertificateKind": "onss.papers",
    "Circuit": "onss.settings",
    "Damage": "onss.faults",
    "Declared": "onss.transfer",
    "Drop": "onss.faults",
    "Faults": "onss.faults",
    "HostKey": "onss.settings",
    "Layout": "onss.settings",
    "NameScope": "onss.settings",
    "OnssSandbox": "onss.authority",
    "Packing": "onss.replies",
    "Part": "onss.transfer",
    "Replies": "onss.replies",
    "SandboxClock": "clock",
    "Schedule": "onss.settings",
    "Settings": "onss.settings",
    "Signing": "onss.settings",
    "Spoilt": "onss.faults",
    "Trick": "onss.faults",
    "When": "onss.faults",
    "serve": "onss.command",
}

__all__ = [
    "Account",
    "Anomaly",
    "CertificateKind",
    "Circuit",
    "Damage",
    "Declared",
    "Drop",
    "Faults",
    "HostKey",
    "Layout",
    "NameScope",
    "OnssSandbox",
    "Packing",
    "Part",
    "Replies",
    "SandboxClock",
    "Schedule",
    "Settings",
    "Signing",
    "Spoilt",
    "Trick",
    "When",
    "serve",
]


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'govfile.sandbox.onss' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(f"govfile.sandbox.{home}"), name)
    globals()[name] = value
    return value
