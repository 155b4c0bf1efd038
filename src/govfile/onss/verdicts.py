"""One verdict for a file whose forms are notified in several messages, first provisionally perhaps.

What each notification said of each form is kept in the history's words, so that a later one can be joined with it
without the files: `2 forms: 1f3a9c2e accepted, 77ab0123 rejected`. A form is called by eight digits of a digest, since
references may be personal.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from govfile.filing.states import Proof, Verdict
from govfile.onss.notification import overall

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.filing.submission import Submission
    from govfile.onss.notification import NotificationForm

_SAID = re.compile(r"([0-9a-f]{8}) ([a-z ]+?)(?=, [0-9a-f]{8} |; |$)")

_KNOWN = {verdict.value: verdict for verdict in Verdict}

#: Ends the words about an answer that neither a reference nor a stamp of ours shows to be about this very set.
BY_NAME_ALONE = "; nothing but its name or ticket shows that it is ours"

#: Of a notification with more forms than this only the verdict of them together is kept.
_MOST_FORMS = 500


def form_key(form: NotificationForm, position: int, sha256: str) -> str:
    """What a form is called, the same in every notification about it: by its original's stamp or its own ticket."""
    stamp = form.original_form.key if form.original_form else None
    ticket = form.handled.number if form.handled else ""
    stamped = "/".join((*stamp, *form.own_references)) if stamp is not None else ""
    marks = stamped or ticket or f"{sha256}/{position}"
    return hashlib.sha256(marks.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def numbered_key(key: str, position: int) -> str:
    """Another name for a form that would be called like an earlier one of the same notification."""
    return hashlib.sha256(f"{key}/{position}".encode()).hexdigest()[:8]


def in_words(forms: Iterable[tuple[str, Verdict]]) -> str:
    """For the history: the verdict of each form, and of all together where there are too many."""
    given = list(forms)
    if len(given) > _MOST_FORMS:
        together = hashlib.sha256("".join(key for key, _ in given).encode()).hexdigest()[:8]
        given = [(together, overall(verdict for _, verdict in given))]
    count = f"{len(given)} form{'' if len(given) == 1 else 's'}"
    return f"{count}: " + ", ".join(f"{key} {verdict.value}" for key, verdict in given)


def joined(submission: Submission, forms: Iterable[tuple[str, Verdict]]) -> Verdict:
    """The verdict for the whole, from all that was ever said and these forms; the last word on a form counts."""
    told = (event.evidence.detail for event in submission.history if event.evidence.proof is Proof.ANSWERED)
    earlier = [found for detail in told for found in _SAID.findall(detail)]
    said: dict[str, Verdict] = {}
    for key, verdict in [*((key, _KNOWN[words]) for key, words in earlier if words in _KNOWN), *forms]:
        said[key] = _later(said.get(key), verdict)
    return overall(said.values())


def _later(earlier: Verdict | None, verdict: Verdict) -> Verdict:
    """A provisional word never replaces a final one, in whatever order they are read. Two final ones that differ are
    two forms which cannot be told apart, or a change of mind: a person must look.
    """
    open_ones = (None, Verdict.PROVISIONAL, Verdict.UNREAD)
    if earlier in open_ones or earlier is verdict:
        return verdict
    assert earlier is not None
    return earlier if verdict in open_ones else Verdict.MIXED
