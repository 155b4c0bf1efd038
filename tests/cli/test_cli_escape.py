"""What an authority writes is printed as text, never acted upon by the terminal or by rich."""

from __future__ import annotations

import io
import json

import pytest

from govfile.cli.escape import printable
from govfile.cli.output import Output
from govfile.errors import ProtocolError, Rejected

HOSTILE = "\x1b[2Jgone\x9b31m\r\n[bold red]x[/] \u202eedoc\u200b\x07"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Fil afleveret til backend", "Fil afleveret til backend"),
        ("Årsopgørelse 2025", "Årsopgørelse 2025"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("one\ntwo\r\tthree", "one\\ntwo\\r\\tthree"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
        ("\u2028", "\\u2028"),
        ("C:\\new", "C:\\new"),
        (17, "17"),
    ],
)
def test_g02_text_is_shown_and_controls_are_spelled_out(given: object, shown: str) -> None:
    assert printable(given) == shown


def test_g02_an_authority_text_in_an_error_reaches_the_terminal_escaped() -> None:
    stderr = io.StringIO()
    Output(stderr=stderr).error(Rejected(f"refused: {HOSTILE}", code="X", advice=HOSTILE))
    assert not set(stderr.getvalue()) & set("\x1b\x9b\r\x07\u202e\u200b")
    assert stderr.getvalue().count("\n") == 2


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO, _Terminal])
def test_g02_a_table_shows_markup_as_written(stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm-256color")
    stdout = stream()
    Output(stdout=stdout).table(("state", "text"), [("sent", HOSTILE), ("x", "[link=http://example.test]y[/link]")])
    assert "[bold red]x[/]" in stdout.getvalue()
    assert "[link=http://example.test]y[/link]" in stdout.getvalue()
    assert not set(stdout.getvalue()) & set("\x9b\r\x07\u202e\u200b")
    assert "\x1b[2J" not in stdout.getvalue()


def test_g02_json_carries_the_text_whole_and_in_ascii() -> None:
    stdout = io.StringIO()
    Output(as_json=True, stdout=stdout).error(ProtocolError(HOSTILE), about="a.zip")
    assert stdout.getvalue().isascii()
    found = json.loads(stdout.getvalue())
    assert (found["schema"], found["kind"], found["what"], found["about"]) == (1, "error", HOSTILE, "a.zip")


def test_a_reader_that_goes_away_ends_the_printing_not_the_work() -> None:
    class Gone(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    out = Output(stdout=Gone(), stderr=Gone())
    out.say("one")
    out.note("two")
    out.say("three")
    assert out.closed
