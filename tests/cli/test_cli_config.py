"""`govfile.toml`: what is unknown is named, secrets come by reference, paths mean what is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from govfile.cli import environment
from govfile.cli.config import Profile, load
from govfile.cli.output import Output
from govfile.cli.session import Session
from govfile.errors import ConfigurationError
from govfile.transports.ftps_policy import SessionReuse, TlsStart, TlsVersion

BASE = """
[profiles.default]
environment = "test"
credential = "company.p12"
passphrase = {env = "P12_PASSPHRASE"}
password = {env = "SKAT_PASSWORD"}
ledger = "filings.db"
"""


def _profile(folder: Path, text: str, name: str | None = None) -> Profile:
    file = folder / "govfile.toml"
    file.write_text(text)
    file.chmod(0o600)
    return load(file, name)


def _refused(folder: Path, text: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        _use(folder, text)
    return caught.value


def _use(folder: Path, text: str) -> None:
    found = _profile(folder, text)
    environment.of(found)
    assert Session(out=Output(), config=found.file).password.reveal()


@pytest.mark.parametrize(
    ("text", "named", "advised"),
    [
        (BASE + "passwrod = 1", "unknown key passwrod", "did you mean password?"),
        (BASE + "colour = 1", "unknown key colour", "authority, credential, environment, into"),
        ("wrong = 1\n" + BASE, "unknown key wrong", "expand, profiles"),
        (BASE.replace('"test"', '"tset"'), "environment = 'tset' is not known", "production, test"),
        (BASE.replace('"test"', "7"), "environment must be text", ""),
        (BASE.replace('environment = "test"', ""), "environment is missing", ""),
        (BASE.replace('password = {env = "SKAT_PASSWORD"}', ""), "password is missing", "SKAT_PASSWORD"),
        (BASE.replace('{env = "SKAT_PASSWORD"}', '{envi = "X"}'), "unknown key envi", "did you mean env?"),
        (BASE.replace('{env = "SKAT_PASSWORD"}', "{env = 7}"), "env must be text", ""),
        (BASE.replace('{env = "SKAT_PASSWORD"}', '{keyring = ["one"]}'), "must be a list of two", ""),
        (BASE.replace('{env = "SKAT_PASSWORD"}', '{file = "~/secret"}'), "holds ~ or $", "expand = true"),
        ("x = ", "is not TOML", ""),
        ("", "no profile was chosen", "--profile NAME"),
        (
            BASE.replace('"test"', '{name = "here", host = "localhost", prot = 1}'),
            "unknown key prot",
            "did you mean port?",
        ),
        (BASE.replace('"test"', '{name = "here"}'), "host is missing", ""),
        (BASE.replace('"test"', '{name = "here", host = "h", port = 70000}'), "port must be between", ""),
        (BASE.replace('"test"', '{name = "production", host = "h"}'), "authority's own gateway", "another name"),
        (BASE.replace('"test"', '{base = "production", host = "elsewhere"}'), "unknown key host", ""),
        (BASE.replace('"test"', '{base = "test", tls_ceiling = "1.1"}'), "tls_ceiling = '1.1'", "1.2, 1.3"),
        (BASE.replace('"test"', '{base = "test", timeouts = {reply = 0}}'), "number of seconds above 0", ""),
        (BASE.replace('"test"', '{base = "test", timeouts = {replay = 1}}'), "unknown key replay", "reply"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path: Path, text: str, named: str, advised: str) -> None:
    error = _refused(tmp_path, text)
    assert named in error.what
    assert advised in error.advice


def test_a_plain_text_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    error = _refused(tmp_path, BASE.replace('{env = "SKAT_PASSWORD"}', '"hunter2"'))
    assert "secrets do not belong in this file" in error.what
    assert '{env = "NAME"}' in error.advice
    assert "hunter2" not in str(error)


def test_a_mistake_in_the_toml_does_not_repeat_the_line(tmp_path: Path) -> None:
    error = _refused(tmp_path, BASE + 'password = "hunter2\n')
    assert "line" in error.what
    assert "hunter2" not in str(error)
    assert error.__cause__ is None


def test_g01_paths_are_relative_to_the_file_and_not_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    monkeypatch.setenv("HOME", "/elsewhere")
    found = _profile(tmp_path, BASE + 'into = "answers/../in"\n')
    assert found.places.path(found.table, "into") == tmp_path / "in"
    written = _profile(tmp_path, "expand = false\n" + BASE + 'into = "~/$HOME"\n')
    assert written.places.path(written.table, "into") == tmp_path / "~/$HOME"
    unclear = _profile(tmp_path, BASE + 'into = "$HOME/x"\n')
    with pytest.raises(ConfigurationError, match="holds ~ or"):
        unclear.places.path(unclear.table, "into")


def test_g01_paths_are_expanded_where_the_file_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/elsewhere")
    found = _profile(tmp_path, "expand = true\n" + BASE + 'into = "~/$HOME"\n')
    assert found.places.path(found.table, "into") == Path("/elsewhere/elsewhere")


def test_g01_a_file_everyone_may_write_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "govfile.toml"
    file.write_text(BASE)
    file.chmod(0o666)
    with pytest.raises(ConfigurationError, match="everyone may write"):
        load(file, None)


@pytest.mark.skipif(os.getuid() != 0, reason="giving a file to another user needs root")
def test_g01_another_users_file_is_read_only_where_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "govfile.toml"
    file.write_text(BASE)
    file.chmod(0o644)
    os.chown(file, 65534, 65534)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        load(None, None)
    assert load(file, None).name == "default"


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_bytes(b"\xff")])
def test_a_missing_folder_or_binary_file_is_said_so(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "govfile.toml")
    with pytest.raises(ConfigurationError, match="configuration file"):
        load(tmp_path / "govfile.toml", None)


def test_the_profile_is_the_named_one_the_default_or_the_only_one(tmp_path: Path) -> None:
    two = BASE + '[profiles.night]\nenvironment = "production"\n'
    assert _profile(tmp_path, two).name == "default"
    assert _profile(tmp_path, two, "night").name == "night"
    assert _profile(tmp_path, '[profiles.night]\nenvironment = "test"\n').name == "night"
    with pytest.raises(ConfigurationError, match="no profile was chosen"):
        _profile(tmp_path, two.replace("profiles.default", "profiles.day"))
    with pytest.raises(ConfigurationError, match="there is no profile morning"):
        _profile(tmp_path, two, "morning")


def test_a_variant_keeps_name_and_host_and_changes_the_policy(tmp_path: Path) -> None:
    found = environment.of(
        _profile(
            tmp_path,
            BASE.replace(
                '"test"',
                '{base = "production", tls_ceiling = "1.2", session_reuse = "never", timeouts = {reply = 5},'
                " patience = {usual = 60}}",
            ),
        )
    )
    assert (found.name, found.host, found.is_test) == ("production", "secureftpgateway.skat.dk", False)
    assert found.policy.ceiling is TlsVersion.TLS_1_2
    assert found.policy.session_reuse is SessionReuse.NEVER
    assert found.policy.timeouts.reply == 5
    assert found.policy.data_ports == (36000, 39999)
    assert found.patience.usual.total_seconds() == 60


def test_a_local_gateway_is_described_whole(tmp_path: Path) -> None:
    text = BASE.replace('"test"', '{name = "here", host = "localhost", port = 2121, tls_start = "implicit"}')
    found = environment.of(_profile(tmp_path, text))
    assert (found.name, found.host, found.port, found.is_test) == ("here", "localhost", 2121, None)
    assert found.policy.tls_start is TlsStart.IMPLICIT


def test_secrets_come_from_where_the_reference_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKAT_PASSWORD", "from the environment")
    (tmp_path / "password").write_text("from the file\n")
    by_env = _profile(tmp_path, BASE)
    assert Session(out=Output(), config=by_env.file).password.reveal() == "from the environment"
    by_file = _profile(tmp_path, BASE.replace('{env = "SKAT_PASSWORD"}', '{file = "password"}'))
    assert Session(out=Output(), config=by_file.file).password.reveal() == "from the file"
