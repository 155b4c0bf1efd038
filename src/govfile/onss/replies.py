"""An answer that was fetched: what kind it is, what it says, whether its signature holds, and what it proves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import ProtocolError
from govfile.onss.acrf import Acrf, parse_acrf
from govfile.onss.fs import AnswerSignature, verify_answer
from govfile.onss.notification import LIMITS, Notification, parse_notification
from govfile.onss.packing import PackingLimits, unpack

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from govfile.certificates.trust import Trust
    from govfile.filing.submission import Answer
    from govfile.onss.matching import Match
    from govfile.onss.names import BatchName


@attrs.frozen(kw_only=True)
class Reply:
    """One answer, as it was kept and read.

    `answer` is the file with the content as it came (FO or CO), `files` are all that were kept of it, the `unpacked`
    one among them. `signature` tells what the FS file shows, None where there was none. `acrf` or `notification` is
    the content, both None for other kinds. `matches` says for each form which submission it is about, and by what.
    `problem` says in words why it was not believed: then it moved nothing.
    """

    name: BatchName
    answer: Answer
    files: tuple[Path, ...]
    unpacked: Path | None = None
    signature: AnswerSignature | None = None
    acrf: Acrf | None = None
    notification: Notification | None = None
    matches: tuple[Match, ...] = ()
    problem: str = ""


@attrs.frozen(kw_only=True)
class Content:
    """What an answer holds, read but not yet matched. `unpacked` are the bytes of a compressed one."""

    signature: AnswerSignature | None = None
    acrf: Acrf | None = None
    notification: Notification | None = None
    unpacked: bytes | None = attrs.field(default=None, repr=False)
    problem: str = ""


@attrs.frozen(kw_only=True)
class Reader:
    """Reads answers. With `trust`, whoever signed must lead up to one of its anchors at the time `at`.

    Unless `is_strict`, an answer is believed whose signature does not hold; what is wrong with it is told all the same.
    """

    trust: Trust | None
    at: datetime
    is_strict: bool = True
    packing: PackingLimits = attrs.field(factory=PackingLimits)

    def read(self, name: BatchName, content: bytes, fs: bytes | None, *, is_compressed: bool) -> Content:
        """Judge the signature, unpack, and parse, in this order; never raises for what others sent."""
        unpacked, problem = self._unpack(content) if is_compressed else (None, "")
        signature = None
        if fs is not None:
            signature = verify_answer(content, fs, unpacked=unpacked, trust=self.trust, at=self.at)
            problem = problem or (self._distrust(signature) if self.is_strict else "")
        if problem:
            return Content(signature=signature, unpacked=unpacked, problem=problem)
        plain = content if unpacked is None else unpacked
        acrf = parse_acrf(plain) if name.purpose == "ACRF" else None
        notification = parse_notification(plain) if name.purpose == "NOTI" else None
        said = acrf or notification
        return Content(
            signature=signature,
            acrf=acrf,
            notification=notification,
            unpacked=unpacked,
            problem=said.problem if said else "",
        )

    def _unpack(self, content: bytes) -> tuple[bytes | None, str]:
        try:
            return unpack(content, limits=self.packing).content, ""
        except ProtocolError as error:
            return None, error.what

    def _distrust(self, signature: AnswerSignature) -> str:
        """Why a signature is not believed, "" where it is. Without the signer's certificate the digest must do."""
        report = signature.report
        if report is None:
            return f"its signature cannot be read: {signature.problem}"
        is_unproven = report.certificate is None and not report.problems and self.trust is None
        if not report.digest_matches or not (report.signature_valid or is_unproven):
            return "its signature does not hold: " + ("; ".join(report.problems) or "it is over other bytes")
        if report.chain_trusted is False:
            return "; ".join(report.problems) or "its signer is not trusted"
        return ""


#: Answers up to this size (bytes) are read whole; of larger ones neither content nor signature is looked at.
READ_WHOLE = LIMITS.size
