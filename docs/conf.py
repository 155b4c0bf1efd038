"""How the documentation is built: Sphinx, MyST, furo; nitpicky, every warning an error (`nox -s docs`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", tidy)
