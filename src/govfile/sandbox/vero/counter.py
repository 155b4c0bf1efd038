"""The certificate service's door: the authority's path and the test bench's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govfile.sandbox.vero import messages, xml
from govfile.sandbox.vero.door import Door
from govfile.sandbox.vero.replies import Answer

if TYPE_CHECKING:
    from govfile.sandbox.vero.bench import Bench
    from govfile.sandbox.vero.office import Office

PATH = "/2017/10/CertificateServices"
BENCH_PATH = f"/DEV{PATH}"
_OFFERED = frozenset(messages.OPERATIONS)


class Counter(Door):
    """Reads requests, has `office` or `bench` answer them."""

    def __init__(self, office: Office, bench: Bench, **rest: Any) -> None:
        super().__init__(**rest)
        self._office = office
        self._bench = bench

    def operations(self, path: str) -> frozenset[str]:
        """The same three at both paths."""
        return _OFFERED if path in (PATH, BENCH_PATH) else frozenset()

    def carry_out(self, operation: str, payload: xml.Payload, path: str) -> Answer:
        """Judge the request against the contract, and answer it."""
        if messages.operation_of(payload.element) != operation:
            raise xml.Invalid(f"SOAPAction names {operation}, the body holds {xml.local(payload.element)}")
        asked = messages.read(payload, operation)
        wanted = self._faults.touching(operation).fail_with
        if wanted:
            content: tuple[str, ...] = (messages.result("FAIL", wanted),)
        else:
            content = (self._bench if path == BENCH_PATH else self._office).answer(asked)
        other = messages.GET if operation != messages.GET else messages.SIGN
        return Answer(
            operation=operation,
            payload=messages.answer(operation, *content),
            other=messages.answer(other, messages.result("OK")),
        )
