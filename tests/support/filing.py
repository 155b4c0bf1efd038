"""Claims to make in tests; the companies are invented."""

from __future__ import annotations

import hashlib
from typing import Any

from govfile.filing.claim import Claim

SCOPE = {"authority": "skat", "environment": "test", "sender": "10101010"}


def sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def claim(name: str = "10101010_2025_a1.zip", content: str | bytes | None = None, **changes: Any) -> Claim:
    """A claim of `name` for `content` (by default content of its own)."""
    content = f"content of {name}" if content is None else content
    fields: dict[str, Any] = {
        **SCOPE,
        "service": "Udlaan",
        "name": name,
        "size": len(content),
        "sha256": sha256(content),
        "filed_by": "CVR_10101010_UID_1234567890",
        "certificate": "ab" * 32,
        **changes,
    }
    return Claim(**fields)
