"""The test bench: one standing order, two prepared certificates, and published keys; every call may be repeated.

Its certificates fit only its own keys, whatever key a request asks for. Codes and names here are the sandbox's own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.vero import issuing, messages, throw_away, xml
from govfile.sandbox.vero.issuing import Holder
from govfile.sandbox.vero.settings import Code
from govfile.sandbox.vero.throw_away import Key
from govfile.sandbox.vero.verifying import BadSignature, verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography import x509

    from govfile.sandbox.clock import SandboxClock
    from govfile.sandbox.vero.messages import Asked

_RETRIEVALS = {messages.SIGN: "11111111111111111111111111111111", messages.RENEW: "22222222222222222222222222222222"}
_KEYS = {messages.SIGN: Key.BENCH_NEW, messages.RENEW: Key.BENCH_RENEWAL}
_AGE = {messages.SIGN: timedelta(days=700), messages.RENEW: timedelta(days=1)}


@attrs.frozen(kw_only=True)
class Papers:
    """What a client of the bench is told: customer and codes. `throw_away.key` has the two keys."""

    customer_id: str = "0123456-7"
    customer_name: str = "Ab PKI Sandbox Company Oy"
    transfer_id: str = "12345678903"
    transfer_password: str = attrs.field(default="bench-password", repr=False)


class Bench:
    """Answers what `messages.read` let through, the same to the same."""

    def __init__(self, clock: SandboxClock) -> None:
        self.papers = Papers()
        self._clock = clock
        holder = Holder(customer_id=self.papers.customer_id, name=self.papers.customer_name)
        self.certificates: Mapping[str, x509.Certificate] = {
            operation: issuing.customer_certificate(
                throw_away.key(key).public_key(), holder, at=clock() - _AGE[operation]
            )
            for operation, key in _KEYS.items()
        }

    def answer(self, asked: Asked) -> tuple[str, ...]:
        """The content of the answer, written; FAIL included."""
        code = self._refusal(asked)
        if code is not None:
            return (messages.result("FAIL", [(code.value, "not the bench's own")]),)
        if asked.operation == messages.GET:
            operation = next(each for each, retrieval in _RETRIEVALS.items() if retrieval == asked["RetrievalId"])
            content = xml.leaf("Certificate", issuing.in_base64(self.certificates[operation]))
        else:
            content = xml.leaf("RetrievalId", _RETRIEVALS[asked.operation])
        return content, messages.result("OK")

    def _refusal(self, asked: Asked) -> Code | None:
        papers = self.papers
        if asked["Environment"] != "TEST":
            return Code.WRONG_ENVIRONMENT
        if asked["CustomerId"] != papers.customer_id:
            return Code.WRONG_CUSTOMER
        if asked.operation == messages.SIGN:
            is_right = (asked["TransferId"], asked["TransferPassword"]) == (
                papers.transfer_id,
                papers.transfer_password,
            )
            return None if is_right else Code.UNKNOWN_CODES
        if asked.operation == messages.GET:
            return None if asked["RetrievalId"] in _RETRIEVALS.values() else Code.UNKNOWN_RETRIEVAL
        return self._judged(asked)

    def _judged(self, asked: Asked) -> Code | None:
        try:
            signer = verify(asked.document, canonicalizations=frozenset({xml.EXCLUSIVE}))
        except BadSignature:
            return Code.BAD_SIGNATURE
        is_its_own = signer.public_key() == throw_away.key(Key.BENCH_NEW).public_key()
        return None if is_its_own else Code.FOREIGN_CERTIFICATE
