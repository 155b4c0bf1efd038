"""Profiles for the Danish token service: as strict as the others, and nobody is believed by accident."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.cli.output import Output
from govfile.cli.session import Session
from govfile.cli.sosi.card import Options, described
from govfile.cli.sosi.service import token_store
from govfile.errors import ConfigurationError, GovfileError
from govfile.sandbox.sosi import SosiSandbox
from govfile.sosi import CardType, CertificateHash, DgwsVersion, NameFormat

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
[profiles.default]
authority = "sosi"
environment = {base = "test1", pinned = "sts.pem"}
credential = "employee.p12"
passphrase = {file = "passphrase"}
card = {it_system = "Example Lab", role = "7170"}
"""
ENVIRONMENT = '{base = "test1", pinned = "sts.pem"}'


@pytest.fixture(scope="module")
def papers() -> dict[str, bytes]:
    """What a profile refers to; nothing is started for it."""
    box = SosiSandbox()
    return {
        "sts.pem": box.sts_pem(),
        "federation.pem": box.federation_pem(),
        "employee.p12": box.employee.pkcs12(),
        "system.p12": box.system.pkcs12(),
        "passphrase": box.employee.passphrase.reveal().encode(),
        "system-passphrase": box.system.passphrase.reveal().encode(),
        "cpr": b"010100-1234\n",
    }


@pytest.fixture
def folder(tmp_path: Path, papers: dict[str, bytes]) -> Path:
    for name, content in papers.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def _session(folder: Path, text: str = GOOD) -> Session:
    file = folder / "govfile.toml"
    file.write_text(text)
    return Session(out=Output(), config=file)


def test_a_variant_keeps_address_and_kind_and_believes_who_is_named(folder: Path) -> None:
    place = _session(folder).sosi_environment
    assert (place.name, place.is_test) == ("test1", True)
    assert place.trust is not None
    assert len(place.trust.pinned) == 1
    assert not place.trust.allow_sha1
    assert place.tls.system


def test_every_setting_of_an_environment_can_be_written(folder: Path) -> None:
    text = """{name = "ours", url = "https://sts.example:8443", is_test = true, federation = "federation.pem",
        common_name = "SOSI", cvr = "10101010", allow_sha1 = true, skew = 10, answer_skew = 60, tls = "sts.pem",
        presents_certificate = true, attempts = 5, pause = 0.5, clear_text_hosts = ["inside"],
        proxy = {url = "http://proxy:3128", user = "us", password = {file = "passphrase"}},
        endpoints = {issue = "/sign", identity_token = {path = "/its", action = "Its", signs_request = true,
        demands_signature = true}}, timeouts = {total = 9}}""".replace("\n", " ")
    place = _session(folder, GOOD.replace(ENVIRONMENT, text)).sosi_environment
    trust = place.trust
    assert trust is not None
    assert (len(trust.anchors.anchors), trust.common_name, trust.cvr, trust.allow_sha1) == (2, "SOSI", "10101010", True)
    assert (trust.skew, place.skew, place.pause) == tuple(timedelta(seconds=found) for found in (10, 60, 0.5))
    assert (place.attempts, place.presents_certificate, place.tls.system) == (5, True, False)
    assert place.policy.clear_text_hosts == ("inside",)
    assert place.policy.proxy is not None
    assert place.policy.proxy.user == "us"
    its = place.endpoints.identity_token
    assert (place.endpoints.issue.path, place.endpoints.issue.action) == ("/sign", "Issue")
    assert (its.path, its.action, its.signs_request, its.demands_signature) == ("/its", "Its", True, True)
    assert place.timeouts.total == 9


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (ENVIRONMENT, '{base = "test1", url = "https://elsewhere.example"}', "unknown key url"),
        (ENVIRONMENT, '{base = "test9"}', "is not known"),
        (ENVIRONMENT, '{name = "production", url = "https://sts.example"}', "belongs to the authority's own"),
        (ENVIRONMENT, '{name = "ours", url = "sts.example"}', "is not one"),
        (ENVIRONMENT, '{base = "test1", federation = "federation.pem"}', "every company's certificate"),
        (ENVIRONMENT, '{base = "test1", allow_sha1 = true}', "neither federation nor pinned"),
        (ENVIRONMENT, '{base = "test1", pinned = "missing.pem"}', "trust bundle"),
        (ENVIRONMENT, '{base = "test1", endpoints = {sign = "/x"}}', "unknown key sign"),
        (ENVIRONMENT, '{base = "test1", endpoints = {issue = "x"}}', "is not one"),
        (ENVIRONMENT, '{base = "test1", endpoints = {issue = {paths = "/x"}}}', "unknown key paths"),
        (ENVIRONMENT, '{base = "test1", attempts = 0}', "at least one attempt"),
        (ENVIRONMENT, '{base = "test1", answer_skew = 100000}', "between 0 and 15 minutes"),
        (ENVIRONMENT, '{base = "test1", proxy = {url = "http://p", password = "secret"}}', "must be a reference"),
    ],
)
def test_a_mistake_in_the_environment_is_named(folder: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigurationError) as caught:
        _ = _session(folder, GOOD.replace(old, new)).sosi_environment
    assert words in f"{caught.value}"


