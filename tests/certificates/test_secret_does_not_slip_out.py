"""A `Secret` shows its text to `reveal()` and to nothing else."""

from __future__ import annotations

import copy
import io
import json
import logging
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile import ConfigurationError, Secret
from govfile.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = "hemmelig-9f2c-æøå"


@attrs.frozen
class Login:
    user: str
    password: Secret


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        ascii,
        lambda secret: f"{secret!s} {secret!r}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - this very form is tried
        lambda secret: repr([secret, {"password": secret}]),
        lambda secret: repr(Login("user", secret)),
        lambda secret: str(attrs.asdict(Login("user", secret))),
        lambda secret: json.dumps({"password": secret}, default=str),
        lambda secret: " ".join(dir(secret)),
    ],
)
def test_whatever_prints_it_shows_a_mask(show: Callable[[Secret], str]) -> None:
    assert TEXT not in show(Secret(TEXT))


def test_print_and_logging_show_a_mask() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("test.secret")
    logger.addHandler(handler)
    try:
        logger.warning("password %s", Secret(TEXT))
        logger.warning("password %(password)r", {"password": Secret(TEXT)})
        print(Secret(TEXT), file=stream)
    finally:
        logger.removeHandler(handler)
    assert stream.getvalue().count("Secret('…')") == 3
    assert TEXT not in stream.getvalue()


@pytest.mark.parametrize(
    "misuse",
    [
        lambda secret: f"{secret}",
        lambda secret: f"{secret:>20}",
        "{}".format,
        lambda secret: "PASS " + secret,
        lambda secret: " ".join(["PASS", secret]),  # noqa: FLY002 - this very form is tried
        json.dumps,
        len,
        iter,
        bytes,
        vars,
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        lambda secret: copy.deepcopy(Login("user", secret)),
        lambda secret: secret.__getstate__(),
        lambda secret: secret.__reduce_ex__(4),
    ],
)
def test_formatting_joining_and_copying_are_refused_without_the_text(misuse: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError) as refused:
        misuse(Secret(TEXT))
    assert TEXT not in str(refused.value)


def test_it_equals_only_itself() -> None:
    secret: Any = Secret(TEXT)
    assert secret == secret
    assert secret != Secret(TEXT)
    assert secret != TEXT
    assert len({secret, Secret(TEXT)}) == 2


def test_reveal_gives_the_text() -> None:
    assert Secret(TEXT).reveal() == TEXT


def test_only_text_becomes_a_secret() -> None:
    with pytest.raises(ConfigurationError, match="bytes"):
        Secret(b"bytes")  # type: ignore[arg-type]


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVFILE_TEST_SECRET", TEXT)
    assert Secret.from_env("GOVFILE_TEST_SECRET").reveal() == TEXT
    for absent in ("", None):
        if absent is None:
            monkeypatch.delenv("GOVFILE_TEST_SECRET")
        else:
            monkeypatch.setenv("GOVFILE_TEST_SECRET", absent)
        with pytest.raises(ConfigurationError, match="GOVFILE_TEST_SECRET is not set"):
            Secret.from_env("GOVFILE_TEST_SECRET")


@pytest.mark.parametrize("written", ["{}", "{}\n", "{}\r\n", "\ufeff{}\r\n"])
def test_from_a_file_without_its_line_end(tmp_path: Path, written: str) -> None:
    place = tmp_path / "secret"
    place.write_bytes(written.format(TEXT).encode())
    assert Secret.from_file(place).reveal() == TEXT


def test_spaces_in_a_file_belong_to_the_secret(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    place.write_text(" a b \n")
    assert Secret.from_file(place).reveal() == " a b "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"one\ntwo\n", "more than one line"),
        (b"x" * 65_535 + "å".encode(), "larger than 64 KiB"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("two".encode("utf-16-le"), "not UTF-8"),
    ],
)
def test_a_file_that_is_no_secret_is_refused_unseen(tmp_path: Path, content: bytes, message: str) -> None:
    place = tmp_path / "secret"
    place.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message) as refused:
        Secret.from_file(place)
    assert "two" not in str(refused.value)


def test_a_secret_in_another_encoding_is_not_in_the_errors_causes(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    place.write_bytes(TEXT.encode("latin-1"))
    with pytest.raises(ConfigurationError, match="not UTF-8") as refused:
        Secret.from_file(place)
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)


def test_a_variable_in_another_encoding_is_refused_unseen() -> None:
    program = "from govfile import Secret; Secret.from_env('GOVFILE_TEST_SECRET')"
    answer = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program],
        env={**os.environb, b"GOVFILE_TEST_SECRET": TEXT.encode("latin-1")},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"ConfigurationError: the environment variable GOVFILE_TEST_SECRET is not UTF-8 text" in answer.stderr
    assert TEXT[:12].encode() not in answer.stderr


def test_text_that_cannot_be_encoded_is_refused_unseen() -> None:
    with pytest.raises(ConfigurationError, match="cannot be encoded") as refused:
        Secret("hemmelig \udcf8")
    assert "hemmelig" not in str(refused.value)


def test_a_path_with_nul_is_our_error() -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Secret.from_file("a\0b")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for place in (tmp_path / "absent", tmp_path):
        with pytest.raises(ConfigurationError, match=place.name) as refused:
            Secret.from_file(place)
        assert refused.value.advice


def test_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    monkeypatch.setattr(keyring, "get_password", lambda *who: {("skat", "user"): TEXT}.get(who))
    assert Secret.from_keyring("skat", "user").reveal() == TEXT
    with pytest.raises(ConfigurationError, match="holds nothing for nobody"):
        Secret.from_keyring("skat", "nobody")


def test_a_keyring_that_fails_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    import keyring.errors

    def fail(*_: str) -> str:
        raise keyring.errors.KeyringLocked("locked")

    monkeypatch.setattr(keyring, "get_password", fail)
    with pytest.raises(ConfigurationError, match="KeyringLocked"):
        Secret.from_keyring("skat", "user")


def test_a_keyring_that_does_not_exist_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring.core

    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no_such_module.Keyring")
    with pytest.raises(ConfigurationError, match="the keyring cannot be read: ModuleNotFoundError") as refused:
        Secret.from_keyring("skat", "user")
    assert "keyring --list-backends" in refused.value.advice


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(MissingExtra, match=r"govfile\[keyring\]"):
        Secret.from_keyring("skat", "user")
