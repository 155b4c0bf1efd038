"""The command as a program: quick to start, truthful exit codes, no tracebacks, completion, signals."""

from __future__ import annotations

import subprocess
import sys

import pytest

import govfile
from govfile.__main__ import main
from govfile.cli import exits
from govfile.cli.commands import Terminated
from support.cli import command, run, spawn

HEAVY = ("OpenSSL", "sqlalchemy", "lxml", "paramiko", "zeep", "signxml", "rich", "cryptography", "pyftpdlib")


def test_help_names_the_commands_and_the_exit_codes() -> None:
    found = run("--help")
    assert found.code == 0
    for name in ("demo", "skat", "onss", "ledger", "cert", "doctor", "sandbox", "--install-completion"):
        assert name in found.out
    for code, meaning in exits.MEANINGS.items():
        assert f"{code.value}  {meaning}" in found.out


@pytest.mark.parametrize(
    "arguments", [["--help"], ["skat", "submit", "--help"], ["doctor", "skat", "--help"], ["demo", "--help"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from govfile.cli import run; sys.argv[1:] = sys.argv[1:]; code = run();"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert ended.stderr.split() == ["LOADED"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["skat"],
        ["skat", "nonsense"],
        ["skat", "submit"],
        ["skat", "submit", "a.zip"],
        ["skat", "submit", "a.zip", "--service"],
        ["ledger", "list", "--state", "nonsense"],
        ["ledger", "list", "--limit", "many"],
        ["cert", "export", "--format", "nonsense"],
        ["--nonsense"],
    ],
)
def test_a_wrong_command_line_exits_with_2(arguments: list[str]) -> None:
    found = run(*arguments)
    assert found.code == 2
    assert found.out == "" or "Usage" in found.out


def test_version() -> None:
    assert spawn("--version").out == f"govfile {govfile.__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_offers_groups_commands_and_choices(shell: str) -> None:
    for words, offered in (
        ("govfile ", {"skat", "onss", "ledger", "cert", "doctor", "sandbox", "demo"}),
        ("govfile onss ", {"submit", "collect", "watch", "names", "verify"}),
        ("govfile ledger ", {"list", "show", "export", "verify"}),
        ("govfile ledger list --state ", {"unknown", "answered"}),
    ):
        found = spawn(
            env={
                "_GOVFILE_COMPLETE": f"complete_{shell}",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split())),
                "_TYPER_COMPLETE_ARGS": words,
                "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            }
        )
        assert found.code == 0, found.err
        for word in offered:
            assert word in found.out, (words, found.out)


def test_show_completion_prints_a_script() -> None:
    found = spawn(
        "--show-completion", "bash", env={"SHELL": "/bin/bash", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    )
    assert found.code == 0
    assert "_GOVFILE_COMPLETE=complete_bash" in found.out


def test_an_error_is_told_in_three_lines_without_a_traceback_unless_asked(tmp_path: object) -> None:
    plain = spawn("ledger", "list", "--config", f"{tmp_path}/none.toml")
    assert plain.code == 2
    assert plain.err.startswith("govfile: there is no configuration file")
    assert "  next:    give --config PATH" in plain.err
    assert "Traceback" not in plain.err
    debug = spawn("ledger", "list", "--config", f"{tmp_path}/none.toml", "--debug")
    assert debug.code == 2
    assert "Traceback" in debug.err


def test_an_error_with_json_is_one_record(tmp_path: object) -> None:
    found = spawn("ledger", "list", "--json", "--config", f"{tmp_path}/none.toml")
    (record,) = found.records
    assert (found.code, found.err) == (2, "")
    assert (record["kind"], record["type"], record["retry"]) == ("error", "ConfigurationError", "never")


def test_g09_without_the_extra_one_line_names_it() -> None:
    code = "import sys; sys.modules['typer'] = None; from govfile.__main__ import main; sys.exit(main())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "govfile: the command line needs typer: pip install 'govfile[cli]'\n"


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_g06_stopped_while_it_is_loaded_it_ends_in_one_line(
    stop: type[KeyboardInterrupt], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise stop

    monkeypatch.setattr("govfile.cli.run", interrupted)
    assert main() == code
    assert capsys.readouterr().err == "govfile: interrupted\n"


def test_g08_a_name_the_terminal_cannot_show_is_no_crash(tmp_path: object) -> None:
    ended = subprocess.run(
        command("cert", "inspect", f"{tmp_path}/Årsopgørelse-\udcff.p12"),
        capture_output=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )
    assert ended.returncode == 5
    assert b"Traceback" not in ended.stderr


def test_g10_clean_under_warnings_as_errors_and_dev_mode() -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-m", "govfile", "ledger", "list", "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
