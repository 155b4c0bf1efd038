"""Whom an SFTP client believes, and what its login is signed by: OpenSSH's server in each configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from govfile.errors import AuthenticationRefused, PeerIdentityError, TransportError
from govfile.filing.source import Source
from govfile.transports.sftp import HostKeys, RsaSignatures, SftpPolicy, SftpTransport, offered_host_keys
from support.sshd import QUICK, Server, ssh_key, sshd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd(tmp_path_factory.mktemp("sshd") / "it") as running:
        yield running


def policy(signatures: RsaSignatures) -> SftpPolicy:
    return SftpPolicy(timeouts=QUICK, rsa_signatures=signatures)


# --- host keys ----------------------------------------------------------------------------------------------------


def with_keys(server: Server, host_keys: HostKeys) -> SftpTransport:
    return SftpTransport(
        "127.0.0.1",
        server.port,
        user=server.user,
        key=server.key,
        host_keys=host_keys,
        policy=SftpPolicy(timeouts=QUICK),
    )


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ssh-rsa"])
def test_any_pinned_kind_of_host_key_is_found(server: Server, kind: str) -> None:
    key = server.host_keys[kind]
    with with_keys(server, HostKeys.pinned(key.fingerprint)) as transport:
        assert transport.connect().host_key == key.fingerprint


def test_s01_a_changed_host_key_is_refused_with_both_fingerprints(server: Server) -> None:
    before = server.log.read_text("utf-8")
    pinned = ssh_key("other-host").fingerprint
    with with_keys(server, HostKeys.pinned(pinned)) as transport, pytest.raises(PeerIdentityError) as caught:
        transport.home()
    assert pinned in str(caught.value)
    for key in server.host_keys.values():
        assert key.fingerprint in str(caught.value)
    assert "no login was sent" in caught.value.certain
    assert "Failed publickey" not in server.log.read_text("utf-8")[len(before) :]


def test_s01_a_host_that_known_hosts_does_not_name_is_refused(server: Server) -> None:
    line = f"elsewhere.example {server.host_keys['ssh-ed25519'].public_line()}".encode()
    with (
        with_keys(server, HostKeys.from_known_hosts(line)) as transport,
        pytest.raises(PeerIdentityError, match="none is pinned"),
    ):
        transport.home()


def test_s01_a_key_of_another_kind_than_known_hosts_has_is_refused(server: Server) -> None:
    line = f"[127.0.0.1]:{server.port} {ssh_key('rsa-other').public_line()}".encode()
    with with_keys(server, HostKeys.from_known_hosts(line)) as transport, pytest.raises(PeerIdentityError) as caught:
        transport.home()
    assert ssh_key("rsa-other").fingerprint in str(caught.value)
    assert server.host_keys["ssh-rsa"].fingerprint in str(caught.value)


def test_first_contact_shows_every_key_and_its_lines_are_known_hosts_lines(server: Server) -> None:
    offered = offered_host_keys("127.0.0.1", server.port, policy=SftpPolicy(timeouts=QUICK))
    assert {key.kind: key.fingerprint for key in offered} == {
        kind: key.fingerprint for kind, key in server.host_keys.items()
    }
    for key in offered:
        assert key.known_hosts_line.startswith(f"[127.0.0.1]:{server.port} ")
        with with_keys(server, HostKeys.from_known_hosts(key.known_hosts_line.encode())) as transport:
            assert transport.connect().host_key == key.fingerprint


# --- algorithms ---------------------------------------------------------------------------------------------------

_ONLY_SHA1 = "PubkeyAcceptedAlgorithms ssh-rsa"
_ONLY_SHA2 = "PubkeyAcceptedAlgorithms rsa-sha2-256,rsa-sha2-512,ssh-ed25519"


@pytest.mark.parametrize(
    ("accepts", "signatures", "used"),
    [
        (_ONLY_SHA1, RsaSignatures.AUTO, "ssh-rsa"),
        (_ONLY_SHA1, RsaSignatures.SHA1, "ssh-rsa"),
        (_ONLY_SHA2, RsaSignatures.AUTO, "rsa-sha2-512"),
        (_ONLY_SHA2, RsaSignatures.SHA2, "rsa-sha2-512"),
        ("PubkeyAcceptedAlgorithms rsa-sha2-256", RsaSignatures.AUTO, None),
    ],
)
def test_the_login_is_signed_by_what_server_and_policy_agree_on(
    tmp_path: Path, accepts: str, signatures: RsaSignatures, used: str | None
) -> None:
    with sshd(tmp_path / "sshd", accepts) as server, server.transport(policy=policy(signatures)) as transport:
        if used is None:
            with pytest.raises(AuthenticationRefused):
                transport.connect()
            return
        facts = transport.connect()
        assert facts.signature == used
        assert facts.uses_sha1 is (used == "ssh-rsa")
        assert re.search(f"Accepted key RSA .* found|Accepted publickey for {server.user}", server.log.read_text())


@pytest.mark.parametrize(
    ("accepts", "signatures"), [(_ONLY_SHA1, RsaSignatures.SHA2), (_ONLY_SHA2, RsaSignatures.SHA1)]
)
def test_s03_a_signature_the_policy_forbids_is_never_made(
    tmp_path: Path, accepts: str, signatures: RsaSignatures
) -> None:
    with sshd(tmp_path / "sshd", accepts) as server, server.transport(policy=policy(signatures)) as transport:
        with pytest.raises(AuthenticationRefused):
            transport.connect()
        attempts = server.log.read_text().count("Failed publickey") + server.log.read_text().count("not in Pubkey")
        with pytest.raises(AuthenticationRefused, match="not tried again"):
            transport.home()
        again = server.log.read_text().count("Failed publickey") + server.log.read_text().count("not in Pubkey")
        assert attempts == again


def test_s03_a_key_the_server_does_not_know_is_refused_and_the_advice_names_the_synchronisation(
    server: Server,
) -> None:
    with SftpTransport(
        "127.0.0.1",
        server.port,
        user=server.user,
        key=ssh_key("ed25519-stranger"),
        host_keys=server.pins,
        policy=SftpPolicy(timeouts=QUICK),
    ) as transport:
        with pytest.raises(AuthenticationRefused) as caught:
            transport.home()
        assert "synchronisation" in caught.value.advice
        assert "half an hour" in caught.value.advice


def test_s03_a_server_that_ends_the_connection_with_its_refusal_has_refused(tmp_path: Path) -> None:
    with (
        sshd(tmp_path / "sshd", f"{_ONLY_SHA2}\nMaxAuthTries 1") as server,
        SftpTransport(
            "127.0.0.1",
            server.port,
            user=server.user,
            key=ssh_key("ed25519-stranger"),
            host_keys=server.pins,
            policy=SftpPolicy(timeouts=QUICK),
        ) as transport,
    ):
        for _ in range(2):
            with pytest.raises(AuthenticationRefused):
                transport.home()


def test_s02_no_common_algorithm_lists_both_offers(tmp_path: Path) -> None:
    with (
        sshd(tmp_path / "sshd", "Ciphers chacha20-poly1305@openssh.com") as server,
        server.transport() as transport,
        pytest.raises(TransportError) as caught,
    ):
        transport.home()
    assert "chacha20-poly1305@openssh.com" in str(caught.value)
    assert "aes128-gcm@openssh.com" in str(caught.value)
    assert caught.value.retry.value == "never"


@pytest.mark.parametrize("signatures", [RsaSignatures.AUTO, RsaSignatures.SHA1])
def test_s02_a_server_with_sha1_alone_is_reached_only_by_the_policy_that_says_so(
    tmp_path: Path, signatures: RsaSignatures
) -> None:
    old = (
        "KexAlgorithms diffie-hellman-group14-sha1",
        "HostKeyAlgorithms ssh-rsa",
        "PubkeyAcceptedAlgorithms ssh-rsa",
        "Ciphers aes128-ctr",
        "MACs hmac-sha1",
    )
    with (
        sshd(tmp_path / "sshd", *old, host=("rsa-host",)) as server,
        server.transport(policy=policy(signatures)) as transport,
    ):
        if signatures is RsaSignatures.AUTO:
            with pytest.raises(TransportError, match="diffie-hellman-group14-sha1") as caught:
                transport.connect()
            assert "RsaSignatures.SHA1" in caught.value.advice
            return
        facts = transport.connect()
        assert (facts.key_exchange, facts.host_key_algorithm) == ("diffie-hellman-group14-sha1", "ssh-rsa")
        assert transport.put(f"{server.files}/FI", Source.of(bytes(100_000))).size_seen == 100_000
