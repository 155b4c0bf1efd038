"""`govfile onss names`: what a file's name says, what the authority would refuse in it, and what belongs with it."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from govfile.cli import exits
from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.onss import app
from govfile.cli.session import Session
from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from govfile.onss.name_rules import NameFault
    from govfile.onss.names import BatchName

_ENVIRONMENTS = {"R": "real", "T": "circuit test", "S": "declaration test"}


@command(app, "names", profile=False)
def names(
    session: Session,
    given: Annotated[list[str], typer.Argument(metavar="NAME", help="Names of files, sent or received.")],
    sender: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="The login's sender number: names to send must bear it.")
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Judge dates as of this day, YYYY-MM-DD [today in Belgium].")
    ] = None,
    as_set: Annotated[bool, typer.Option("--set", help="Also judge whether they make up one whole set.")] = False,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="The set is to have no FS files.")] = False,
) -> Exit:
    """Explain names of batch files, and say what the authority would refuse in them, with its code.

    Asks nobody. Exits with 2 when a name, or the set, would be refused.
    """
    from govfile.onss.accounts import check_sender

    own = None if sender is None else check_sender(sender)
    day = _day(on)
    codes = [_judge(session, name, day, own) for name in given]
    if as_set:
        codes.append(_judge_set(session, given, signed=not unsigned))
    elif unsigned:
        raise ConfigurationError("--unsigned is about a set", advice="give --set with it")
    return exits.worst(codes)


def _day(text: str | None) -> date:
    from govfile.onss.brussels import today

    if text is None:
        return today()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"--on {printable(text)} is no date", advice="e.g. 2026-03-02") from error


def _judge(session: Session, name: str, day: date, own: str | None) -> Exit:
    from govfile.onss.name_rules import faults_of
    from govfile.onss.names import BatchName

    found = BatchName.recognise(name)
    is_answer = found is not None and _is_answer(found)
    # Answers are the authority's own: short forms are theirs, and their sender is not ours.
    faults = faults_of(name, on=None if is_answer else day, sender=None if is_answer else own, strictly=not is_answer)
    session.out.say(f"{printable(name)}")
    if found is not None:
        for label, value in _words(found):
            session.out.say(f"  {label + ':':<13}{printable(value)}")
    _say_faults(session, faults)
    session.out.record("name", name=name, faults=_plain(faults), **_fields(found))
    return Exit.USAGE if faults else Exit.DONE


def _is_answer(name: "BatchName") -> bool:
    return name.prefix.value in ("FO", "CO") or name.sender == "999999"


def _words(name: "BatchName") -> list[tuple[str, str]]:
    from govfile.onss.purposes import PURPOSES

    known = PURPOSES.get(name.purpose)
    meaning = known.meaning if known else "not known to this version"
    created = name.date
    rest = [("triggered by", str(name.go()))]
    if _is_answer(name):
        rest = [("readable once", f"{name.go()} is there")]
    elif name.parts is not None:
        rest = [("the set", ", ".join(map(str, name.in_order())))]
    part = "" if name.part is None else f", this is part {name.part}"
    return [
        ("what it is", _PREFIXES[name.prefix.value]),
        ("purpose", f"{name.purpose}: {meaning}"),
        ("sender", name.sender),
        ("date", f"{created:%Y-%m-%d}" if created else f"{name.created}, which is no date"),
        ("sequence", name.sequence),
        ("environment", f"{name.environment}: {_ENVIRONMENTS[name.environment]}"),
        *([("parts", f"{name.parts}{part}")] if name.parts is not None else []),
        *rest,
    ]


_PREFIXES = {
    "FI": "declaration to send",
    "FS": "signature of the FI, FO or CO of the same name",
    "GO": "trigger of the files of the same name",
    "TD": "request to cancel the set of the same name",
    "FO": "answer",
    "CO": "answer, compressed",
}


def _fields(name: "BatchName | None") -> dict[str, Any]:
    if name is None:
        return {"is_name": False}
    return {
        "is_name": True,
        "prefix": name.prefix,
        "purpose": name.purpose,
        "sender": name.sender,
        "created": name.created,
        "sequence": name.sequence,
        "environment": name.environment,
        "parts": name.parts,
        "part": name.part,
    }


def _judge_set(session: Session, given: "Sequence[str]", *, signed: bool) -> Exit:
    from govfile.onss.name_rules import faults_of_set

    faults = faults_of_set(given, signed=signed)
    session.out.say("as a set:" if faults else "as a set: whole")
    _say_faults(session, faults)
    session.out.record("set", whole=not faults, faults=_plain(faults))
    return Exit.USAGE if faults else Exit.DONE


def _say_faults(session: Session, faults: "Iterable[NameFault]") -> None:
    for fault in faults:
        session.out.say(f"  refused:     {printable(fault)}")


def _plain(faults: "Iterable[NameFault]") -> list[dict[str, str]]:
    return [{"code": fault.code and f"ACRF-{fault.code}", "message": fault.message} for fault in faults]
