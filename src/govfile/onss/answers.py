"""What lies in the folder with answers: an answer is whole once its trigger is there.

Source: a page on the second-pillar pensions, by whose words the GO file says that the receiver may process the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.onss.names import BatchName, Prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.transports.base import RemoteFile

#: The order in which answers are taken: an acknowledgement tells the ticket by which a notification may be told.
_FIRST = {"ACRF": 0, "NOTI": 1}


@attrs.frozen(kw_only=True)
class AnswerFiles:
    """One answer: its `name`, the remote files with the `content` (FO or CO) and the trigger, and the signature, None
    where there is none.
    """

    name: BatchName
    content: RemoteFile
    trigger: RemoteFile
    signature: RemoteFile | None = None

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """All of them, in the order they are removed: the trigger last."""
        return tuple(found for found in (self.content, self.signature, self.trigger) if found is not None)

    @property
    def is_compressed(self) -> bool:
        """Whether the content has to be unpacked."""
        return self.name.prefix is Prefix.CO

    @property
    def order(self) -> tuple[int, str, str]:
        """By what answers are sorted: acknowledgements, notifications, others; then by age."""
        return _FIRST.get(self.name.purpose, 2), self.name.created, self.content.name


@attrs.frozen(kw_only=True)
class Outbox:
    """A listing, sorted out: whole `answers`, those `incomplete` without their trigger, and names `unknown`."""

    answers: tuple[AnswerFiles, ...]
    incomplete: tuple[str, ...]
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, entries: Iterable[RemoteFile]) -> Outbox:
        """Pair FO, FS and GO by what their names share."""
        by_name = {entry.name: entry for entry in entries}
        read = {name: BatchName.recognise(name) for name in by_name}
        contents = {name: found for name, found in read.items() if found and found.prefix in (Prefix.FO, Prefix.CO)}
        answers, incomplete = [], []
        taken: set[str] = set()
        for name, found in contents.items():
            trigger = next((str(go) for go in found.triggers() if str(go) in by_name), None)
            if trigger is None:
                incomplete.append(name)
                continue
            signature = by_name.get(str(found.fs()))
            answers.append(
                AnswerFiles(name=found, content=by_name[name], trigger=by_name[trigger], signature=signature)
            )
            taken |= {name, trigger, str(found.fs())}
        unknown = [name for name in by_name if name not in taken and name not in contents]
        return cls(
            answers=tuple(sorted(answers, key=lambda answer: answer.order)),
            incomplete=tuple(sorted(incomplete)),
            unknown=tuple(sorted(unknown)),
        )
