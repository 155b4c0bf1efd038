"""Checks one after the other: each says what it found, or what is wrong and what to do; those that need a failed one
are left out, so that every fault is named once and where it is.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from govfile.cli import exits
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.errors import GovfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from govfile.cli.output import Output


class Mark(enum.Enum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@attrs.frozen
class Found:
    """What a check that did not fail found; a `remedy` makes it a warning."""

    text: str
    remedy: str = ""


@attrs.frozen(kw_only=True)
class Step:
    """One check: its `name`, the names of those it `needs`, the check itself, which raises `GovfileError`, and the
    `remedy` to name beside the error's own advice.
    """

    name: str
    check: Callable[[], Found]
    needs: tuple[str, ...] = ()
    remedy: str = ""


@attrs.frozen(kw_only=True)
class Finding:
    """How one check ended, in words; `exit` is the exit code it asks for."""

    step: str
    mark: Mark
    text: str
    remedy: str = ""
    exit: Exit = Exit.DONE


def examine(steps: Sequence[Step]) -> Iterator[Finding]:
    """Run the checks in order and say of each how it ended."""
    unsure: dict[str, str] = {}
    for step in steps:
        missing = next((need for need in step.needs if need in unsure), None)
        if missing is not None:
            unsure[step.name] = unsure[missing]
            yield Finding(step=step.name, mark=Mark.SKIPPED, text=f"needs {unsure[missing]}")
            continue
        try:
            found = step.check()
        except GovfileError as error:
            unsure[step.name] = step.name
            yield Finding(
                step=step.name,
                mark=Mark.FAILED,
                text=error.what,
                remedy="; ".join(filter(None, (error.advice, step.remedy))),
                exit=exits.of_error(error),
            )
        else:
            mark = Mark.WARNING if found.remedy else Mark.OK
            yield Finding(step=step.name, mark=mark, text=found.text, remedy=found.remedy)


def report(out: Output, steps: Sequence[Step]) -> Exit:
    """Run the checks, print each as it ends, and return the code of the worst."""
    codes = []
    failed = warnings = 0
    for finding in examine(steps):
        codes.append(finding.exit)
        failed += finding.mark is Mark.FAILED
        warnings += finding.mark is Mark.WARNING
        out.say(f"{finding.mark.value:>8}  {finding.step}: {printable(finding.text)}")
        if finding.remedy:
            out.say(f"{'':>8}  -> {printable(finding.remedy)}")
        out.record(
            "check",
            step=finding.step,
            result=finding.mark,
            text=finding.text,
            remedy=finding.remedy,
            exit=int(finding.exit),
        )
    code = exits.worst(codes)
    verdict = f"{failed} of {len(codes)} checks failed" if failed else "everything is in order"
    out.say(verdict + (f", {warnings} warnings" if warnings else ""))
    out.record("summary", checks=len(codes), failed=failed, warnings=warnings, exit=int(code))
    return code
