"""Claims to make in tests; the companies are invented."""

from __future__ import annotations

import hashlib
from typing import Any

from govfile.filing.claim import Claim
from govfile.filing.sets import Numbered, Part, SetClaim, SetDraft

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


def numbered(day: str = "20260302", most: int = 99, **changes: str) -> Numbered:
    """The counter of one sender's day."""
    scope = {"authority": "onss", "environment": "test", "sender": "101420", **changes}
    return Numbered(**scope, day=day, most=most)


def set_draft(*contents: bytes, count: Numbered | None = None, kept: bytes = b"signature", **changes: Any) -> SetDraft:
    """A set of such parts, called after its number."""
    counter = count or numbered()
    digests = [sha256(content) for content in contents]

    def named(number: int) -> SetClaim:
        names = [
            f"FI.{number:05}" if len(contents) == 1 else f"FI.{number:05}.{n}" for n in range(1, len(contents) + 1)
        ]
        whole = digests[0] if len(digests) == 1 else sha256("".join(digests))
        fields: dict[str, Any] = {
            "authority": counter.authority,
            "environment": counter.environment,
            "sender": counter.sender,
            "service": "DMFA",
            "name": f"GO.{number:05}",
            "size": sum(map(len, contents)),
            "sha256": whole,
            "filed_by": "EXPDEMOENTREPRISE",
            "set_names": (*names, f"FS.{number:05}", f"GO.{number:05}"),
            **changes,
        }
        parts = tuple(
            Part(name=name, size=len(content), sha256=digest, marks="[]")
            for name, content, digest in zip(names, contents, digests, strict=True)
        )
        return SetClaim(claim=Claim(**fields), parts=parts, kept=((f"FS.{number:05}", kept),))

    return SetDraft(numbered=counter, named=named)
