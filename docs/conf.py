"""How the documentation is built: Sphinx, MyST, furo; nitpicky, every warning an error (`nox -s docs`)."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from typing import TYPE_CHECKING, Any

from sphinx.addnodes import desc_signature, pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform

import govfile

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "govfile"
author = "The govfile founders"
copyright = "2026, the govfile founders"
version = release = govfile.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "conftest.py"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"govfile {version}"
html_show_sphinx = False

default_role = "code"
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_type_aliases = {"Source": "govfile.filing.source.Source"}
autodoc_preserve_defaults = True
add_module_names = False


#: What signatures mention and this documentation does not describe: the standard library and the packages below us.
nitpick_ignore_regex = [
    (r"py:class", r"govfile\.(.+\.)?_.*"),  # private
    (r"py:class", r"govfile\.sandbox\.skat\.identities\.Registry"),  # inside a Host, nobody's to make
    (r"py:.*", r"(?!govfile\.).*"),
]


def tidy(_app: Sphinx, what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Make our plain docstrings fit for reStructuredText.

    A module's own docstring is for readers of the source: the pages here say the same at more length. Elsewhere a list
    of described names may end without the blank line that reStructuredText wants.
    """
    if what == "module":
        lines.clear()
    spaced: list[str] = []
    for line in lines:
        if spaced and spaced[-1] and line and _indent(line) < _indent(spaced[-1]):
            spaced.append("")
        spaced.append(line)
    lines[:] = spaced


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


class Qualified(SphinxPostTransform):
    """Lead each name in a signature to the object its own module means by it.

    Two authorities have an `Environment`; Sphinx sees the bare name, and would take either.
    """

    default_priority = 5  # before references are resolved

    def run(self, **_: Any) -> None:
        """Rewrite the targets of one page."""
        described = self.env.domains["py"].objects
        for node in self.document.findall(pending_xref):
            name, module = node.get("reftarget", ""), _module_of(node)
            if node.get("refdomain") == "py" and module and "." not in name:
                whole = _meant(module).get(name, "")
                if whole in described or (whole and not whole.startswith("govfile.")):
                    node["reftarget"] = whole


def _module_of(node: Any) -> str:
    """The module whose signature holds the node, "" where none does."""
    while node is not None and not isinstance(node, desc_signature):
        node = node.parent
    if node is None or not node.get("module"):
        return ""
    found: object = importlib.import_module(node["module"])
    for name in node["fullname"].split("."):
        found = getattr(found, name, None)
    inherited = getattr(found, "fget", found)  # of a property, the function behind it
    return getattr(inherited, "__module__", None) or str(node["module"])


@functools.cache
def _meant(module: str) -> dict[str, str]:
    """The names a module uses, and where each is defined; those imported for type checkers too."""
    home = importlib.import_module(module)
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(inspect.getsource(home))):
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            if not (node.module or "").startswith("govfile"):
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            else:
                meant = getattr(importlib.import_module(str(node.module)), alias.name, None)
                if inspect.isclass(meant):
                    found[alias.asname or alias.name] = f"{meant.__module__}.{meant.__qualname__}"
    return found | {name: f"{module}.{name}" for name, kind in vars(home).items() if _is_own(kind, module)}


def _is_own(kind: object, module: str) -> bool:
    return inspect.isclass(kind) and kind.__module__ == module


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_post_transform(Qualified)
    app.connect("autodoc-process-docstring", tidy)
