"""docs/reference/cli.md says what the command does: commands, options, exit codes, keys of the configuration."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from govfile.certificates.ssh import SshKey
from govfile.cli import checked, config, environment, exits, keys, ledgers, pace, services
from govfile.cli.app import build
from govfile.cli.commands import _COMMON_OPTIONS, _PROFILE_OPTIONS
from govfile.cli.onss import environment as onss_environment
from govfile.cli.sosi import card as sosi_card
from govfile.cli.sosi import environment as sosi_environment
from govfile.cli.vero import environment as vero_environment
from govfile.errors import ConfigurationError
from govfile.sandbox import VeroSandbox
from govfile.sandbox.sosi import SosiSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference/cli.md").read_text("utf-8")
HOW_TO_WITH_A_PROFILE = ("nightly-batch", "open-a-belgian-channel", "renew-by-itself", "sign-with-a-token")
COMMON = {"--config", "--profile", "--json", "--debug", "--help"}


def _commands(node: Any = None, path: str = "govfile") -> Iterator[tuple[str, Any]]:
    node = node or build()
    if not hasattr(node, "list_commands"):
        yield path, node
        return
    for name in node.list_commands(None):
        yield from _commands(node.get_command(None, name), f"{path} {name}")


def _sections() -> dict[str, str]:
    part = REFERENCE.partition("## Commands\n")[2].partition("\n## ")[0]
    pieces = re.split(r"^### `(govfile [a-z ]+)`$", part, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_every_command_has_its_section_in_the_same_order() -> None:
    assert list(_sections()) == [path for path, _ in _commands()]


@pytest.mark.parametrize(("path", "node"), list(_commands()), ids=lambda found: found if isinstance(found, str) else "")
def test_every_option_is_in_its_table_and_no_other(path: str, node: Any) -> None:
    documented = set(re.findall(r"^\| `(--[a-z0-9-]+)", _sections()[path], flags=re.MULTILINE))
    real = {name for parameter in node.params for name in parameter.opts if name.startswith("--")}
    assert documented == real - COMMON


@pytest.mark.parametrize(("path", "node"), list(_commands()), ids=lambda found: found if isinstance(found, str) else "")
def test_every_command_says_what_it_does_and_takes_the_common_options(path: str, node: Any) -> None:
    names = {name for parameter in node.params for name in parameter.opts}
    assert {"--json", "--debug"} <= names
    asks_nobody = path in {"govfile onss names", "govfile onss verify", "govfile sosi show"}
    assert ("--config" in names) == (
        path.split()[1] in {"skat", "onss", "sosi", "vero", "keys", "ledger", "cert", "doctor"} and not asks_nobody
    )
    assert node.help
    for parameter in node.params:
        assert parameter.help, parameter.name


def test_the_common_options_are_explained() -> None:
    assert len(_COMMON_OPTIONS) + len(_PROFILE_OPTIONS) == len(COMMON) - 1
    for name in COMMON - {"--help"}:
        assert re.search(rf"^\| `{name}", REFERENCE, flags=re.MULTILINE)


def test_exit_codes_and_their_order_are_the_real_ones() -> None:
    table = dict(re.findall(r"^\| (\d+) \| (.+) \|$", REFERENCE, flags=re.MULTILINE))
    assert table == {str(code.value): meaning for code, meaning in exits.MEANINGS.items()}
    assert ", ".join(str(code.value) for code in exits.SEVERITY) in REFERENCE


def _table_keys(heading: str) -> set[str]:
    part = REFERENCE.partition(heading)[2]
    rows = re.search(r"\| Key \| Meaning \|\n.*\n((?:\|.*\n)+)", part)
    assert rows
    firsts = [row.split("|")[1] for row in rows[1].splitlines()]
    return {key for first in firsts for key in re.findall(r"`([a-z_0-9]+)`", first)}


def test_the_keys_of_the_configuration_are_the_real_ones() -> None:
    part = REFERENCE.partition("## The configuration file")[2]
    assert _table_keys("The keys of every profile:") == set(config.COMMON_KEYS)
    for authority, own in config.OWN_KEYS.items():
        assert _table_keys(f"The keys of profiles for {authority}:") == set(own)
    assert _table_keys("A Danish one takes:") | {"base"} == set(environment.VARIANT_KEYS)
    assert _table_keys("A Belgian one takes:") | {"base"} == set(onss_environment.VARIANT_KEYS)
    assert _table_keys("A Danish token service's takes") | {"base"} == set(sosi_environment.VARIANT_KEYS)
    assert _table_keys("A Finnish one is") | {"base"} == set(vero_environment.VARIANT_KEYS)
    inner = (
        keys.PEM_KEYS | keys.PKCS11_KEYS | ledgers.POSTGRESQL_KEYS | services.SERVICE_KEYS | config.TOP_KEYS
        | sosi_card.CARD_KEYS | sosi_card.PROVIDER_KEYS | sosi_environment.LOCAL_KEYS | sosi_environment.ENDPOINT_KEYS
        | environment.LOCAL_KEYS | onss_environment.LOCAL_KEYS | vero_environment.LOCAL_KEYS
        | pace.TIMEOUT_KEYS | pace.PATIENCE_KEYS
    )  # fmt: skip
    for key in inner - {"profiles"}:
        assert re.search(rf"`{key}\b", part), key


def test_the_example_configuration_holds(tmp_path: Path) -> None:
    host_key = SshKey(ed25519.Ed25519PrivateKey.generate()).public_line()
    (tmp_path / "vero.pem").write_bytes(VeroSandbox.authorities_pem())
    (tmp_path / "sts-test1.pem").write_bytes(SosiSandbox.sts_pem())
    (tmp_path / "onss_known_hosts").write_text(f"[sftp.socialsecurity.be]:8022 {host_key}\n")
    pages = ("reference/cli.md", *(f"how-to/{name}.md" for name in HOW_TO_WITH_A_PROFILE))
    for page in pages:
        for text in re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text("utf-8"), flags=re.DOTALL):
            file = tmp_path / "govfile.toml"
            file.write_text(text)
            file.chmod(0o600)
            for name in tomllib.loads(text)["profiles"]:
                found = config.load(file, name)
                _check_environment(found, text)
                services.own_services(found)
                for key in ("passphrase", "password", "ssh_passphrase"):
                    found.places.secret(found.table, key)
                assert isinstance(found.table, checked.Table)


def _check_environment(profile: config.Profile, text: str) -> None:
    if profile.authority == "vero":  # every key was read by then; the real authorities' certificates are not here
        with pytest.raises(ConfigurationError, match="none of the certificates given is of an authority known"):
            vero_environment.of(profile)
        return
    place: Any = {"skat": environment, "onss": onss_environment, "sosi": sosi_environment}[profile.authority]
    assert place.of(profile).name in text


def test_the_nightly_script_knows_every_exit_code() -> None:
    page = (DOCS / "how-to/nightly-batch.md").read_text("utf-8")
    first_cells = re.findall(r"^\| ([\d, ]+) \|", page, flags=re.MULTILINE)
    mentioned = {int(number) for cell in first_cells for number in cell.split(",")}
    assert mentioned == {code.value for code in exits.Exit} - {130, 143}
    assert "143 (or 130)" in page
