"""Whom we speak to, who we are, and that nothing travels in clear text."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

import pytest

from govfile.certificates.secret import Secret
from govfile.errors import (
    AuthenticationRefused,
    ConfigurationError,
    ConnectionFailed,
    CredentialError,
    PeerIdentityError,
    ProtocolError,
    Retry,
    TlsFailed,
)
from govfile.transports.ftps import FtpsTransport
from govfile.transports.ftps_policy import TlsStart, TlsVersion
from support.ftp_servers import authority
from support.pki import Authority, plain, rsa_key
from support.scripted_ftp import ScriptedFtp, Talk, credential_of, tls_context
from support.small_upload import BOTH, put

if TYPE_CHECKING:
    from govfile.certificates.credential import Credential


def hosts(kind: str) -> ScriptedFtp:
    stranger = Authority.create(plain("Somebody else"), key=rsa_key(5))
    identity = {
        "wrong name": lambda: authority().issue(plain("gateway"), key=rsa_key(3), hosts=["other.example"]),
        "common name only": lambda: authority().issue(plain("127.0.0.1"), key=rsa_key(3)),
        "unknown issuer": lambda: stranger.issue(plain("gateway"), key=rsa_key(3), hosts=["127.0.0.1"]),
        "expired": lambda: authority().expired(plain("gateway"), key=rsa_key(3)),
        "not yet valid": lambda: authority().not_yet_valid(plain("gateway"), key=rsa_key(3)),
    }[kind]()
    return ScriptedFtp(identity=identity)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("wrong name", r"for other\.example, not for 127\.0\.0\.1"),
        ("common name only", "for no host at all"),
        ("unknown issuer", "issuer is unknown|not trusted"),
        ("expired", "it has expired"),
        ("not yet valid", "not yet valid"),
    ],
)
def test_f03_a_server_that_is_not_the_one_expected(kind: str, words: str) -> None:
    with hosts(kind) as server:
        with pytest.raises(PeerIdentityError, match=words) as caught:
            put(server.transport())
        assert caught.value.retry is Retry.NEVER
        assert server.count("USER") == 0, "no login was sent"


def test_f03_a_data_connection_to_somebody_else_gets_no_content() -> None:
    stranger = Authority.create(plain("Somebody else"), key=rsa_key(5))
    context = tls_context(stranger.issue(plain("gateway"), key=rsa_key(3), hosts=["127.0.0.1"]))
    got: list[bytes] = []

    def stolen(talk: Talk, _: str) -> None:
        talk.reply("150 send it")
        with contextlib.suppress(OSError), contextlib.closing(talk.data(context)) as data:
            got.append(talk.read_all(data))
        talk.silence()

    with ScriptedFtp() as server:
        server.on["STOR"] = stolen
        with pytest.raises(Exception, match="certificate is not believed"):
            put(server.transport())
    assert not any(got)


def test_a_host_that_is_no_host_name_is_a_setting() -> None:
    transport = FtpsTransport("127.0.0.1", 1, user="u", password=Secret("p"))
    assert transport.endpoint == "127.0.0.1:1"
    with pytest.raises(ConfigurationError):
        FtpsTransport("", 21, user="u", password=Secret("p"))
    with pytest.raises(ConfigurationError):
        FtpsTransport("gateway.example", 70000, user="u", password=Secret("p"))


@pytest.mark.parametrize(
    ("server_version", "ours"),
    [
        (ssl.TLSVersion.TLSv1_2, TlsVersion.TLS_1_3),
        (ssl.TLSVersion.TLSv1_3, TlsVersion.TLS_1_2),
    ],
    ids=["server is too old", "we are capped"],
)
def test_f04_no_common_tls_version_names_ours(server_version: ssl.TLSVersion, ours: TlsVersion) -> None:
    with ScriptedFtp(minimum=server_version, maximum=server_version) as server:
        with pytest.raises(TlsFailed, match=rf"we speak {ours.value} to {ours.value}") as caught:
            put(server.transport(floor=ours, ceiling=ours))
        assert caught.value.alert
        assert server.count("USER") == 0


def test_a_server_that_speaks_clear_text_after_auth_is_named() -> None:
    def clear(talk: Talk, _: str) -> None:
        talk.reply("234 go on")
        talk.sock.recv(1)
        talk.raw(b"220 but I do not know TLS at all\r\n")
        talk.silence()

    with ScriptedFtp() as server:
        server.on["AUTH"] = clear
        with pytest.raises(TlsFailed, match="did not answer in TLS"):
            put(server.transport())


@BOTH
@pytest.mark.parametrize("who", ["unknown issuer", "expired", "none"])
def test_f05_a_client_certificate_the_server_refuses(who: str, version: ssl.TLSVersion) -> None:
    stranger = Authority.create(plain("Somebody else"), key=rsa_key(5))
    credential: Credential | None = None
    if who != "none":
        identity = stranger.issue() if who == "unknown issuer" else authority().expired()
        credential = credential_of(identity, allow_expired=True)
    with ScriptedFtp(client_authority=authority().pem, minimum=version, maximum=version) as server:
        transport = server.transport(credential=credential)
        transport._clock = lambda: (
            credential.valid_from if credential else authority().identity.certificate.not_valid_before_utc
        )
        expected = (
            (CredentialError, TlsFailed) if who == "none" and version is ssl.TLSVersion.TLSv1_2 else CredentialError
        )
        with pytest.raises(expected, match=r"certificate|handshake failure") as caught:
            put(transport)
        assert caught.value.advice
        assert not any(line.startswith("PASS") for line in server.seen)


def test_f05_an_expired_certificate_is_seen_before_connecting() -> None:
    with ScriptedFtp() as server:
        with pytest.raises(CredentialError, match="expired on"):
            put(server.transport(credential=credential_of(authority().expired(), allow_expired=True)))
        assert server.connections == 0


@pytest.mark.parametrize(("verb", "reply"), [("PASS", "530 wrong"), ("USER", "530 unknown"), ("PASS", "430 no")])
def test_f06_a_refused_login_is_never_tried_again(verb: str, reply: str) -> None:
    with ScriptedFtp() as server:
        server.on[verb] = lambda talk, _: talk.reply(reply)
        transport = server.transport()
        for _ in range(3):
            with pytest.raises(AuthenticationRefused, match=reply[:3]) as caught:
                transport.home()
            assert caught.value.retry is Retry.NEVER
        assert server.connections == 1
        assert server.count(verb) == 1


def test_a_server_that_repeats_the_password_does_not_bring_it_into_the_error() -> None:
    with ScriptedFtp() as server:
        server.on["PASS"] = lambda talk, argument: talk.reply(f"530 {argument} is wrong")
        with pytest.raises(AuthenticationRefused) as caught:
            server.transport().home()
    assert "correct horse" not in str(caught.value) + repr(caught.value)


def test_a_busy_server_at_login_may_be_tried_again() -> None:
    with ScriptedFtp() as server:
        server.on["USER"] = lambda talk, _: talk.reply("421 come back later")
        with pytest.raises(ConnectionFailed, match="421"):
            server.transport().home()
        del server.on["USER"]
        transport = server.transport()
        assert transport.home() == "/"
        transport.close()


def test_a_login_by_certificate_alone_needs_no_password() -> None:
    with ScriptedFtp() as server:
        server.on["USER"] = lambda talk, _: talk.reply("232 your certificate is enough")
        with contextlib.closing(server.transport()) as transport:
            assert transport.home() == "/"
        assert server.count("PASS") == 0


@pytest.mark.parametrize("reply", ["500 what", "502 no", "534 policy", "334 more"])
def test_f13_auth_tls_refused_ends_before_the_login(reply: str) -> None:
    with ScriptedFtp() as server:
        server.on["AUTH"] = lambda talk, _: talk.reply(reply)
        with pytest.raises(TlsFailed, match=f"AUTH TLS: {reply}"):
            put(server.transport())
        assert server.seen == ["AUTH TLS"]


@pytest.mark.parametrize("verb", ["PBSZ", "PROT"])
def test_f13_protection_refused_ends_before_any_data(verb: str) -> None:
    with ScriptedFtp() as server:
        server.on[verb] = lambda talk, _: talk.reply("536 not here")
        with pytest.raises(TlsFailed, match=r"refused P(BSZ|ROT)"):
            put(server.transport())
        assert server.seen[-1].startswith(verb)


def test_commands_injected_before_tls_are_not_believed() -> None:
    with ScriptedFtp() as server:
        server.on["AUTH"] = lambda talk, _: talk.raw(b"234 go on\r\n230 you are logged in\r\n")
        with pytest.raises(ProtocolError, match="before TLS started"):
            put(server.transport())


def test_the_order_of_commands_puts_protection_before_data() -> None:
    with ScriptedFtp() as server:
        put(server.transport())
    assert [line.split()[0] for line in server.seen] == [
        *("AUTH", "USER", "PASS", "PBSZ", "PROT", "TYPE", "PASV", "STOR", "QUIT")
    ]


def test_implicit_tls_starts_with_the_first_byte() -> None:
    def greet(talk: Talk, _: str) -> None:
        talk.start_tls()
        talk.reply("220 ready")

    with ScriptedFtp() as server:
        server.greeting = greet
        put(server.transport(tls_start=TlsStart.IMPLICIT))
        assert server.count("AUTH") == 0
        assert server.files == {"/Udlaan/a.zip": b"<report/>"}


def test_a_key_that_the_tls_library_finds_too_short_is_a_credential_error_in_words() -> None:
    short = authority().issue(plain("somebody"), key=rsa_key(9, bits=1024))
    with (
        ScriptedFtp() as server,
        pytest.raises(CredentialError, match=r"does not take the key or certificate: [a-z][a-z ]+key too small\."),
    ):
        put(server.transport(credential=credential_of(short)))
