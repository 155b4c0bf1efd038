"""Remembering what a certificate says, by the object: to hash or compare one costs more than most answers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509

T = TypeVar("T")

_MOST = 256


def by_identity(function: Callable[[x509.Certificate], T]) -> Callable[[x509.Certificate], T]:
    """The same function of a certificate, asked once for each object; threads may share it. Errors are not kept."""
    known: dict[int, tuple[x509.Certificate, T]] = {}

    @functools.wraps(function)
    def remembered(certificate: x509.Certificate) -> T:
        found = known.get(id(certificate))
        if found is not None and found[0] is certificate:
            return found[1]
        answer = function(certificate)
        if len(known) >= _MOST:
            known.clear()
        known[id(certificate)] = certificate, answer  # held here, so that no other object gets its id
        return answer

    return remembered
