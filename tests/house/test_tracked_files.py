"""What is in the repository belongs there: no secrets, no traces of one machine."""

from __future__ import annotations

import re

import pytest

from support.repository import ROOT, tracked

TRACES = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/=]{40}"),
    "a path of one machine": re.compile(rb"(?<![\w.~/-])/" + rb"(?:work|root)/\w"),
    "the host of a package index": re.compile(
        rb"(?:py" + rb"pi\.org|python" + rb"hosted\.org|registry\.npm" + rb"js|deb\.de" + rb"bian\.org)"
    ),
    "papers that do not ship": re.compile(rb"(?<![\w./-])sha" + rb"red/(?!vectors)"),
    "a Windows or editor leftover": re.compile(rb"\A\xef\xbb\xbf|\r\n$"),
}


@pytest.mark.parametrize("what", TRACES)
def test_no_tracked_file_holds(what: str) -> None:
    found = [str(path.relative_to(ROOT)) for path in tracked() if TRACES[what].search(path.read_bytes())]
    assert found == []


def test_no_key_store_is_tracked() -> None:
    """Every key of the tests is made while they run."""
    stores = {".p12", ".pfx", ".pem", ".key", ".jks", ".der", ".cer", ".crt", ".db", ".sqlite"}
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.suffix.lower() in stores] == []


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in tracked() if path.name.startswith("test_") and path.suffix == ".py"]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
