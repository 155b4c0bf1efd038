"""Keys and certificates on disk: generations of plain files, one pointer for each slot, nothing ever lost."""

from __future__ import annotations

from govfile.certificates.keystore.checks import Expected
from govfile.certificates.keystore.slots import Finding, Generation, Pending, SlotId
from govfile.certificates.keystore.store import KeyStore

__all__ = ["Expected", "Finding", "Generation", "KeyStore", "Pending", "SlotId"]