def test_the_card_is_of_the_certificates_kind(folder: Path) -> None:
    assert described(_session(folder)).type is CardType.USER
    system = GOOD.replace("employee.p12", "system.p12").replace('"passphrase"', '"system-passphrase"')
    card = described(_session(folder, system.replace(', role = "7170"', "")))
    assert (card.type, card.issuer) == (CardType.SYSTEM, "ExampleLab")


def test_every_field_of_a_card_can_be_written(folder: Path) -> None:
    text = """{it_system = "Example Lab", role = "7170", issuer = "Lab", authorisation_code = "8B7X2",
        cpr = {file = "cpr"}, given_name = "Test", surname = "Person",
        email = "test@example.dk", occupation = "physician", version = "1.0",
        alternative_identifier = "tp1", certificate_hash = "sha1", type = "user",
        care_provider = {ynumber = "012345", name = "A practice"}}""".replace("\n", " ")
    card = described(_session(folder, GOOD.replace('{it_system = "Example Lab", role = "7170"}', text)))
    assert (card.cpr, card.issuer, card.version) == ("0101001234", "Lab", DgwsVersion.V1_0)
    assert card.certificate_hash is CertificateHash.SHA1
    assert card.care_provider is not None
    assert (card.care_provider.id, card.care_provider.format) == ("012345", NameFormat.YNUMBER)
    assert (card.email, card.occupation, card.alternative_identifier) == ("test@example.dk", "physician", "tp1")


def test_the_command_line_goes_before_the_profile(folder: Path) -> None:
    card = described(_session(folder), Options(role="5166", it_system="Other"))
    assert (card.role, card.it_system) == ("5166", "Other")


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ('card = {role = "7170"}', "it_system is missing"),
        ('card = {it_system = "Example Lab"}', "role is missing"),
        ('card = {it_system = "Example Lab", role = "7170", cpr = "0101001234"}', "must be a reference"),
        ('card = {it_system = "Example Lab", role = "7170", roles = "x"}', "unknown key roles"),
        ('card = {it_system = "Example Lab", role = "7170", version = "1.1"}', "is not known"),
        ('card = {it_system = "E", role = "7170", care_provider = {name = "A"}}', "named in one way"),
        ('card = {it_system = "E", role = "7170", care_provider = {cvr = "1", sks = "2", name = "A"}}', "in one way"),
        ('card = {it_system = "E", role = "7170", care_provider = {cvr = "1", name = "A"}}', "eight digits"),
        ('card = {it_system = "E", role = "7170", issuer = "two words"}', "issuer"),
    ],
)
def test_a_mistake_in_the_card_is_named_and_no_number_repeated(folder: Path, new: str, words: str) -> None:
    text = GOOD.replace('card = {it_system = "Example Lab", role = "7170"}', new)
    with pytest.raises(GovfileError) as caught:
        described(_session(folder, text))
    assert words in f"{caught.value}"
    assert "0101001234" not in f"{caught.value}"


def test_tokens_are_kept_in_a_folder_with_a_key_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert token_store(_session(folder)) is None
    with pytest.raises(ConfigurationError, match="go together"):
        token_store(_session(folder, GOOD + 'tokens = "tokens"\n'))
    monkeypatch.setenv("TEST_TOKENS_KEY", "A" * 43 + "=")
    found = _session(folder, GOOD + 'tokens = "tokens"\ntokens_key = {env = "TEST_TOKENS_KEY"}\n')
    assert token_store(found) is not None
    assert (folder / "tokens").is_dir()


def test_a_profile_of_another_authority_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="this command is for sosi"):
        _ = _session(folder, '[profiles.default]\nenvironment = "test"\n').sosi_environment
