"""Run the code in the documentation: each page is a program of its own, in an empty folder."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh working folder for one page."""
    here = tmp_path_factory.mktemp("page")
    with contextlib.chdir(here):
        yield here


pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=["*.md"], fixtures=["empty_folder"]).pytest()
