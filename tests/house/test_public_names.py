"""The front door: what `govfile` offers, and what opening it costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import govfile

HEAVY = (
    "OpenSSL",
    "SQLAlchemy",
    "sqlalchemy",
    "cryptography",
    "lxml",
    "paramiko",
    "signxml",
    "typer",
    "rich",
    "zeep",
    "attrs",
    "attr",
)


def test_every_public_name_is_importable() -> None:
    missing = [name for name in govfile.__all__ if not hasattr(govfile, name)]
    assert missing == []


def test_the_public_names_are_sorted_and_few() -> None:
    assert list(govfile.__all__) == sorted(set(govfile.__all__))
    assert len(govfile.__all__) <= 40


def test_nothing_is_public_by_accident() -> None:
    """A fresh interpreter: what is there without asking is either private, a module of ours, or promised."""
    found = _ask("import govfile; print(json.dumps([n for n in vars(govfile) if not n.startswith('_')]))")
    assert set(found) - set(govfile.__all__) <= {"annotations", "TYPE_CHECKING", "on_first_use"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Sumbission'"):
        govfile.Sumbission  # noqa: B018


def test_the_names_for_the_type_checker_are_the_names_at_run_time() -> None:
    """`from x import y as y` under TYPE_CHECKING and the table of homes must not drift apart."""
    import ast

    from support.repository import PACKAGE, tree

    (guarded,) = [
        node
        for node in tree(PACKAGE / "__init__.py").body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    promised = {
        alias.asname: node.module for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert sorted(name for name in promised if name) == sorted(govfile.__all__)
    for name, home in promised.items():
        assert home is not None
        assert name is not None
        owner = getattr(govfile, name)
        assert getattr(sys.modules[home], name) is owner, f"{name} comes from elsewhere at run time"


@pytest.mark.parametrize(
    "module", ["govfile", "govfile.errors", "govfile.filing.states", "govfile.certificates.secret"]
)
def test_the_door_opens_without_the_heavy_packages(module: str) -> None:
    loaded = _ask(f"import {module}; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))")
    assert sorted(set(HEAVY) & set(loaded)) == []


def test_no_use_of_the_sandbox_or_command_line_comes_with_the_client() -> None:
    loaded = _ask("from govfile import skat, Ledger; skat.Gateway; print(json.dumps(sorted(sys.modules)))")
    assert [name for name in loaded if name.startswith(("govfile.sandbox", "govfile.cli", "pyftpdlib"))] == []


def _ask(program: str) -> list[str]:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", f"import json, sys; {program}"]
    found: list[str] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def test_a_program_that_sets_no_logging_hears_nothing() -> None:
    code = "import govfile, logging; logging.getLogger('govfile.vero').error('for whoever asks')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
