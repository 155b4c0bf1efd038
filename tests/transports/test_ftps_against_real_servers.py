"""Whole conversations with ProFTPD and vsftpd, as strict as they can be set."""

from __future__ import annotations

import contextlib
import hashlib
import io
from typing import TYPE_CHECKING

import pytest

from govfile.certificates.secret import Secret
from govfile.errors import AuthenticationRefused, CredentialError, TransferRefused
from govfile.filing.source import Source
from govfile.transports.base import TransferType
from govfile.transports.ftps import FtpsTransport
from govfile.transports.ftps_policy import Passive, SessionReuse, TlsStart, TlsVersion
from support.ftp_servers import FtpServer, authority, proftpd, vsftpd
from support.pki import Authority, Identity, plain, rsa_key
from support.scripted_ftp import credential_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

pytestmark = pytest.mark.servers

VERSIONS = pytest.mark.parametrize("version", TlsVersion, ids=lambda version: version.value)
LINES = b"0001first line\n9998last line\r\n"


def client(
    server: FtpServer, version: TlsVersion | None = None, *, identity: Identity | None = None, **changes: object
) -> FtpsTransport:
    return FtpsTransport(
        server.host,
        server.port,
        user=server.user,
        password=server.password,
        credential=credential_of(identity or server.identity),
        policy=server.policy(version, **changes),
    )


@pytest.fixture(scope="module")
def pro() -> Iterator[FtpServer]:
    with proftpd() as server:
        yield server


@pytest.fixture(scope="module")
def vs() -> Iterator[FtpServer]:
    with vsftpd() as server:
        yield server


@pytest.fixture(params=["proftpd", "vsftpd"])
def server(request: pytest.FixtureRequest) -> FtpServer:
    found: FtpServer = request.getfixturevalue({"proftpd": "pro", "vsftpd": "vs"}[request.param])
    return found


@VERSIONS
def test_f07_every_data_connection_resumes_the_session_where_that_is_demanded(
    server: FtpServer, version: TlsVersion
) -> None:
    with contextlib.closing(client(server, version)) as transport:
        for number in range(25):
            content = Source.of(b"<report/>" * (number + 1))
            receipt = transport.put(f"/Udlaan/{version.name}-{number}.xml", content)
            assert receipt.tls_resumed is True
            assert receipt.tls_version == f"TLSv{version.value}"
            assert (receipt.bytes_sent, receipt.sha256) == (content.size, content.sha256)
            assert receipt.reply.startswith("226")
            if number % 5 == 0:
                assert len(transport.list("/Udlaan")) >= number + 1
                transport.get(f"/Udlaan/{version.name}-{number}.xml", io.BytesIO())


