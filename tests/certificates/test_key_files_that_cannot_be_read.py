"""A missing, unreadable, empty or huge file, and things that are no path, are told apart."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

from govfile import Credential, CredentialError, Secret
from govfile.certificates.public import PublicHalf
from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError, GovfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support import pki

_READERS: list[tuple[Callable[..., object], type[GovfileError]]] = [
    (Credential.from_pkcs12, CredentialError),
    (Credential.from_pem, CredentialError),
    (PublicHalf.read, CredentialError),
    (Trust.only, ConfigurationError),
]


@pytest.fixture(params=_READERS, ids=lambda reader: reader[0].__qualname__)
def reader(request: pytest.FixtureRequest) -> tuple[Callable[..., object], type[GovfileError]]:
    found: tuple[Callable[..., object], type[GovfileError]] = request.param
    return found


def _refused(reader: tuple[Callable[..., object], type[GovfileError]], source: object) -> str:
    read, error = reader
    with pytest.raises(error) as refused:
        read(source)
    return str(refused.value)


def test_a_missing_file(reader: tuple[Callable[..., object], type[GovfileError]], tmp_path: Path) -> None:
    assert "absent.p12' does not exist" in _refused(reader, tmp_path / "absent.p12")


def test_a_folder(reader: tuple[Callable[..., object], type[GovfileError]], tmp_path: Path) -> None:
    assert "is a folder" in _refused(reader, tmp_path)


def test_an_empty_file(reader: tuple[Callable[..., object], type[GovfileError]], tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert "is empty" in _refused(reader, tmp_path / "empty")
    assert "is empty" in _refused(reader, b"")


def test_an_endless_file(reader: tuple[Callable[..., object], type[GovfileError]]) -> None:
    assert "is larger than" in _refused(reader, "/dev/zero")


def test_a_file_of_another_user(reader: tuple[Callable[..., object], type[GovfileError]], tmp_path: Path) -> None:
    place = tmp_path / "private.pem"
    place.write_bytes(b"x")
    place.chmod(0)
    with _no_longer_root():
        assert "may not be read by this user" in _refused(reader, place)


def test_a_path_too_long_for_the_system(reader: tuple[Callable[..., object], type[GovfileError]]) -> None:
    assert "cannot be read" in _refused(reader, "x" * 5000)


@pytest.mark.parametrize("source", ["", "a\0b", "two\nlines", 7, None, 1.5])
def test_what_is_no_path(reader: tuple[Callable[..., object], type[GovfileError]], source: object) -> None:
    assert "is given as" in _refused(reader, source)


def test_the_text_of_a_key_in_place_of_its_path_is_not_shown(
    reader: tuple[Callable[..., object], type[GovfileError]], company: pki.Identity
) -> None:
    text = company.key_pem().decode()
    for given in (text, text.replace("\n", "")):
        message = _refused(reader, given)
        assert text[40:60] not in message
        assert "no path" in message


def test_no_message_holds_key_material(company: pki.Identity, tmp_path: Path) -> None:
    place = tmp_path / "broken.pem"
    key = company.key_pem()
    place.write_bytes(key[:400] + b"!!!!" + key[404:] + company.pem)
    with pytest.raises(CredentialError) as refused:
        Credential.from_pem(place, Secret("x"))
    shown = str(refused.value) + repr(refused.value) + str(refused.value.__cause__)
    assert key[100:130].decode() not in shown


@contextlib.contextmanager
def _no_longer_root() -> Iterator[None]:
    """Root may read everything, so become somebody else for a moment; others are restrained by the mode."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
