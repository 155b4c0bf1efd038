"""What goes wrong before a document is handed over: each a typed error, and certain."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile.certificates.secret import Secret
from govfile.errors import (
    AuthenticationRefused,
    ConfigurationError,
    ConnectionFailed,
    CredentialError,
    InvalidName,
    PeerIdentityError,
    Phase,
    ProtocolError,
    Retry,
    TimedOut,
    TlsFailed,
    TransferRefused,
    TransportError,
)
from govfile.filing.source import Source
from govfile.transports.ftps import FtpsTransport
from govfile.transports.ftps_policy import FtpsPolicy, Passive, TlsStart, TlsVersion
from support.ftp_servers import authority
from support.pki import Authority, plain, rsa_key
from support.scripted_ftp import QUICK, ScriptedFtp, Talk, credential_of, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.certificates.credential import Credential

DOCUMENT = Source.of(b"<report/>")

BOTH = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])


def put(transport: FtpsTransport) -> bool:
    """Try an upload; whether `committing` was reached."""
    committed: list[None] = []
    with contextlib.closing(transport):
        transport.put("/Udlaan/a.zip", DOCUMENT, committing=lambda: committed.append(None))
    return bool(committed)


# --- reaching it ------------------------------------------------------------------------------------------------


def test_f01_connection_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    transport = FtpsTransport("127.0.0.1", port, user="u", password=Secret("p"))
    with pytest.raises(ConnectionFailed, match=f"port {port} cannot be reached") as caught:
        transport.home()
    assert caught.value.phase is Phase.CONNECT
    assert caught.value.retry is Retry.SAME_REQUEST


def test_f01_unknown_host() -> None:
    transport = FtpsTransport("gateway.invalid", 6381, user="u", password=Secret("p"))
    with pytest.raises(ConnectionFailed, match=r"gateway\.invalid cannot be resolved") as caught:
        transport.home()
    assert caught.value.phase is Phase.RESOLVE


def test_f02_a_resolver_that_hangs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedFtp() as server:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: server.over.wait(5) and [])
        transport = FtpsTransport(
            "slow.example",
            6381,
            user="u",
            password=Secret("p"),
            policy=FtpsPolicy(timeouts=attrs.evolve(QUICK, connect=0.1)),
        )
        with pytest.raises(TimedOut, match=r"resolving slow\.example") as caught:
            transport.home()
    assert caught.value.phase is Phase.RESOLVE


def silence(talk: Talk, _: str) -> None:
    talk.silence()


def silent_after_auth(talk: Talk, _: str) -> None:
    talk.reply("234 go on")
    talk.silence()


@pytest.mark.parametrize(
    ("verb", "handler", "which"),
    [
        ("greeting", silence, "reply"),
        ("AUTH", silence, "reply"),
        ("AUTH", silent_after_auth, "tls"),
        ("USER", silence, "reply"),
        ("PASS", silence, "reply"),
        ("PBSZ", silence, "reply"),
        ("PROT", silence, "reply"),
        ("TYPE", silence, "reply"),
        ("PASV", silence, "reply"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_f02_silence_before_the_upload_is_a_time_out(
    verb: str, handler: Callable[[Talk, str], None], which: str
) -> None:
    with ScriptedFtp() as server:
        if verb == "greeting":
            server.greeting = handler
        else:
            server.on[verb] = handler
        with pytest.raises(TimedOut) as caught:
            put(server.transport())
        assert caught.value.which == which
        assert server.count("STOR") == 0


def test_f02_the_total_deadline_bounds_a_server_that_drips() -> None:
    def drip(talk: Talk, _: str) -> None:
        while not server.over.wait(0.05):
            talk.raw(b"-")

    with ScriptedFtp() as server:
        server.greeting = drip
        transport = server.transport(timeouts=attrs.evolve(QUICK, reply=30.0, total=0.3))
        with pytest.raises(TimedOut) as caught:
            transport.home()
        assert caught.value.which == "total"


@pytest.mark.parametrize("verb", ["AUTH", "USER", "PASS", "PROT", "TYPE", "PASV"])
def test_link_lost_before_the_upload_is_a_plain_failure(verb: str) -> None:
    with ScriptedFtp() as server:
        server.on[verb] = lambda talk, _: talk.drop()
        with pytest.raises(ConnectionFailed, match="lost while"):
            put(server.transport())
        assert server.count("STOR") == 0


def test_a_server_that_takes_nobody_says_so() -> None:
    with ScriptedFtp() as server:
        server.greeting = lambda talk, _: talk.reply("421 too many users")
        with pytest.raises(ConnectionFailed, match="421 too many users"):
            put(server.transport())


# --- whom we speak to -------------------------------------------------------------------------------------------


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


# --- nothing in clear text --------------------------------------------------------------------------------------


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


# --- data ports -------------------------------------------------------------------------------------------------


def passive(server: ScriptedFtp, address: str) -> Callable[[Talk, str], None]:
    def answer(talk: Talk, _: str) -> None:
        port = talk.listen()
        talk.reply(f"227 Entering Passive Mode ({address},{port >> 8},{port & 255}).")

    return answer


@pytest.mark.parametrize("address", ["10,0,0,7", "192,0,2,1", "0,0,0,0", "127,0,0,2", "999,1,1,1"])
def test_f08_the_address_in_a_pasv_reply_is_ignored(address: str) -> None:
    with ScriptedFtp() as server:
        server.on["PASV"] = passive(server, address)
        put(server.transport())
        assert server.files == {"/Udlaan/a.zip": b"<report/>"}


def test_f08_a_port_outside_the_documented_range_is_used_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedFtp() as server:
        put(server.transport(data_ports=(1, 2)))
    assert "outside the documented range (1, 2)" in caplog.text


@pytest.mark.parametrize(
    ("ports", "earlier", "words"),
    [
        ((36000, 39999), None, "all of 36000-39999 out through the firewall"),
        ((1024, 65535), (36000, 36100), "lies outside 36000-36100, the range that older rules let through"),
        ((1, 2), None, "lies outside that range"),
        (None, None, "other data ports out through the firewall"),
    ],
)
def test_an_unreachable_data_port_is_named_with_the_firewall_hint(
    ports: tuple[int, int] | None, earlier: tuple[int, int] | None, words: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    if ports == (36000, 39999) and not 36000 <= closed <= 39999:
        closed = 38999
    with ScriptedFtp() as server:
        server.on["PASV"] = lambda talk, _: talk.reply(f"227 here (127,0,0,1,{closed >> 8},{closed & 255})")
        with pytest.raises(ConnectionFailed, match=f"data port {closed} cannot be reached") as caught:
            put(server.transport(data_ports=ports, earlier_data_ports=earlier))
        assert words in caught.value.advice
        assert "no document was handed over" in caught.value.certain
        assert server.count("STOR") == 0, "the port is tried before anything is sent"


def test_a_data_port_that_does_not_answer_is_found_before_anything_is_sent() -> None:
    with ScriptedFtp() as server, contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        for _ in range(4):  # fill its queue: further connections are left without an answer
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        server.on["PASV"] = lambda talk, _: talk.reply(f"227 here (127,0,0,1,{port >> 8},{port & 255})")
        transport = server.transport(timeouts=attrs.evolve(QUICK, connect=0.2), data_ports=(1024, 65535))
        with pytest.raises(TimedOut, match=f"data port {port} did not answer") as caught:
            put(transport)
        assert caught.value.which == "connect"
        assert server.count("STOR") == 0


@pytest.mark.parametrize(
    "reply", ["227 no numbers", "227 (127,0,0,1,0,0)", "227 (127,0,0,1,256,1)", "229 (|||65536|)", "200 fine", "229 x"]
)
def test_a_reply_without_a_usable_port_is_a_protocol_error(reply: str) -> None:
    with ScriptedFtp() as server:
        server.on["PASV"] = lambda talk, _: talk.reply(reply)
        with pytest.raises(ProtocolError, match="no usable data port"):
            put(server.transport())


@pytest.mark.parametrize("start", [Passive.AUTO, Passive.EPSV, Passive.PASV])
def test_the_passive_command_follows_the_policy(start: Passive) -> None:
    with ScriptedFtp() as server:
        put(server.transport(passive=start))
        assert server.count("EPSV") == (start is Passive.EPSV)
        assert server.count("PASV") == (start is not Passive.EPSV)


def test_epsv_is_tried_where_pasv_is_not_known() -> None:
    with ScriptedFtp() as server:
        server.on["PASV"] = lambda talk, _: talk.reply("502 not known")
        with contextlib.closing(server.transport()) as transport:
            for name in ("/a", "/b"):
                transport.put(name, DOCUMENT)
        assert server.count("PASV") == 1
        assert server.count("EPSV") == 2


def test_a_fixed_passive_command_that_is_refused_stays_refused() -> None:
    with ScriptedFtp() as server:
        server.on["EPSV"] = lambda talk, _: talk.reply("502 not known")
        with pytest.raises(TransferRefused, match="502"):
            put(server.transport(passive=Passive.EPSV))


# --- names and replies ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/Udlaan/a\r\nDELE b", "/Udlaan/a\n", "/Udlaan/\0", "", "/Udlaan/\udcff"])
def test_f14_a_path_that_would_break_out_of_its_command_is_refused_locally(path: str) -> None:
    with ScriptedFtp() as server:
        transport = server.transport()
        for call in (
            lambda: transport.put(path, DOCUMENT),
            lambda: transport.list(path),
            lambda: transport.remove(path),
        ):
            with pytest.raises(InvalidName):
                call()
        assert server.connections == 0


@pytest.mark.parametrize(("user", "password"), [("a\r\nDELE b", "p"), ("a", "p\nq"), ("a\0", "p")])
def test_f14_line_breaks_in_user_or_password_never_leave(user: str, password: str) -> None:
    with ScriptedFtp() as server:
        transport = server.transport()
        transport._user, transport._password = user, Secret(password)
        with pytest.raises(ConfigurationError):
            transport.home()
        assert not any("DELE" in line or "PASS" in line for line in server.seen)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"220 " + b"x" * 1_000_000, id="one endless line"),
        pytest.param(b"220-x\r\n" * 200_000, id="a reply never closed"),
        pytest.param(b"220-" + b"\r\n" * 5000, id="empty lines"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
        pytest.param(b"999 what\r\n", id="no such code"),
        pytest.param(b"22 x\r\n", id="two digits"),
        pytest.param(b"220x\r\n", id="no separator"),
        pytest.param(b"\r\n", id="nothing"),
    ],
)
def test_f19_replies_that_are_none_are_bounded(raw: bytes) -> None:
    def flood(talk: Talk, _: str) -> None:
        talk.raw(raw)
        talk.silence()

    with ScriptedFtp() as server:
        server.greeting = flood
        with pytest.raises(ProtocolError) as caught:
            server.transport().home()
        assert len(caught.value.excerpt) <= 80
        assert caught.value.excerpt.isprintable()


def test_f19_a_long_reply_in_many_lines_is_read_to_its_end() -> None:
    with ScriptedFtp() as server:
        server.greeting = lambda talk, _: talk.raw(b"220-hello\r\n220-230 not the end\r\n 220 neither\r\n220 end\r\n")
        with contextlib.closing(server.transport()) as transport:
            assert transport.home() == "/"


def test_f19_a_reply_nobody_asked_for_is_never_taken_for_an_answer() -> None:
    """A second final reply is left over; the next call must not read it as its own."""
    with ScriptedFtp() as server:
        server.on["DELE"] = lambda talk, _: talk.raw(b"250 gone\r\n226 and an upload is complete\r\n")
        with contextlib.closing(server.transport()) as transport:
            transport.remove("/a")
            assert transport.home() == "/"
        assert server.connections == 2


def test_escape_codes_in_replies_are_shown_as_text() -> None:
    with ScriptedFtp() as server:
        server.on["DELE"] = lambda talk, _: talk.raw(b"550 \x1b[31mred\x07\r\n")
        with contextlib.closing(server.transport()) as transport, pytest.raises(TransportError) as caught:
            transport.remove("/a")
    assert "\\x1b[31mred\\x07" in str(caught.value)
    assert str(caught.value).isprintable()
