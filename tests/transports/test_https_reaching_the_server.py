"""From an address to a server that is believed: trust, TLS, client certificates."""

from __future__ import annotations

import contextlib
import os
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.certificates.credential import Credential
from govfile.certificates.trust import Trust
from govfile.errors import (
    ConnectionFailed,
    CredentialError,
    GovfileError,
    OutcomeUnknown,
    PeerIdentityError,
    Phase,
    TimedOut,
    TlsFailed,
    TransportError,
)
from govfile.transports.ftps_policy import TlsVersion
from govfile.transports.https import HttpsTransport
from govfile.transports.https_policy import HttpsPolicy
from support import pki
from support.ftp_servers import authority, client_identity
from support.scripted_ftp import credential_of
from support.scripted_https import PATIENT, ScriptedHttps, Talk, fails, never, plain, trusted

TLS_1_2: dict[str, Any] = {"maximum": ssl.TLSVersion.TLSv1_2}
TLS_1_3: dict[str, Any] = {"minimum": ssl.TLSVersion.TLSv1_3}


# --- the server's identity --------------------------------------------------------------------------------------


def test_w08_a_server_of_an_unknown_authority_is_not_believed() -> None:
    other = pki.Authority.create(pki.plain("Another root"), key=pki.rsa_key(7))
    with ScriptedHttps() as server:
        error = fails(server, PeerIdentityError, trust=Trust.only(other.pem))
    assert "issuer" in str(error)
    assert "neither a login nor a document was sent" in str(error)


def test_w08_a_server_of_the_systems_store_is_not_believed_where_only_own_anchors_are() -> None:
    with ScriptedHttps() as server:
        fails(server, PeerIdentityError, trust=Trust())


def test_w08_a_certificate_for_another_host_is_not_believed() -> None:
    identity = authority().issue(pki.plain("127.0.0.1"), key=pki.rsa_key(3), hosts=["other.test"])
    with ScriptedHttps(identity=identity) as server:
        error = fails(server, PeerIdentityError)
    assert "127.0.0.1" in str(error)


def test_w08_a_common_name_is_no_host_name() -> None:
    with ScriptedHttps(identity=authority().issue(pki.plain("localhost"), key=pki.rsa_key(3))) as server:
        fails(server, PeerIdentityError, url=f"https://localhost:{server.port}")


def test_an_issuer_that_is_trusted_by_itself_needs_no_root() -> None:
    issuer = authority().subordinate(pki.plain("Govfile test issuer"), key=pki.rsa_key(7))
    with (
        ScriptedHttps(identity=issuer.issue(key=pki.rsa_key(3), hosts=["127.0.0.1"])) as server,
        server.transport(trust=Trust.only(issuer.pem)) as transport,
    ):
        assert transport.post("/", b"").status == 200


def test_w08_an_expired_certificate_is_not_believed() -> None:
    ended = datetime.now(UTC) - timedelta(days=1)
    begun = ended - timedelta(days=9)
    identity = authority().issue(key=pki.rsa_key(3), hosts=["127.0.0.1"], not_before=begun, not_after=ended)
    with ScriptedHttps(identity=identity) as server:
        assert "expired" in str(fails(server, PeerIdentityError))


def test_w08_a_certificate_that_changes_between_calls_is_judged_anew() -> None:
    stranger = pki.Authority.create(pki.plain("A stranger"), key=pki.rsa_key(7)).issue(
        key=pki.rsa_key(8), hosts=["127.0.0.1"]
    )
    successor = authority().issue(key=pki.rsa_key(8), hosts=["127.0.0.1"])
    with ScriptedHttps() as server, server.transport(policy=HttpsPolicy(idle=0.0)) as transport:
        assert transport.post("/", b"").status == 200
        server.use(successor)
        assert transport.post("/", b"").status == 200, "the same authority renewed it"
        server.use(stranger)
        with pytest.raises(PeerIdentityError):
            transport.post("/", b"", committing=never)


# --- TLS --------------------------------------------------------------------------------------------------------


def test_a_server_with_old_tls_only_is_refused() -> None:
    with ScriptedHttps(**TLS_1_2) as server:
        error = fails(server, TlsFailed, policy=HttpsPolicy(floor=TlsVersion.TLS_1_3))
    assert "no common TLS version" in str(error)


def test_the_ceiling_is_kept() -> None:
    with ScriptedHttps() as server, server.transport(policy=HttpsPolicy(ceiling=TlsVersion.TLS_1_2)) as transport:
        transport.post("/", b"")
        assert server.handshakes == ["TLSv1.2"]


def test_a_server_that_speaks_no_tls_is_named_as_one() -> None:
    with ScriptedHttps(tls=False) as server:
        server._talk = lambda sock: sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")  # type: ignore[method-assign]
        assert "did not answer in TLS" in str(fails(server, TlsFailed, url=f"https://127.0.0.1:{server.port}"))


def test_a_server_that_ends_the_handshake_is_certain_to_have_got_nothing() -> None:
    with ScriptedHttps(tls=False) as server:
        server._talk = lambda sock: sock.recv(1)  # type: ignore[assignment,method-assign]
        error = fails(server, ConnectionFailed, url=f"https://127.0.0.1:{server.port}")
    assert isinstance(error, TransportError)
    assert error.phase is Phase.TLS


def test_a_server_that_is_silent_in_the_handshake_does_not_outlast_its_deadline() -> None:
    began = time.monotonic()
    with ScriptedHttps(tls=False) as server:
        server._talk = lambda sock: server.stopping.wait(60)  # type: ignore[assignment,method-assign]
        timeouts = attrs.evolve(PATIENT, tls=0.2)
        error = fails(server, TimedOut, url=f"https://127.0.0.1:{server.port}", timeouts=timeouts)
    assert isinstance(error, TimedOut)
    assert (error.which, error.phase) == ("tls", Phase.TLS)
    assert time.monotonic() - began < 10


