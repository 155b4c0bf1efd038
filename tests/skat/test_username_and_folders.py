"""Who logs in, and where things are after the login."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from govfile import skat
from govfile.certificates.subject import Kind, Subject
from govfile.errors import ConfigurationError, CredentialError, NotAuthorised, ProtocolError
from govfile.skat.folders import discover
from govfile.skat.username import Login
from govfile.transports.base import RemoteFile
from govfile.transports.memory import MemoryServer, MemoryTransport
from support.pki import OCES2_ISSUER, OCES2_TEST_ISSUER, OCES3_ISSUER, OCES3_TEST_ISSUER, oces2, oces3, plain
from support.skat_world import CVR, UUID, World, credential, organisation

if TYPE_CHECKING:
    from cryptography import x509

OWN = Login(username=f"CVR_{CVR}_UI_{UUID}", cvr=CVR, folder=f"UI_{UUID}")


@pytest.mark.parametrize(
    ("subject", "username"),
    [
        (oces2(cvr="19552101", what="RID", number="60134540"), "CVR_19552101_RID_60134540"),
        (oces2(cvr="12345678", what="UID", number="9876543210"), "CVR_12345678_UID_9876543210"),
        (oces2(cvr="30808460", what="FID", number="1234567890123"), "CVR_30808460_FID_1234567890123"),
        (oces3(cvr=CVR, uuid=UUID), f"CVR_{CVR}_UI_{UUID}"),
    ],
)
def test_the_user_name_comes_from_the_certificate(subject: x509.Name, username: str) -> None:
    login = Login.of(credential(subject).subject)
    assert login.username == username
    assert username == f"{login.company_folder}_{login.folder}"
    assert login.sender == login.cvr


@pytest.mark.parametrize(
    "username", [f"CVR_19552101_UI_{UUID}", f"CVR_{CVR}_UI_{UUID[:-1]}2", f"CVR_{CVR}_UID_1234567890"]
)
def test_f06_a_user_name_that_contradicts_the_certificate_is_refused_before_connecting(
    world: World, username: str
) -> None:
    with pytest.raises(ConfigurationError, match="contradicts the certificate"):
        world.gateway(username=username)
    assert world.opened == []


def test_a_user_name_given_by_hand_may_differ_in_case_or_be_free_text() -> None:
    subject = organisation().subject
    assert Login.of(subject, f"cvr_{CVR}_ui_{UUID}".upper()).username == f"CVR_{CVR}_UI_{UUID.upper()}"
    free = Login.of(subject, "filing@company.example")
    assert (free.username, free.sender, free.folder) == ("filing@company.example", CVR, f"UI_{UUID}")


def test_a_certificate_that_names_no_company_needs_a_user_name() -> None:
    subject = Subject(kind=Kind.OTHER, serial_number="something")
    with pytest.raises(CredentialError, match="something"):
        Login.of(subject)
    assert Login.of(subject, "CVR_10101010_UID_1").cvr == "10101010"
    assert Login.of(subject, "someone").sender == "someone"


@pytest.mark.parametrize("username", ["", " ", "a\r\nUSER b", "tab\t"])
def test_a_user_name_that_cannot_be_sent_is_refused(username: str) -> None:
    with pytest.raises(ConfigurationError):
        Login.of(organisation().subject, username)


@pytest.mark.parametrize(
    ("issuer", "environment", "fits"),
    [
        (OCES3_TEST_ISSUER, skat.TEST, True),
        (OCES3_TEST_ISSUER, skat.PRODUCTION, False),
        (OCES3_ISSUER, skat.PRODUCTION, True),
        (OCES3_ISSUER, skat.TEST, False),
        (OCES2_TEST_ISSUER, skat.PRODUCTION_RETIRED, False),
        (OCES2_ISSUER, skat.TEST_RETIRED, False),
        (OCES2_TEST_ISSUER, skat.TEST_RETIRED, True),
        (plain("Somebody"), skat.PRODUCTION, True),
    ],
)
def test_f06_a_certificate_of_the_wrong_environment_is_refused_before_connecting(
    world: World, issuer: x509.Name, environment: skat.Environment, fits: bool
) -> None:
    owner = credential(oces3(cvr=CVR, uuid=UUID), issuer)
    if fits:
        assert world.gateway(owner, environment=environment).username == f"CVR_{CVR}_UI_{UUID}"
    else:
        with pytest.raises(ConfigurationError, match="cannot be used with the environment"):
            world.gateway(owner, environment=environment)
    assert world.opened == []


def test_an_unknown_issuer_can_be_refused(world: World) -> None:
    import attrs

    strict = attrs.evolve(skat.PRODUCTION, accepts_unknown_issuers=False)
    with pytest.raises(ConfigurationError, match="issuer is not known"):
        world.gateway(credential(oces3(cvr=CVR, uuid=UUID), plain("Somebody")), environment=strict)


def test_the_two_gateways_keep_their_ports_apart() -> None:
    assert (skat.PRODUCTION.port, skat.PRODUCTION.policy.data_ports) == (6381, (36000, 39999))
    assert (skat.PRODUCTION_RETIRED.port, skat.PRODUCTION_RETIRED.policy.data_ports) == (6371, (35000, 35100))
    assert skat.TEST.host != skat.PRODUCTION.host
    assert len({found.name for found in (skat.PRODUCTION, skat.TEST, skat.PRODUCTION_RETIRED, skat.TEST_RETIRED)}) == 4


# --- folders ------------------------------------------------------------------------------------------------------


def server(home: str, *, out: bool = True) -> MemoryTransport:
    base = f"/CVR_{CVR}/UI_{UUID}"
    folders = [f"{base}/Udlaan", f"{base}/Manifest.AnkomstdeklarationOpret", f"/CVR_{CVR}/UID_77/Indlaan"]
    return MemoryTransport(MemoryServer([*folders, *([f"{base}/out"] if out else [])], home=home))


@pytest.mark.parametrize("home", ["/", f"/CVR_{CVR}", f"/CVR_{CVR}/UI_{UUID}"])
@pytest.mark.parametrize("out", [True, False])
def test_the_certificates_folder_is_found_from_every_root(home: str, out: bool) -> None:
    layout = discover(server(home, out=out), OWN)
    assert set(layout.services) == {"Udlaan", "Manifest.AnkomstdeklarationOpret"}
    assert layout.folder_of("Udlaan") == f"/CVR_{CVR}/UI_{UUID}/Udlaan"
    assert layout.out == (f"/CVR_{CVR}/UI_{UUID}/out" if out else None)


def test_without_a_known_identity_the_only_way_is_followed() -> None:
    unknown = Login(username="someone")
    transport = MemoryTransport(MemoryServer([f"/CVR_{CVR}/UID_1/AKSA", f"/CVR_{CVR}/UID_1/out"]))
    assert set(discover(transport, unknown).services) == {"AKSA"}
    transport.server.make_folder(f"/CVR_{CVR}/UID_2")
    assert discover(transport, unknown).services == {}


def test_bare_names_count_as_folders_and_files_do_not() -> None:
    class Bare(MemoryTransport):
        def list(self, folder: str) -> list[RemoteFile]:
            return [RemoteFile(name=found.name) for found in super().list(folder)]

    base = f"/CVR_{CVR}/UI_{UUID}"
    bare = Bare(MemoryServer([f"{base}/Udlaan", f"{base}/out"]))
    assert discover(bare, OWN).out == f"{base}/out"
    typed = server(base)
    typed.server.store(f"{base}/read-me.txt", b"x")
    assert "read-me.txt" not in discover(typed, OWN).services


def test_folders_without_end_are_a_protocol_error() -> None:
    class Endless(MemoryTransport):
        def list(self, folder: str) -> list[RemoteFile]:
            return [RemoteFile(name=f"CVR_{CVR}", is_folder=True)]

    with pytest.raises(ProtocolError):
        discover(Endless(), OWN)


def test_f20_a_service_that_is_not_visible_is_named_with_those_that_are() -> None:
    layout = discover(server("/"), OWN)
    with pytest.raises(NotAuthorised) as refused:
        layout.folder_of("udlaan")
    assert set(refused.value.visible) == {"Udlaan", "Manifest.AnkomstdeklarationOpret"}
    assert "once an hour" in refused.value.advice
    assert "SE number" in refused.value.advice
