"""Generations of a key store as records, the same in every command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from govfile.certificates.keystore import Generation


def generation_fields(found: Generation) -> dict[str, Any]:
    """A generation as a record's fields."""
    return {
        "slot": str(found.slot),
        "authority": found.slot.authority,
        "environment": found.slot.environment,
        "holder": found.slot.holder,
        "generation": found.number,
        "is_current": found.is_current,
        "valid_from": found.valid_from,
        "expires": found.expires,
        "sha256": found.fingerprint,
        "certificate": found.certificate_file,
        "chain": found.chain_file,
        "key": found.key_file,
    }
