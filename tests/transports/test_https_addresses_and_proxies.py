"""From an address to a connection: what can be named at all, what is not there, and proxies."""

from __future__ import annotations

import socket
from typing import Any

import attrs
import pytest

from govfile.certificates.secret import Secret
from govfile.certificates.trust import Trust
from govfile.errors import (
    AuthenticationRefused,
    ConfigurationError,
    ConnectionFailed,
    GovfileError,
    Phase,
    TimedOut,
)
from govfile.transports.https import HttpsTransport
from govfile.transports.https_policy import HttpsPolicy, Proxy
from support.scripted_ftp import credential_of
from support.scripted_https import PATIENT, ScriptedHttps, ScriptedProxy, fails, never, plain, trusted


def test_a_closed_port_is_a_failed_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    transport = HttpsTransport(f"https://127.0.0.1:{port}", trust=trusted())
    with pytest.raises(ConnectionFailed, match="cannot be reached"):
        transport.post("/", b"", committing=never)


def test_a_name_that_is_not_there_is_a_failed_connection() -> None:
    with pytest.raises(ConnectionFailed, match="cannot be resolved") as caught:
        HttpsTransport("https://nobody.invalid", trust=trusted()).post("/", b"", committing=never)
    assert caught.value.phase is Phase.RESOLVE


def test_a_full_queue_of_connections_does_not_outlast_the_deadline() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as listener,
        socket.socket() as first,
        socket.socket() as second,
    ):
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        transport = HttpsTransport(url, trust=trusted(), timeouts=attrs.evolve(PATIENT, connect=0.2))
        with pytest.raises(TimedOut) as caught:
            transport.post("/", b"", committing=never)
    assert caught.value.which == "connect"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "127.0.0.1:443",
        "https://",
        "https://user:pass@127.0.0.1",
        "https://127.0.0.1/?a=b",
        "https://127.0.0.1/#a",
        "https://127.0.0.1:99999",
        "https://127.0.0.1/a b",
        "https://[::1",
        "http://authority.test",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        HttpsTransport(url, trust=trusted())
    assert "pass" not in caught.value.what


def test_clear_text_is_spoken_to_this_computer_and_to_hosts_that_are_named() -> None:
    assert HttpsTransport("http://localhost", trust=trusted()).endpoint == "localhost:80"
    assert HttpsTransport("http://[::1]:8080", trust=trusted()).endpoint == "[::1]:8080"
    policy = HttpsPolicy(clear_text_hosts=("authority.test",))
    assert HttpsTransport("http://authority.test", trust=trusted(), policy=policy).endpoint == "authority.test:80"
    with pytest.raises(ConfigurationError, match="without TLS"):
        HttpsTransport("http://127.0.0.1", trust=trusted(), credential=credential_of())


def test_trust_in_nobody_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="no certificate authority is trusted"):
        HttpsTransport("https://127.0.0.1", trust=Trust(system=False))


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("service", {}),
        ("/a b", {}),
        ("/a\r\nX: y", {}),
        ("/a#b", {}),
        ("/é", {}),
        ("/", {"X": "y\r\nEvil: z"}),
        ("/", {"X\n": "y"}),
        ("/", {"": "y"}),
        ("/", {"X": "€"}),
        ("/", {"Content-Length": "0"}),
        ("/", {"HOST": "other"}),
        ("/", {"Transfer-Encoding": "chunked"}),
    ],
)
def test_what_cannot_stand_in_a_request_is_refused_before_anything_is_opened(
    path: str, headers: dict[str, str]
) -> None:
    with ScriptedHttps(tls=False) as server, server.transport() as transport:
        with pytest.raises(ConfigurationError):
            transport.post(path, b"", headers=headers, committing=never)
        assert server.connections == 0


# --- proxies ----------------------------------------------------------------------------------------------------


def test_a_proxys_password_that_is_not_secret_is_refused_unseen() -> None:
    with pytest.raises(ConfigurationError, match="the proxy's password is given as str") as refused:
        Proxy(url="http://127.0.0.1:3128", user="me", password="hush")  # type: ignore[arg-type]
    assert "hush" not in str(refused.value)


def through(proxy: ScriptedProxy, **login: Any) -> HttpsPolicy:
    return HttpsPolicy(proxy=Proxy(url=f"http://127.0.0.1:{proxy.port}", **login))


def test_a_proxy_leads_to_the_server_and_learns_nothing_but_where_it_is() -> None:
    with ScriptedHttps() as server, ScriptedProxy(server.port) as proxy:
        policy = through(proxy, user="me", password=Secret("not for the server 1"))
        with server.transport(policy=policy, url="https://localhost:1") as transport:
            for _ in range(2):
                assert transport.post("/", b"<hidden/>").status == 200
    (request,) = proxy.requests
    assert request.line == "CONNECT localhost:1 HTTP/1.1"
    assert request.headers["proxy-authorization"] == "Basic bWU6bm90IGZvciB0aGUgc2VydmVyIDE="
    assert "proxy-authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("refusal", "kind", "says"),
    [
        (plain(407, b"", "Proxy-Authenticate: Basic"), AuthenticationRefused, "demands a login, and refused"),
        (plain(403, b"no"), ConnectionFailed, "HTTP 403"),
        (plain(302, b"", "Location: http://127.0.0.1/"), ConnectionFailed, "HTTP 302"),
        (b"", ConnectionFailed, "broke off"),
        (b"SSH-2.0\r\n\r\n", ConnectionFailed, "spoke no HTTP"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000, ConnectionFailed, "spoke no HTTP"),
    ],
)
def test_a_proxy_that_refuses_is_told_from_the_server(refusal: bytes, kind: type[GovfileError], says: str) -> None:
    with ScriptedHttps() as server, ScriptedProxy(server.port, refusal) as proxy:
        error = fails(server, kind, policy=through(proxy, user="me", password=Secret("secret of the proxy 2")))
    assert says in str(error)
    assert "secret" not in str(error)


def test_a_silent_proxy_does_not_outlast_the_deadline() -> None:
    with ScriptedHttps() as server, ScriptedHttps(tls=False) as proxy:
        proxy._talk = lambda sock: proxy.stopping.wait(60)  # type: ignore[assignment,method-assign]
        policy = HttpsPolicy(proxy=Proxy(url=proxy.url))
        error = fails(server, TimedOut, policy=policy, timeouts=attrs.evolve(PATIENT, connect=0.2))
    assert "the proxy" in str(error)


@pytest.mark.parametrize("url", ["https://127.0.0.1:3128", "socks5://127.0.0.1", "127.0.0.1:3128"])
def test_a_proxy_that_cannot_be_used_is_refused_at_once_or_on_the_first_call(url: str) -> None:
    with pytest.raises(ConfigurationError, match="proxy"):
        HttpsTransport("https://127.0.0.1", trust=trusted(), policy=HttpsPolicy(proxy=Proxy(url=url)))


def test_settings_of_the_surroundings_count_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with ScriptedHttps() as server, server.transport() as transport:
        assert transport.post("/", b"").status == 200
