"""Answers on their way out: named, packed, signed, and laid into the outbox as FO or CO, FS and GO."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from govfile.sandbox.onss import lines, names, packing, papers, signing
from govfile.sandbox.onss.boxes import Stored
from govfile.sandbox.onss.faults import Spoilt
from govfile.sandbox.onss.replies import Packing

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.sandbox.onss.agenda import Agenda
    from govfile.sandbox.onss.boxes import Boxes
    from govfile.sandbox.onss.faults import Faults
    from govfile.sandbox.onss.replies import Replies
    from govfile.sandbox.onss.settings import Circuit

_GARBAGE = b"MAMBAgE="


class Post:
    """Writes answers. Sequence numbers count per purpose, day and circuit."""

    def __init__(self, *, agenda: Agenda, faults: Faults) -> None:
        self._agenda = agenda
        self._faults = faults
        self._sent: Counter[tuple[str, str, str]] = Counter()

    def send(
        self,
        boxes: Boxes,
        circuit: Circuit,
        purpose: str,
        content: bytes,
        at: datetime,
        *,
        replies: Replies,
        packed: Packing | None = None,
    ) -> str:
        """Lay an answer out at `at`; returns its name (that of the FO or CO)."""
        if self._faults.damage is not None:
            content = packing.damaged(content, self._faults.damage)
        if self._faults.trick is not None:
            packed = packed or Packing.ZIP
        name = self._lay(boxes, circuit, purpose, content, at, replies, packed)
        if self._faults.repeat:
            self._lay(boxes, circuit, purpose, content, at, replies, packed)
        return name

    def _lay(
        self,
        boxes: Boxes,
        circuit: Circuit,
        purpose: str,
        content: bytes,
        at: datetime,
        replies: Replies,
        packed: Packing | None,
    ) -> str:
        rest = self._next_name(circuit, purpose, at)
        stored = content
        if packed is not None:
            stored = packing.pack(f"FO.{rest}", content, packed, self._faults.trick)
        box = boxes.folders[circuit.outbox]
        prefix = "FO" if packed is None else "CO"
        grown = at + self._faults.growing if self._faults.growing else None
        box[f"{prefix}.{rest}"] = Stored.of(stored, at, grown)
        signature = self._signature(content if packed and replies.signs_expanded else stored, at, replies)
        if signature is not None:
            box[f"FS.{rest}"] = Stored.of(signature, at)
        if not self._faults.no_go:
            lay_go = partial(self._lay_go, box, f"GO.{rest}")
            if self._faults.go_late is None:
                lay_go(at)
            else:
                self._agenda.add(at + self._faults.go_late, lay_go)
        return f"{prefix}.{rest}"

    @staticmethod
    def _lay_go(box: dict[str, Stored], name: str, at: datetime) -> None:
        box[name] = Stored.of(b"", at)

    def _next_name(self, circuit: Circuit, purpose: str, at: datetime) -> str:
        day = names.belgian_day(at).strftime("%Y%m%d")
        self._sent[purpose, day, circuit.value] += 1
        sequence = names.sequence(self._sent[purpose, day, circuit.value])
        return f"{purpose}.{names.TRANSFER_POINT}.{day}.{sequence}.{circuit.value}"

    def _signature(self, content: bytes, at: datetime, replies: Replies) -> bytes | None:
        match self._faults.spoilt:
            case Spoilt.MISSING:
                return None
            case Spoilt.GARBAGE:
                return _GARBAGE
            case Spoilt.OTHER_CONTENT:
                content += b"\n"
        by = papers.institution(is_expired=self._faults.spoilt is Spoilt.EXPIRED)
        made = signing.sign(content, by=by, at=at, timestamped=replies.timestamped)
        return lines.write(made, replies.layout)
