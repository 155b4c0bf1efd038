"""What `govfile.onss` offers: each name loads on first use, and is the one that type checkers see."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from govfile import onss
from support.repository import PACKAGE, tree


def test_the_names_for_the_type_checker_are_the_names_at_run_time() -> None:
    (guarded,) = [
        node
        for node in tree(PACKAGE / "onss" / "__init__.py").body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    promised = {
        alias.asname: node.module for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert (
        sorted(name for name in promised if name)
        == list(onss.__all__)
        == [name for name in dir(onss) if not name.startswith("_")]
    )
    for name, home in promised.items():
        assert name is not None
        assert home is not None
        assert getattr(sys.modules.get(home) or __import__(home, fromlist=[name]), name) is getattr(onss, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'BatchNmae'"):
        onss.BatchNmae  # noqa: B018


def test_the_door_opens_without_the_heavy_packages() -> None:
    program = (
        "import sys; from govfile import onss; onss.BatchName; onss.purpose('DMFA'); onss.explain('ACRF-125');"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    heavy = {"OpenSSL", "cryptography", "lxml", "paramiko", "signxml", "sqlalchemy", "zeep", "asyncssh", "typer"}
    assert sorted(heavy & set(loaded)) == []
