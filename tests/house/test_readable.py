"""Each file can be read in one sitting, each function on one screen, and every public name says what it is."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

from support.repository import PACKAGE, ROOT, modules, nodes, tree

if TYPE_CHECKING:
    from collections.abc import Iterator

SITTING = 400
SCREEN = 50

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_each_file_can_be_read_in_one_sitting() -> None:
    folders = (PACKAGE, ROOT / "tests", ROOT / "benchmarks", ROOT / "examples")
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in folders
        for path in folder.rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > SITTING
    }
    assert long == {}


def test_each_function_fits_on_one_screen() -> None:
    long = {
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}": lines
        for path in modules()
        for node in nodes(path)
        if isinstance(node, FUNCTIONS) and (lines := _lines(node)) > SCREEN
    }
    assert long == {}


def test_every_public_name_says_what_it_is() -> None:
    silent = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}"
        for path in modules()
        if not path.stem.startswith("_") or path.stem in {"__init__", "__main__"}
        for node in public(tree(path))
        if ast.get_docstring(node) is None and not is_described_elsewhere(node)
    ]
    assert silent == []


def test_every_module_says_what_it_is_for() -> None:
    assert [str(path.relative_to(PACKAGE)) for path in modules() if ast.get_docstring(tree(path)) is None] == []


def test_nothing_in_the_package_is_a_promise() -> None:
    """No stubs, no notes to ourselves, no errors swallowed whole."""
    unfinished = re.compile(r"raise NotImplementedError|\bTO" + r"DO\b|\bFIX" + r"ME\b|\bXXX\b|except Exception: *pass")
    found = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in modules()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if unfinished.search(line)
    ]
    assert found == []


def public(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """The public functions, classes and methods, at any depth of public classes."""
    for child in node.body:
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef) and not extends_a_foreign_class(child):
                yield from public(child)


def extends_a_foreign_class(node: ast.ClassDef) -> bool:
    """Whether its methods carry out what another package describes (a server's handler, say)."""
    bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
    return bool(bases - _our_classes() - {"Protocol", "Exception", "Enum", "NamedTuple", "TypedDict", "Generic"})


@cache
def _our_classes() -> frozenset[str]:
    return frozenset(node.name for path in modules() for node in nodes(path) if isinstance(node, ast.ClassDef))


def is_described_elsewhere(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether it carries out a method that a protocol of ours describes, or is one more form of a described name."""
    decorators = {ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])}
    if any(name.endswith((".setter", ".deleter", "overload", "override")) for name in decorators):
        return True
    return isinstance(node, FUNCTIONS) and node.name in _described_by_protocols()


@cache
def _described_by_protocols() -> set[str]:
    return {
        method.name
        for path in modules()
        for node in nodes(path)
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
        for method in public(node)
        if ast.get_docstring(method)
    }


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code, from `def` to the end, without the docstring."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length
