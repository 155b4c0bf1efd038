"""`govfile demo`: a report filed with a local gateway, told step by step; it fails where anything does not hold."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from govfile import errors
from govfile.cli import show
from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.output import Output
from govfile.cli.session import Session
from govfile.filing.states import Proof, State

if TYPE_CHECKING:
    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Submission
    from govfile.sandbox import SkatSandbox
    from govfile.skat import Gateway

_SERVICE = "Udlaan"
_PATIENCE = 8.0  # seconds for one answer; the sandbox needs tenths of one


def declare(app: typer.Typer) -> None:
    """Add the command to the root of the tree."""
    command(app, "demo", profile=False)(demo)


def demo(
    session: Session,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FOLDER", help="Work in this new folder, and leave it there.")
    ] = None,
) -> Exit:
    """File a report with a strict gateway on this machine, and follow it to its answer. Takes a few seconds.

    Shows what is refused when it would be filed twice, and what happens when the link breaks. Leaves nothing behind.
    """
    began = time.monotonic()
    with _folder(keep) as folder:
        held = Demo(session.out, folder).run()
    seconds = time.monotonic() - began
    session.out.say(f"\n{'Everything held' if held else 'NOT everything held'}, in {seconds:.1f} s.")
    if keep is not None:
        session.out.say(f"The ledger, the reports and the answers are in {printable(keep)}.")
    session.out.record("summary", held=held, seconds=round(seconds, 3), exit=int(Exit.DONE if held else Exit.OTHER))
    return Exit.DONE if held else Exit.OTHER


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="govfile-demo-") as made:
            yield Path(made)
        return
    try:
        keep.mkdir(parents=True)
    except OSError as error:
        raise errors.ConfigurationError(
            f"{keep} cannot be made: {error.strerror}", advice="give the name of a new folder"
        ) from error
    yield keep


class Demo:
    """The story, and whether all of it held."""

    def __init__(self, out: Output, folder: Path) -> None:
        self._out = out
        self._folder = folder
        self._held = True

    def run(self) -> bool:
        """Tell it from the beginning."""
        from govfile.filing.ledger import Ledger
        from govfile.sandbox import SkatSandbox
        from govfile.skat import Gateway

        self._step("A Danish FTPS gateway starts on this machine: TLS, client certificates, single-use names")
        with SkatSandbox() as authority, Ledger.open(self._folder / "filings.db") as ledger:
            self._out.say(f"   {authority.environment.host}:{authority.environment.port}, with keys made just now")
            with Gateway(
                authority.environment, authority.credential, password=authority.password, ledger=ledger
            ) as gateway:
                self._tell(authority, gateway, ledger)
        return self._held

    def _tell(self, authority: "SkatSandbox", gateway: "Gateway", ledger: "Ledger") -> None:
        self._step("Who are we? The certificate says so")
        visible = list(gateway.services())
        self._out.say(f"   user name {gateway.username}")
        self._out.say(f"   {len(visible)} services are visible: {', '.join(visible[:6])}, …")
        self._expect(_SERVICE in visible, f"{_SERVICE} is among them")
        filed = self._file(authority, gateway)
        self._file_twice(authority, gateway, filed)
        lost = self._lose_the_link(authority, gateway)
        self._step("The answers: statuses 1 (delivered), 2 (accepted), 3 (answer ready), and the answer itself")
        for submission in (filed, lost):
            final = gateway.wait(submission, until=State.ANSWERED, into=self._folder / "answers", timeout=_PATIENCE)
            self._answered(final)
        self._step("What the authority has, and what the ledger says")
        names = sorted(arrival.name for arrival in authority.filed)
        self._expect(
            names == sorted([filed.name, lost.name]), f"the authority has each report once: {', '.join(names)}"
        )
        self._expect(not list(ledger.verify()), "the ledger is sound")

    def _file(self, authority: "SkatSandbox", gateway: "Gateway") -> "Submission":
        name = authority.example_name(_SERVICE, seed=1)
        report = self._folder / "report.zip"
        report.write_bytes(authority.example(_SERVICE, seed=1))
        self._step(f"A report of interest on loans is filed: {report.stat().st_size} bytes, as {name}")
        with self._out.progress(name) as progress:
            filed = gateway.submit(report, service=_SERVICE, name=name, progress=progress)
        self._expect(filed.state is State.SENT, f"{filed.state.value}: {filed.history[-1].evidence.detail}")
        return filed

    def _file_twice(self, authority: "SkatSandbox", gateway: "Gateway", filed: "Submission") -> None:
        self._step("The nightly job runs twice, and somebody makes two mistakes")
        report = self._folder / "report.zip"
        again = gateway.submit(report, service=_SERVICE, name=filed.name)
        self._expect(again.id == filed.id, "same name, same content: it is the same filing, nothing was sent")
        other = self._folder / "other.zip"
        other.write_bytes(authority.example(_SERVICE, seed=2))
        refusals: tuple[tuple[Path, str, type[errors.AlreadyFiled], str], ...] = (
            (other, filed.name, errors.DuplicateName, "same name, other content"),
            (report, authority.example_name(_SERVICE, seed=3), errors.DuplicateContent, "other name, same content"),
        )
        for document, name, kind, words in refusals:
            refused: errors.GovfileError | None = None
            try:
                gateway.submit(document, service=_SERVICE, name=name)
            except errors.AlreadyFiled as error:
                refused = error
            said = f"refused, {type(refused).__name__}: {refused.what}" if refused else "it was NOT refused"
            self._expect(isinstance(refused, kind), f"{words}: {said}")
        self._expect(len(authority.arrived) == 1, "the gateway has heard of one upload only")

    def _lose_the_link(self, authority: "SkatSandbox", gateway: "Gateway") -> "Submission":
        from govfile.sandbox.skat import LinkLoss

        self._step("The link breaks after the last byte, before the gateway confirms")
        report = self._folder / "second.zip"
        report.write_bytes(authority.example(_SERVICE, seed=4))
        name = authority.example_name(_SERVICE, seed=4)
        unknown: errors.OutcomeUnknown | None = None
        with authority.faults.during(link_loss=LinkLoss.AFTER_DATA_KEPT):
            try:
                gateway.submit(report, service=_SERVICE, name=name)
            except errors.OutcomeUnknown as error:
                unknown = error
        self._expect(unknown is not None, f"it may or may not have arrived: {unknown.what if unknown else 'NOT SAID'}")
        heard = len(authority.arrived)
        lost = gateway.submit(report, service=_SERVICE, name=name)
        self._expect(
            lost.state is State.UNKNOWN and len(authority.arrived) == heard,
            "filing it again sends nothing; its status will tell",
        )
        return lost

    def _answered(self, final: "Submission") -> None:
        proofs = {event.evidence.proof for event in final.history}
        whole = {Proof.HANDED_OVER, Proof.TAKEN, Proof.ANSWERED} <= proofs
        kept = bool(final.answers) and all(answer.path.is_file() for answer in final.answers)
        files = ", ".join(answer.path.name for answer in final.answers) or "no answer"
        self._expect(final.state is State.ANSWERED and whole and kept, f"{final.name}: {show.word_for(final)}; {files}")
        show.history(self._out, final)

    def _step(self, text: str) -> None:
        self._out.say(f"\n{printable(text)}")
        self._out.record("step", text=text)

    def _expect(self, holds: bool, text: str) -> None:
        self._held = self._held and holds
        self._out.say(f"   {'ok    ' if holds else 'WRONG '} {printable(text)}")
        self._out.record("held" if holds else "wrong", text=text)
