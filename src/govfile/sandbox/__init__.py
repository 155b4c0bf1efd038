"""The authorities on localhost: strict, and with faults on request. The file channels need the extra `sandbox`.

Keys, certificates and passwords are made for the occasion and live as long as the sandbox does; the keys of the
Finnish authorities are shipped and known to everybody. Nothing here shares a builder, parser or verifier with the
clients it judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile._on_first_use import on_first_use

if TYPE_CHECKING:
    from govfile.sandbox.onss.authority import OnssSandbox as OnssSandbox
    from govfile.sandbox.skat.authority import SkatSandbox as SkatSandbox
    from govfile.sandbox.sosi.authority import SosiSandbox as SosiSandbox
    from govfile.sandbox.vero.authority import VeroSandbox as VeroSandbox

_HOMES = {
    "OnssSandbox": "onss.authority",
    "SkatSandbox": "skat.authority",
    "SosiSandbox": "sosi.authority",
    "VeroSandbox": "vero.authority",
}
_PACKAGES = frozenset({"onss", "skat", "sosi", "vero"})

__all__ = ["OnssSandbox", "SkatSandbox", "SosiSandbox", "VeroSandbox"]

__getattr__, __dir__ = on_first_use(__name__, _HOMES, packages=_PACKAGES)
