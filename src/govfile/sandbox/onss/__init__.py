"""The Belgian social-security channel on localhost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile._on_first_use import on_first_use

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
    "Account": "authority",
    "Anomaly": "replies",
    "CertificateKind": "papers",
    "Circuit": "settings",
    "Damage": "faults",
    "Declared": "transfer",
    "Drop": "faults",
    "Faults": "faults",
    "HostKey": "settings",
    "Layout": "settings",
    "NameScope": "settings",
    "OnssSandbox": "authority",
    "Packing": "replies",
    "Part": "transfer",
    "Replies": "replies",
    "SandboxClock": ".clock",
    "Schedule": "settings",
    "Settings": "settings",
    "Signing": "settings",
    "Spoilt": "faults",
    "Trick": "faults",
    "When": "faults",
    "serve": "command",
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

__getattr__, __dir__ = on_first_use(__name__, _HOMES)
