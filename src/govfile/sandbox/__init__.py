"""The authorities on localhost: strict, and with faults on request. Needs the extra `sandbox`.

Everything here is made for the occasion: keys, certificates and passwords live as long as the sandbox does. It shares
no builder, parser or verifier with the clients it judges.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from govfile.sandbox.onss.authority import OnssSandbox as OnssSandbox
    from govfile.sandbox.skat.authority import SkatSandbox as SkatSandbox
    from govfile.sandbox.sosi.authority import SosiSandbox as SosiSandbox
    from govfile.sandbox.vero.authority import VeroSandbox as VeroSandbox

_HOMES = {
    "OnssSandbox": "govfile.sandbox.onss.authority",
    "SkatSandbox": "govfile.sandbox.skat.authority",
    "SosiSandbox": "govfile.sandbox.sosi.authority",
    "VeroSandbox": "govfile.sandbox.vero.authority",
}
_PACKAGES = frozenset({"onss", "skat", "sosi", "vero"})

__all__ = ["OnssSandbox", "SkatSandbox", "SosiSandbox", "VeroSandbox"]


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"govfile.sandbox.{name}")
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'govfile.sandbox' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value