@VERSIONS
def test_f18_a_file_of_any_size_arrives_whole_and_comes_back_whole(server: FtpServer, version: TlsVersion) -> None:
    with contextlib.closing(client(server, version)) as transport:
        for size in (0, 1, 65535, 65536, 262143, 262144, 262145, 5_000_001):
            content = Source.of((b"\x00\xff\r\n\r" * (size // 5 + 1))[:size])
            path = f"/Classic/{version.name}-{size}.bin"
            transport.put(path, content)
            assert hashlib.sha256((server.root / path[1:]).read_bytes()).hexdigest() == content.sha256
            back = io.BytesIO()
            receipt = transport.get(path, back)
            assert (receipt.size, receipt.sha256) == (size, content.sha256)
            assert hashlib.sha256(back.getvalue()).hexdigest() == content.sha256
            transport.remove(path)
            assert not (server.root / path[1:]).exists()


def test_ascii_sends_crlf_and_binary_what_there_is(server: FtpServer) -> None:
    with contextlib.closing(client(server)) as transport:
        ascii_receipt = transport.put("/Classic/a.txt", Source.of(LINES), transfer_type=TransferType.ASCII)
        binary_receipt = transport.put("/Classic/b.txt", Source.of(LINES))
    assert ascii_receipt.bytes_sent == len(LINES) + 1
    assert binary_receipt.bytes_sent == len(LINES)
    assert (server.root / "Classic/b.txt").read_bytes() == LINES
    stored = (server.root / "Classic/a.txt").read_bytes()
    assert stored.replace(b"\r\n", b"\n") == LINES.replace(b"\r\n", b"\n")


def test_home_listing_and_what_is_not_there(server: FtpServer) -> None:
    with contextlib.closing(client(server)) as transport:
        assert transport.home() == "/"
        assert {entry.name for entry in transport.list("/") if entry.is_folder} >= {"Classic", "Udlaan", "out"}
        assert transport.list("/out") == []
        with pytest.raises(TransferRefused) as caught:
            transport.list("/nowhere")
        assert caught.value.code == 550
        with pytest.raises(TransferRefused):
            transport.get("/out/nothing", io.BytesIO())
        with pytest.raises(TransferRefused):
            transport.remove("/out/nothing")
        with pytest.raises(TransferRefused, match=r"5(50|53)"):
            transport.put("/nowhere/a.zip", Source.of(b"x"))
        assert transport.put("/Udlaan/after.zip", Source.of(b"x")).tls_resumed, "the session goes on"


def test_names_with_spaces_quotes_and_danish_letters_travel(server: FtpServer) -> None:
    names = {"a b.xml", 'with "quotes".xml', "blåbærgrød.xml", "-al"}
    with contextlib.closing(client(server)) as transport:
        for name in names:
            transport.put(f"/out/{name}", Source.of(name.encode()))
        try:
            assert {entry.name for entry in transport.list("/out")} == names
            for name in names:
                back = io.BytesIO()
                transport.get(f"/out/{name}", back)
                assert back.getvalue() == name.encode()
        finally:
            for name in names:
                transport.remove(f"/out/{name}")


@pytest.mark.parametrize("start", [proftpd, vsftpd], ids=["proftpd", "vsftpd"])
def test_implicit_tls(start: Callable[..., AbstractContextManager[FtpServer]]) -> None:
    with start(tls_start=TlsStart.IMPLICIT) as server:
        with contextlib.closing(client(server, tls_start=TlsStart.IMPLICIT)) as transport:
            assert transport.put("/Udlaan/a.zip", Source.of(b"x")).tls_resumed
        assert (server.root / "Udlaan/a.zip").read_bytes() == b"x"


@pytest.mark.parametrize("passive", Passive)
def test_both_passive_commands(server: FtpServer, passive: Passive) -> None:
    with contextlib.closing(client(server, passive=passive)) as transport:
        receipt = transport.put("/Udlaan/passive.zip", Source.of(b"x"))
    low, high = server.data_ports
    assert receipt.data_port is not None
    assert low <= receipt.data_port <= high


def test_ipv6_uses_extended_passive_ports(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "govfile.transports.ftps")
    with proftpd(ipv6=True) as server, contextlib.closing(client(server)) as transport:
        assert transport.endpoint.startswith("[::1]:")
        assert transport.put("/Udlaan/a.zip", Source.of(b"x")).tls_resumed
    assert "> EPSV" in caplog.text
    assert "> PASV" not in caplog.text


@VERSIONS
def test_f07_without_resumption_such_a_server_refuses_and_nothing_is_handed_over(version: TlsVersion) -> None:
    with (
        proftpd() as server,
        contextlib.closing(client(server, version, session_reuse=SessionReuse.NEVER)) as transport,
    ):
        with pytest.raises(TransferRefused, match="425"):
            transport.put("/Udlaan/a.zip", Source.of(b"x"))
        assert not (server.root / "Udlaan/a.zip").exists() or (server.root / "Udlaan/a.zip").read_bytes() == b""


@VERSIONS
@pytest.mark.parametrize("reuse", SessionReuse)
def test_f07_a_server_that_does_not_demand_resumption(version: TlsVersion, reuse: SessionReuse) -> None:
    with proftpd(reuse_required=False) as server:
        with contextlib.closing(client(server, version, session_reuse=reuse)) as transport:
            receipt = transport.put("/Udlaan/a.zip", Source.of(b"x"))
        assert receipt.tls_resumed is (reuse is not SessionReuse.NEVER)


@VERSIONS
def test_f05_client_certificates_a_real_server_refuses(server: FtpServer, version: TlsVersion) -> None:
    stranger = Authority.create(plain("Somebody else"), key=rsa_key(5)).issue()
    with pytest.raises(CredentialError, match="client certificate was refused"):
        client(server, version, identity=stranger).home()


def test_f06_a_wrong_password_is_refused_once(pro: FtpServer) -> None:
    transport = FtpsTransport(
        pro.host,
        pro.port,
        user=pro.user,
        password=Secret("something else entirely"),
        credential=credential_of(pro.identity),
        policy=pro.policy(),
    )
    for _ in range(2):
        with pytest.raises(AuthenticationRefused, match="530"):
            transport.home()


def test_f03_a_trusted_chain_with_an_intermediate_authority() -> None:
    below = authority().subordinate(plain("Below"), key=rsa_key(1))
    identity = below.issue(key=rsa_key(2))
    with proftpd() as server, contextlib.closing(client(server, identity=identity)) as transport:
        assert transport.home() == "/", "the chain is sent with the client certificate"


def test_an_idle_session_that_the_server_ends_is_replaced() -> None:
    with proftpd(idle=1) as server, contextlib.closing(client(server)) as transport:
        transport.put("/Udlaan/a.zip", Source.of(b"x"))
        session = transport._session
        assert session is not None
        wait_until(lambda: not session.control.is_quiet())
        transport.put("/Udlaan/b.zip", Source.of(b"x"))
        assert transport._session is not session
        assert (server.root / "Udlaan/b.zip").exists()
