"""How far a request for a certificate has come, as the key store's notes beside the pending key say it.

The notes are what a later process, days after, has to go on. They hold no secret: a RetrievalId gives a certificate,
which is public, and the codes of an enrolment are never written down.
"""

from __future__ import annotations

import base64
import binascii
import enum
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import KeyStoreTooNew

if TYPE_CHECKING:
    from govfile.certificates.keystore import KeyStore, Pending, SlotId
    from govfile.transports.base import Reply

_LARGEST_KEPT = 64 * 1024


class Kind(enum.Enum):
    """What was asked for."""

    ENROL = "enrol"
    RENEW = "renew"


class Step(enum.Enum):
    """How far it came.

    `READY`: key and request are on the disk, and nothing has left. `ASKING`: the request may have left, and no answer
    was believed; it is never sent again by itself. `ASKED`: the service took it and gave a RetrievalId. `REFUSED`: the
    service said no in a verified answer.
    """

    READY = "ready"
    ASKING = "asking"
    ASKED = "asked"
    REFUSED = "refused"


@attrs.frozen(kw_only=True)
class Kept:
    """An answer that could not be believed when it came, kept for a second look (after the anchors were mended)."""

    status: int
    content_type: str
    body: bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, reply: Reply) -> Kept:
        """The part of an HTTP answer that matters."""
        return cls(status=reply.status, content_type=reply.content_type, body=reply.body)


@attrs.frozen(kw_only=True)
class Application:
    """A request for a certificate, and the key made for it. Times are aware UTC.

    `created` is when the key was made, `asked` when the request left or was about to; `codes` are the reasons of a
    refusal. `is_kept` tells whether there is an answer that could not be believed.
    """

    kind: Kind
    step: Step
    created: datetime
    asked: datetime | None = None
    retrieval_id: str | None = None
    customer_name: str | None = None
    codes: tuple[str, ...] = ()
    kept: Kept | None = attrs.field(default=None, repr=False)

    @classmethod
    def of(cls, pending: Pending) -> Application:
        """As the notes tell; a pending key without notes is one that nothing was asked for with yet."""
        notes = pending.notes
        try:
            kind = Kind(notes.get("kind") or Kind.RENEW.value)
            step = Step(notes.get("step") or Step.READY.value)
        except ValueError as error:
            raise KeyStoreTooNew(
                f"the notes beside the pending key of {pending.slot} are not known to this version",
                certain="nothing was sent",
                advice="use the version of govfile that wrote them, or a later one",
            ) from error
        return cls(
            kind=kind,
            step=step,
            created=pending.created,
            asked=_moment(notes.get("asked")),
            retrieval_id=notes.get("retrieval_id") or None,
            customer_name=notes.get("customer_name") or None,
            codes=tuple((notes.get("codes") or "").split()),
            kept=_kept(notes),
        )

    @property
    def is_kept(self) -> bool:
        """Whether an answer is kept that could not be believed."""
        return self.kept is not None


@attrs.frozen
class Journal:
    """Writes the notes; each is on the disk when the call returns."""

    store: KeyStore

    def ready(self, pending: Pending, kind: Kind, customer_name: str | None) -> Pending:
        """Nothing has left, or what left is known not to have arrived."""
        notes = {"step": Step.READY.value, "kind": kind.value, "customer_name": customer_name or ""}
        return self.store.note(pending, **notes, asked="", retrieval_id="", codes="", **_NOTHING_KEPT)

    def asking(self, pending: Pending, at: datetime, spent: str) -> Pending:
        """From now on the request may have left, and codes of the fingerprint `spent` may be spent."""
        return self.store.note(pending, step=Step.ASKING.value, asked=at.astimezone(UTC).isoformat(), spent=spent)

    def is_enrolled_by(self, slot: SlotId, spent: str) -> bool:
        """Whether the generation in use came by codes of this fingerprint."""
        current = self.store.current(slot)
        return current is not None and self.store.notes(slot, current.number).get("spent") == spent

    def asked(self, pending: Pending, retrieval_id: str, *, by_hand: bool = False) -> Pending:
        """The service took it: it says so itself, or a person does, `by_hand`."""
        said_by = "a person" if by_hand else "the service"
        notes = {"step": Step.ASKED.value, "retrieval_id": retrieval_id, "said_by": said_by}
        return self.store.note(pending, **notes, **_NOTHING_KEPT)

    @staticmethod
    def is_settled(pending: Pending) -> bool:
        """Whether a person said that the service took it, who may have been wrong."""
        return pending.notes.get("step") == Step.ASKED.value and pending.notes.get("said_by") == "a person"

    def refused(self, pending: Pending, codes: tuple[str, ...]) -> Pending:
        """The service said no."""
        return self.store.note(pending, step=Step.REFUSED.value, codes=" ".join(codes), **_NOTHING_KEPT)

    def keep(self, pending: Pending, answer: Kept) -> Pending:
        """An answer came that cannot be believed now."""
        if len(answer.body) > _LARGEST_KEPT:
            return pending
        body = base64.b64encode(answer.body).decode("ascii")
        return self.store.note(pending, kept=body, kept_type=answer.content_type, kept_status=str(answer.status))


_NOTHING_KEPT = {"kept": "", "kept_type": "", "kept_status": ""}


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _kept(notes: Any) -> Kept | None:
    try:
        body, status = base64.b64decode(notes.get("kept") or "", validate=True), int(notes.get("kept_status") or 0)
    except (ValueError, binascii.Error):
        return None
    return Kept(status=status, content_type=notes.get("kept_type") or "", body=body) if body else None
