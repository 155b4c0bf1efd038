"""How the documentation is built: Sphinx, MyST, furo; nitpicky, every warning an error (`nox -s docs`)."""

from __future__ import annotations

import govfile

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
    (r"py:.*", r"(?!govfile\.).*"),
]
