"""How commands are declared: every one gets the common options, a session, and one way of ending."""

from __future__ import annotations

import contextlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from govfile.cli import exits
from govfile.cli.escape import printable
from govfile.cli.output import Output
from govfile.cli.session import Session
from govfile.errors import GovfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_F = TypeVar("_F", bound="Callable[..., exits.Exit]")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", envvar="GOVFILE_CONFIG", metavar="PATH", help="Configuration file [govfile.toml]."),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile", envvar="GOVFILE_PROFILE", metavar="NAME", help="Profile in it [`default`, or the only one]."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks, and log what happens.")]

_PROFILE_OPTIONS: dict[str, Any] = {"config": ConfigOption, "profile": ProfileOption}
_COMMON_OPTIONS: dict[str, Any] = {"as_json": JsonOption, "debug": DebugOption}
_DEFAULTS = {"config": None, "profile": None, "as_json": False, "debug": False}


class Terminated(KeyboardInterrupt):
    """SIGTERM, taken the way Ctrl-C is."""


def new_app(help_text: str, **more: Any) -> typer.Typer:
    """A group of commands; help is plain text, so that rich is only loaded where something is drawn."""
    return typer.Typer(help=help_text, rich_markup_mode=None, no_args_is_help=True, add_completion=False, **more)


def command(app: typer.Typer, name: str, *, profile: bool = True) -> Callable[[_F], _F]:
    """Declare a function `(session, …) -> Exit` as the command `name`, with --json, --debug and, where `profile`,
    --config and --profile.
    """
    common = {**(_PROFILE_OPTIONS if profile else {}), **_COMMON_OPTIONS}

    def declare(function: _F) -> _F:
        def run(**given: Any) -> None:
            chosen = {key: given.pop(key) for key in common}
            session = Session(
                out=Output(as_json=chosen["as_json"]),
                config=chosen.get("config"),
                profile_name=chosen.get("profile"),
                debug=chosen["debug"],
            )
            raise typer.Exit(int(_ended(function, session, given)))

        declared = inspect.signature(function, eval_str=True)
        own = [part for key, part in declared.parameters.items() if key != "session"]
        added = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS[key], annotation=kind)
            for key, kind in common.items()
        ]
        parameters = [*(part.replace(kind=inspect.Parameter.KEYWORD_ONLY) for part in own), *added]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {part.name: part.annotation for part in parameters}
        app.command(name, help=inspect.getdoc(function))(run)
        return function

    return declare


def _ended(function: Callable[..., exits.Exit], session: Session, given: dict[str, Any]) -> exits.Exit:
    try:
        with _logging(session):
            code = function(session, **given)
    except GovfileError as error:
        _trace(session)
        session.out.error(error)
        code = exits.of_error(error)
    except KeyboardInterrupt as interrupt:
        _trace(session)
        session.out.note(f"govfile: {stopped_by(interrupt)}")
        code = exit_of(interrupt)
    if session.out.lost:
        session.out.note(f"govfile: standard output could not be written: {session.out.lost}")
        return exits.worst((code, exits.Exit.OTHER))
    return code


def _trace(session: Session) -> None:
    if session.debug:
        import traceback

        session.out.note(traceback.format_exc().rstrip())


def exit_of(interrupt: KeyboardInterrupt) -> exits.Exit:
    """The exit code for an interruption: 143 for SIGTERM, 130 for Ctrl-C."""
    return exits.Exit.TERMINATED if isinstance(interrupt, Terminated) else exits.Exit.INTERRUPTED


def stopped_by(interrupt: KeyboardInterrupt) -> str:
    """What stopped the command, for people."""
    return "ended by SIGTERM" if isinstance(interrupt, Terminated) else "interrupted"


@contextlib.contextmanager
def _logging(session: Session) -> Iterator[None]:
    """The library's warnings go to standard error, escaped; with --debug all that it logs, with times."""
    import logging

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            session.out.note(printable(self.format(record)))

    notes, library = Notes(), logging.getLogger("govfile")
    words = "%(asctime)s %(name)s %(levelname)s %(message)s" if session.debug else "govfile: note: %(message)s"
    notes.setFormatter(logging.Formatter(words))
    before = library.level
    library.addHandler(notes)
    library.setLevel(logging.DEBUG if session.debug else logging.WARNING)
    try:
        yield
    finally:
        library.removeHandler(notes)
        library.setLevel(before)
