"""What the Incomes Register says of a record, and what that proves.

Source: the register's technical interface description (2021) for the numbers of `DeliveryDataStatus`.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import ProtocolError
from govfile.filing.states import Proof, Verdict
from govfile.filing.submission import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from govfile.filing.submission import Submission
    from govfile.vero.record import Party

_MOST_TOLD = 20


class DeliveryStatus(enum.Enum):
    """The numbers the register uses; others may come."""

    UNKNOWN = 0
    IN_PROCESS = 2
    VALID = 3
    REJECTED_ON_RECEIPT = 4
    REJECTED_IN_PROCESSING = 5
    INVALIDATED = 6


@attrs.frozen(kw_only=True)
class RegisterError:
    """One error: its code verbatim; text and details may name a person and stay out of the repr."""

    code: str
    text: str = attrs.field(default="", repr=False)
    details: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Item:
    """A report of the record: the sender's id and the register's, its version, and what is wrong with it."""

    item_id: str | None = None
    ir_item_id: str | None = None
    version: int | None = None
    errors: tuple[RegisterError, ...] = ()


@attrs.frozen(kw_only=True)
class Delivery:
    """A record as the register tells of it, in a verified answer.

    `number` is the DeliveryDataStatus, `status` the same where it is a known one. `ir_delivery_id` is the register's
    own id. `errors` are those of the message and of the record as a whole. `submission` is what the ledger knows by
    now.
    """

    delivery_id: str
    number: int
    ir_delivery_id: str | None = None
    valid_items: tuple[Item, ...] = ()
    invalid_items: tuple[Item, ...] = ()
    errors: tuple[RegisterError, ...] = ()
    submission: Submission | None = attrs.field(default=None, repr=False)
    unknown: tuple[str, ...] = ()

    @property
    def status(self) -> DeliveryStatus | None:
        """The number as a known status, None for another one."""
        return next((known for known in DeliveryStatus if known.value == self.number), None)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every error code, those of the items too, each once, in order."""
        own = [error.code for error in self.errors]
        return tuple(dict.fromkeys([*own, *(error.code for item in self.invalid_items for error in item.errors)]))

    @property
    def verdict(self) -> Verdict | None:
        """What the register thinks of the record, once it has worked on it."""
        if self.status is DeliveryStatus.VALID:
            if self.invalid_items:
                return Verdict.MIXED
            return Verdict.ACCEPTED_WITH_REMARKS if self.errors else Verdict.ACCEPTED
        if self.status is DeliveryStatus.REJECTED_IN_PROCESSING:
            return Verdict.REJECTED
        return None

    def evidence(self) -> Evidence:
        """What this proves, in words that hold no text of the register's: it may name persons."""
        words = f"DeliveryDataStatus {self.number}"
        if self.invalid_items:
            words += f", {len(self.invalid_items)} reports rejected"
        if self.ir_delivery_id:
            words += f", the register's id is {self.ir_delivery_id[:40]}"
        if self.codes:
            words += f", codes {', '.join(self.codes[:_MOST_TOLD])}"
        return Evidence(
            proof=_PROOFS.get(self.status, Proof.NOTED),
            detail=words,
            code=self.codes[0] if self.codes else "",
        )


#: An invalidation comes after an answer and takes nothing of it back; 0 says too little to move anything.
_PROOFS: Mapping[DeliveryStatus | None, Proof] = {
    DeliveryStatus.IN_PROCESS: Proof.TAKEN,
    DeliveryStatus.VALID: Proof.ANSWERED,
    DeliveryStatus.REJECTED_ON_RECEIPT: Proof.REFUSED,
    DeliveryStatus.REJECTED_IN_PROCESSING: Proof.ANSWERED,
    DeliveryStatus.INVALIDATED: Proof.NOTED,
    DeliveryStatus.UNKNOWN: Proof.NOTED,
}


@attrs.frozen(kw_only=True)
class Subject:
    """Which record: its DeliveryId, which is unique for its kind and its owner in one environment only."""

    delivery_id: str
    data_type: int
    owner: Party
    is_production: bool

    def check(self, named: Any) -> None:
        """Raise `ProtocolError` when the head of an answer names another record; what it leaves out is passed over."""
        if not isinstance(named, dict):
            return
        owner = named.get("DeliveryDataOwner")
        owner = owner if isinstance(owner, dict) else {}
        wanted = (
            (named.get("DeliveryId"), self.delivery_id),
            (named.get("DeliveryDataType"), self.data_type),
            (owner.get("Type"), self.owner.type),
            (owner.get("Code"), self.owner.code),
            (_TRUTHS.get(str(named.get("ProductionEnvironment")).strip()), self.is_production),
        )
        if any(said is not None and str(said).strip() != str(own) for said, own in wanted):
            raise ProtocolError("the register's answer is about another record than was asked for")


#: How XML Schema writes a boolean.
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def delivery(subject: Subject, values: Mapping[str, Any], part: str, unknown: tuple[str, ...] = ()) -> Delivery:
    """From the values of a verified answer about `subject`, whose `part` holds the status.

    Raises `ProtocolError` when there is no status in it, or it is about another record.
    """
    told = values.get(part)
    number = told.get("DeliveryDataStatus") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(number, int):
        raise ProtocolError("the register's answer has no DeliveryDataStatus")
    subject.check(values.get("DeliveryData"))
    return Delivery(
        delivery_id=subject.delivery_id,
        number=number,
        ir_delivery_id=told.get("IRDeliveryId") or None,
        valid_items=tuple(map(_item, _listed(told.get("ValidItems"), "Item"))),
        invalid_items=tuple(map(_item, _listed(told.get("InvalidItems"), "Item"))),
        errors=(*_errors(told.get("MessageErrors")), *_errors(told.get("DeliveryErrors"))),
        unknown=unknown,
    )


def _item(found: Mapping[str, Any]) -> Item:
    return Item(
        item_id=found.get("ItemId"),
        ir_item_id=found.get("IRItemId"),
        version=found.get("ItemVersion"),
        errors=_errors(found.get("ItemErrors")),
    )


def _errors(held: Any) -> tuple[RegisterError, ...]:
    return tuple(
        RegisterError(
            code=" ".join((found.get("ErrorCode") or "").split())[:40],
            text=found.get("ErrorMessage") or "",
            details=found.get("ErrorDetails") or "",
        )
        for found in _listed(held, "ErrorInfo")
    )


def _listed(held: Any, name: str) -> Iterable[Mapping[str, Any]]:
    return [found for found in (held.get(name) or ()) if isinstance(found, dict)] if isinstance(held, dict) else ()
