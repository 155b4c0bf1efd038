"""The Finnish certificate service and the register it opens, on localhost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile._on_first_use import on_first_use

if TYPE_CHECKING:
    from govfile.sandbox.clock import SandboxClock as SandboxClock
    from govfile.sandbox.vero.authority import VeroSandbox as VeroSandbox
    from govfile.sandbox.vero.command import serve as serve
    from govfile.sandbox.vero.faults import Damage as Damage
    from govfile.sandbox.vero.faults import Faults as Faults
    from govfile.sandbox.vero.faults import Forged as Forged
    from govfile.sandbox.vero.faults import Lost as Lost
    from govfile.sandbox.vero.faults import SoapFault as SoapFault
    from govfile.sandbox.vero.faults import Spoilt as Spoilt
    from govfile.sandbox.vero.faults import Wrong as Wrong
    from govfile.sandbox.vero.settings import Code as Code
    from govfile.sandbox.vero.settings import Settings as Settings
    from govfile.sandbox.vero.signing import Form as Form

_HOMES = {
    "Code": "settings",
    "Damage": "faults",
    "Faults": "faults",
    "Forged": "faults",
    "Form": "signing",
    "Lost": "faults",
    "SandboxClock": ".clock",
    "Settings": "settings",
    "SoapFault": "faults",
    "Spoilt": "faults",
    "VeroSandbox": "authority",
    "Wrong": "faults",
    "serve": "command",
}

__all__ = [
    "Code",
    "Damage",
    "Faults",
    "Forged",
    "Form",
    "Lost",
    "SandboxClock",
    "Settings",
    "SoapFault",
    "Spoilt",
    "VeroSandbox",
    "Wrong",
    "serve",
]

__getattr__, __dir__ = on_first_use(__name__, _HOMES)
