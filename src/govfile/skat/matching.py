"""Which submission a file in `out` is about: by the uploads that were made, never by guessing where a name is cut.

Sources: the authority's pages on status files (oid 2297135) and its note on FATCA receipts (2016), whose answers carry
the upload's name, with or without its extension, behind prefixes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.filing.states import Proof
from govfile.skat.rente import VALIDATION_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from govfile.filing.ledger import Ledger
    from govfile.filing.ledger.receipts import Received
    from govfile.filing.scope import Scope
    from govfile.filing.submission import Submission
    from govfile.skat.status import StatusBlock, StatusFile

#: Answers are looked for among what was claimed in this time: twice what the gateway was ever said to keep files.
LOOK_BACK = timedelta(days=120)

#: What was made longer than this before a name was claimed here is about an earlier upload of that name. No page says
#: the time zone of the stamps, and clocks differ.
STAMPS_DIFFER = timedelta(hours=12)

#: Between names in an `ANNOUNCED` evidence; a remote name cannot hold it.
BETWEEN = " / "

#: Shorter upload names prove nothing inside another name; their answers are matched by announcement only.
_SHORTEST = 6
_MOST_CUTS = 64


@attrs.define
class _Index:
    """Ids by what an answer may be called after."""

    names: dict[str, str] = attrs.field(factory=dict)
    stems: dict[str, set[str]] = attrs.field(factory=lambda: defaultdict(set))
    announced: dict[str, set[str]] = attrs.field(factory=lambda: defaultdict(set))


class Matcher:
    """Finds submissions for one collection; the ledger is read name by name, and once more when answers need it."""

    def __init__(
        self, ledger: Ledger, scope: Scope, *, folder_of: Callable[[str], str], clock: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._scope = scope
        self._folder_of = folder_of
        self._clock = clock
        self._index: _Index | None = None
        self._unsolicited: dict[str, Received] | None = None

    def for_status(self, status: StatusFile) -> tuple[Submission, StatusBlock] | None:
        """The submission a readable status file is about, and the block that says so; None when it is not ours."""
        confirmed = [
            (submission, block)
            for submission in self.named_by(status)
            if (block := status.block_for(submission.name)) is not None and not self._is_of_another(block, submission)
        ]
        if len(confirmed) > 1:  # `A` + `b_c` and `A_b` + `c` read the same: the content decides
            confirmed = [found for found in confirmed if self._says_so(found[1], found[0])]
        if len(confirmed) == 1:
            return confirmed[0]
        return None if confirmed else self._by_path(status)

    def named_by(self, status: StatusFile) -> list[Submission]:
        """The submissions its name can stand for."""
        found = []
        for service, name in status.name.readings():
            submission = self._find(name)
            if submission is not None and service in (submission.service, self._folder_of(submission.service)):
                found.append(submission)
        return found

    def for_answer(self, remote_name: str, modified: datetime | None = None) -> Submission | None:
        """The one submission an answer belongs to: announced by a status 3, or called after the upload; else None."""
        index = self._index = self._index or self._read()
        announced = index.announced.get(remote_name, set())
        if announced:
            return self._ledger.get(next(iter(announced))) if len(announced) == 1 else None
        for start, end in _pieces(remote_name):
            piece = remote_name[start:end]
            candidates = {index.names[piece]} if piece in index.names else index.stems.get(piece, set())
            if len(candidates) == 1:
                found = self._ledger.get(next(iter(candidates)))
                is_meant = _is_same_purpose(remote_name[:start], found) and not self._is_older(modified, found)
                return found if is_meant else None
            if candidates:
                return None
        return None

    def came_before(self, submission: Submission, names: Iterable[str], login: str) -> Iterator[Received]:
        """What `login` kept as unsolicited before a status 3 named it for this submission, and for no other.

        Files lie in `out` before they are announced, and a collection may come between.
        """
        for name in names:
            if self._unsolicited is None:
                self._unsolicited = self._read_unsolicited(login)
                self._index = self._index or self._read()
            kept, index = self._unsolicited.get(name), self._index
            if kept is None or index is None or index.announced[name] != {submission.id}:
                continue
            if kept.at >= submission.created and not self._is_older(kept.modified, submission):
                yield kept

    def announce(self, submission: Submission, names: Iterable[str]) -> None:
        """Remember what a status 3 of this collection announced."""
        if self._index is not None:
            for name in names:
                self._index.announced[name].add(submission.id)

    def _says_so(self, block: StatusBlock, submission: Submission) -> bool:
        folders = (submission.service, self._folder_of(submission.service))
        return block.upload == submission.name and (block.folder in folders or block.service in folders)

    def _by_path(self, status: StatusFile) -> tuple[Submission, StatusBlock] | None:
        """A status whose file name fits nothing, but whose content gives the full path of one upload."""
        for block in status.blocks:
            submission = self._find(block.upload) if block.upload and block.folder else None
            if submission is None or self._is_of_another(block, submission):
                continue
            if self._says_so(block, submission):
                return submission, block
        return None

    def _is_of_another(self, block: StatusBlock, submission: Submission) -> bool:
        """Whether the content speaks of another login's upload, or of one made before this name was claimed: other
        programs file under the same names, and a ledger may be older than its last filings.
        """
        login = block.login.casefold()
        theirs = submission.filed_by.casefold()
        is_theirs = bool(login) and theirs.startswith("cvr_") and login != theirs
        return is_theirs or self._is_older(block.timestamp, submission)

    def _is_older(self, moment: datetime | None, submission: Submission) -> bool:
        """Whether it was made before the claim; one from the future was made by a clock that has been put right."""
        return moment is not None and moment < min(submission.created, self._clock()) - STAMPS_DIFFER

    def _find(self, name: str) -> Submission | None:
        return self._ledger.find(**self._scope.where(), name=name)

    def _read_unsolicited(self, login: str) -> dict[str, Received]:
        kept = self._ledger.received(
            authority=self._scope.authority,
            environment=self._scope.environment,
            login=login,
            what="unsolicited",
            since=self._clock() - LOOK_BACK,
        )
        return {received.remote_name: received for received in kept}

    def _read(self) -> _Index:
        index = _Index()
        recent = self._ledger.search(
            authority=self._scope.authority,
            environment=self._scope.environment,
            sender=self._scope.sender,
            since=self._clock() - LOOK_BACK,
        )
        for submission in recent:
            if submission.sha256 is None:
                continue
            index.names[submission.name] = submission.id
            index.stems[_stem(submission.name)].add(submission.id)
            for event in submission.history:
                if event.evidence.proof is Proof.ANNOUNCED and event.evidence.detail:
                    for name in event.evidence.detail.split(BETWEEN):
                        index.announced[name].add(submission.id)
        return index


def _pieces(remote_name: str) -> Iterator[tuple[int, int]]:
    """Every piece between separators, the longest first: the longest upload name found in it is the one meant."""
    starts = [0, *(cut.end() for cut in re.finditer(r"[_.-]", remote_name))][:_MOST_CUTS]
    ends = [*(cut.start() for cut in re.finditer(r"[_.-]", remote_name)), len(remote_name)][-_MOST_CUTS:]
    pieces = [(start, end) for start in starts for end in ends if end - start >= _SHORTEST]
    return iter(sorted(pieces, key=lambda piece: (piece[0] - piece[1], piece[0])))


def _is_same_purpose(before: str, submission: Submission) -> bool:
    """A dry run's answer must not be taken for that of the filing of the same name."""
    return submission.is_dry_run or not before.casefold().endswith(VALIDATION_PREFIX)


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name