# --- client certificates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("versions", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
def test_a_client_certificate_is_presented(versions: dict[str, Any]) -> None:
    with (
        ScriptedHttps(client_authority=authority().pem, **versions) as server,
        server.transport(credential=credential_of()) as transport,
    ):
        assert transport.post("/", b"").status == 200


def test_a_client_certificate_is_presented_also_where_it_is_asked_for_late() -> None:
    """Some servers ask only when they see what is requested (TLS 1.3, post-handshake authentication)."""
    shown: list[object] = []

    def late(talk: Talk) -> None:
        assert isinstance(talk.sock, ssl.SSLSocket)
        talk.sock.verify_client_post_handshake()
        talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        talk.sock.settimeout(0.05)
        while not talk.sock.getpeercert() and not talk.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                talk.sock.recv(1)
        talk.sock.settimeout(None)
        shown.append(talk.sock.getpeercert(binary_form=True))
        talk.send(plain())

    with ScriptedHttps(late, client_authority=authority().pem, **TLS_1_3) as server:
        assert server.context is not None
        server.context.post_handshake_auth = True
        with server.transport(credential=credential_of()) as transport:
            assert transport.post("/", b"<q/>").status == 200
    assert shown == [client_identity().certificate.public_bytes(Encoding.DER)]


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the server's objections however busy this machine is; it always says something here."""
    for name in ("_LEAST", "_MOST"):
        monkeypatch.setattr(f"govfile.transports.https._tls.{name}", 20.0)


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("versions", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize(("given", "says"), [("of a stranger", "does not know who issued it"), ("expired", "expired")])
def test_w08_a_refused_client_certificate_is_known_before_anything_leaves(
    given: str, says: str, versions: dict[str, Any]
) -> None:
    """In TLS 1.3 the server says so when our side of the handshake is over."""
    stranger = pki.Authority.create(pki.plain("A stranger"), key=pki.rsa_key(7))
    identities = {"of a stranger": stranger.issue(), "expired": authority().expired()}
    credential = credential_of(identities[given], allow_expired=True)
    with ScriptedHttps(client_authority=authority().pem, **versions) as server:
        error = fails(server, CredentialError, credential=credential)
    assert "the client certificate was refused" in str(error)
    assert says in str(error)


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize(
    ("versions", "kind", "says"),
    [
        (TLS_1_2, TlsFailed, "may demand a client certificate; none was given"),
        (TLS_1_3, CredentialError, "a client certificate is required"),
    ],
    ids=["1.2", "1.3"],
)
def test_w08_a_client_certificate_that_is_missing_is_asked_for(
    versions: dict[str, Any], kind: type[GovfileError], says: str
) -> None:
    with ScriptedHttps(client_authority=authority().pem, **versions) as server:
        assert says in str(fails(server, kind))


def test_w08_a_refusal_that_comes_late_is_still_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server read the request and did nothing with it but end TLS."""
    for name in ("_LEAST", "_MOST"):
        monkeypatch.setattr(f"govfile.transports.https._tls.{name}", 0.0)
    with ScriptedHttps(client_authority=authority().pem, **TLS_1_3) as server:
        with server.transport() as transport, pytest.raises((CredentialError, OutcomeUnknown, ConnectionFailed)):
            transport.post("/", b"<q/>")  # the alert may be lost to the reset that follows it
        assert server.requests == []


def test_a_server_that_gives_no_tickets_is_not_waited_for_long() -> None:
    began = time.monotonic()
    with (
        ScriptedHttps(client_authority=authority().pem, resumes=False, **TLS_1_3) as server,
        server.transport(credential=credential_of()) as transport,
    ):
        assert transport.post("/", b"").status == 200
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("has_memory_files", [True, False])
def test_the_key_is_on_no_disk_afterwards(
    kind: str, has_memory_files: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system has no files in memory, a private one is removed at once, and its key was encrypted."""
    key = client_identity().key if kind == "rsa" else pki.ec_key(0)
    credential = credential_of(authority().issue(key=key))
    seen: list[tuple[str, int, bytes]] = []
    load = ssl.SSLContext.load_cert_chain

    def watch(context: ssl.SSLContext, path: Any, *rest: Any, **options: Any) -> None:
        seen.append((path, Path(path).stat().st_mode, Path(path).read_bytes()))
        load(context, path, *rest, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watch)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if not has_memory_files:
        monkeypatch.delattr(os, "memfd_create")
    before = sorted(Path("/proc/self/fd").iterdir())
    transport = HttpsTransport("https://127.0.0.1:1", trust=trusted(), credential=credential)
    transport.close()
    ((path, mode, content),) = seen
    assert path.startswith("/proc/self/fd/") is has_memory_files
    assert has_memory_files or mode & 0o777 == 0o600
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in content
    assert list(tmp_path.iterdir()) == []
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_a_key_in_a_token_cannot_hold_a_connection() -> None:
    class Token:
        public_key = client_identity().key.public_key()

        def sign(self, *_: Any) -> bytes:
            return client_identity().key.sign(b"", padding.PKCS1v15(), None)  # type: ignore[call-arg,arg-type]

    credential = Credential.from_signer(Token(), client_identity().certificate)  # type: ignore[arg-type]
    with pytest.raises(CredentialError, match="cannot leave its token"):
        HttpsTransport("https://127.0.0.1:1", trust=trusted(), credential=credential)
