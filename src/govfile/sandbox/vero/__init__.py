"""The Finnish certificate service and the register it opens, on localhost."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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
    "Code": "vero.settings",
    "Damage": "vero.faults",
    "Faults": "vero.faults",
    "Forged": "vero.faults",
    "Form": "vero.signing",
    "Lost": "vero.faults",
    "SandboxClock": "clock",
    "Settings": "vero.settings",
    "SoapFault": "vero.faults",
    "Spoilt": "vero.faults",
    "VeroSandbox": "vero.authority",
    "Wrong": "vero.faults",
    "serve": "vero.command",
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


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'govfile.sandbox.vero' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(f"govfile.sandbox.{home}"), name)
    globals()[name] = value
    return value
