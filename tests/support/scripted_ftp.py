"""A small FTPS server that behaves, until a test tells it to misbehave at one point.

    with ScriptedFtp() as server:
        server.on["PASS"] = lambda talk, argument: talk.reply("530 no")

A handler gets the conversation and the command's argument. It is built on the standard library's `ssl`, so that it
shares nothing with the transport it judges.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import struct
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs

from govfile.certificates.credential import Credential
from govfile.certificates.secret import Secret
from govfile.certificates.trust import Trust
from govfile.transports.base import Timeouts
from govfile.transports.ftps import FtpsTransport
from govfile.transports.ftps_policy import FtpsPolicy
from support.ftp_servers import authority, client_identity, server_identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from support.pki import Identity

    Handler = Callable[["Talk", str], None]

#: Short enough for tests, long enough for a busy machine.
QUICK = Timeouts(connect=2.0, tls=0.5, reply=0.5, data=0.5, close=0.3)


class Gone(Exception):
    """The conversation is over."""


class Talk:
    """One control connection, as its handlers see it."""

    def __init__(self, server: ScriptedFtp, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.listener: socket.socket | None = None
        self.commands: list[str] = []

    def reply(self, text: str) -> None:
        """One reply line."""
        self.raw(text.encode() + b"\r\n")

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self.sock.sendall(data)

    def silence(self) -> None:
        """Say nothing more until the test ends."""
        self.server.over.wait(10)
        raise Gone

    def drop(self, *, reset: bool = False) -> None:
        """End the control connection without a word."""
        if reset:
            self.hard(self.sock)
        raise Gone

    def start_tls(self, context: ssl.SSLContext | None = None) -> None:
        """Shake hands on the control connection."""
        self.sock = (context or self.server.context).wrap_socket(self.sock, server_side=True)

    def listen(self, backlog: int = 5) -> int:
        """Open a data port."""
        if self.listener is not None:
            self.listener.close()
        self.listener = socket.create_server((self.server.host, 0), backlog=backlog, family=self.server.family)
        if self.server.window is not None:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.server.window)
        self.listener.settimeout(5)
        return int(self.listener.getsockname()[1])

    def hard(self, sock: socket.socket) -> None:
        """Make the end of a connection a reset."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def accept(self) -> socket.socket:
        """The data connection before TLS."""
        assert self.listener is not None
        sock, _ = self.listener.accept()
        self.listener.close()
        sock.settimeout(5)
        return sock

    def data(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """The data connection in TLS."""
        return (context or self.server.context).wrap_socket(self.accept(), server_side=True, suppress_ragged_eofs=False)

    def read_all(self, data: ssl.SSLSocket) -> bytes:
        """What the client sends, up to its close alert."""
        found = bytearray()
        while block := data.recv(65536):
            found += block
        return bytes(found)

    def send_file(self, content: bytes, *, goodbye: bool = True) -> None:
        """A whole download: 150, the data, 226."""
        self.reply("150 here it comes")
        with contextlib.closing(self.data()) as data:
            data.sendall(content)
            if goodbye:
                with contextlib.suppress(OSError):
                    data.unwrap()
        self.reply("226 done")


class ScriptedFtp:
    """The server. `files` is what STOR left and RETR gives, `seen` every command of every connection.

    `window` bounds the bytes that arrive on a data connection before they are read.
    """

    host = "127.0.0.1"
    family = socket.AF_INET

    def __init__(
        self,
        *,
        identity: Identity | None = None,
        client_authority: bytes | None = None,
        minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        maximum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        resumes: bool = True,
        window: int | None = None,
    ) -> None:
        self.window = window
        self._make_context = functools.partial(
            tls_context, identity or server_identity(), client_authority, minimum, maximum, resumes=resumes
        )
        self._context = self._make_context() if resumes else None
        self.on: dict[str, Handler] = {}
        self.greeting: Handler = lambda talk, _: talk.reply("220 ready")
        self.files: dict[str, bytes] = {}
        self.seen: list[str] = []
        self.connections = 0
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0), family=self.family)
        self.port = int(self._listener.getsockname()[1])
        self._spawn(self._serve)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(6)
        assert not any(thread.is_alive() for thread in self._threads), "a scripted server did not end"

    def transport(self, *, credential: Credential | None = None, host: str = "", **changes: object) -> FtpsTransport:
        """A client of this server; `changes` are of its policy."""
        policy = FtpsPolicy(trust=Trust(system=False, anchors=(authority().identity.certificate,)), timeouts=QUICK)
        return FtpsTransport(
            host or self.host,
            self.port,
            user="user",
            password=Secret("correct horse battery"),
            credential=credential,
            policy=attrs.evolve(policy, **changes),  # type: ignore[arg-type]
        )

    def count(self, verb: str) -> int:
        """How often a command came."""
        return sum(line.split(" ")[0] == verb for line in self.seen)

    @property
    def context(self) -> ssl.SSLContext:
        """The context of the next TLS connection; a new one each time, and so no session cache, where none resumes."""
        return self._make_context() if self._context is None else self._context

    def _spawn(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(8)
            talk = Talk(self, sock)
            self._spawn(lambda talk=talk: self._converse(talk))  # type: ignore[misc]

    def _converse(self, talk: Talk) -> None:
        try:
            with contextlib.suppress(Gone, OSError):
                self.greeting(talk, "")
                while True:
                    self._one(talk)
        finally:
            talk.sock.close()
            if talk.listener is not None:
                talk.listener.close()

    def _one(self, talk: Talk) -> None:
        line = bytearray()
        while not line.endswith(b"\n"):
            mark = talk.sock.recv(1)
            if not mark:
                raise Gone
            line += mark
        text = line.decode("latin-1").rstrip("\r\n")
        verb, _, argument = text.partition(" ")
        self.seen.append(text)
        handler = self.on.get(verb) or getattr(self, f"_on_{verb.lower()}", None)
        if handler is None:
            talk.reply("502 not known")
        else:
            handler(talk, argument)

    # --- how it behaves unless told otherwise -------------------------------------------------------------------

    def _on_auth(self, talk: Talk, _: str) -> None:
        talk.reply("234 go on")
        talk.start_tls()

    def _on_user(self, talk: Talk, _: str) -> None:
        talk.reply("331 password please")

    def _on_pass(self, talk: Talk, _: str) -> None:
        talk.reply("230 welcome")

    def _on_pbsz(self, talk: Talk, _: str) -> None:
        talk.reply("200 ok")

    _on_prot = _on_type = _on_pbsz

    def _on_pwd(self, talk: Talk, _: str) -> None:
        talk.reply('257 "/" is where you are')

    def _on_pasv(self, talk: Talk, _: str) -> None:
        port = talk.listen()
        talk.reply(f"227 Entering Passive Mode (127,0,0,1,{port >> 8},{port & 255}).")

    def _on_epsv(self, talk: Talk, _: str) -> None:
        talk.reply(f"229 Extended passive (|||{talk.listen()}|)")

    def _on_stor(self, talk: Talk, argument: str) -> None:
        talk.reply("150 send it")
        with contextlib.closing(talk.data()) as data:
            self.files[argument] = talk.read_all(data)
            with contextlib.suppress(OSError):
                data.unwrap()
        talk.reply("226 stored")

    def _on_retr(self, talk: Talk, argument: str) -> None:
        if argument in self.files:
            talk.send_file(self.files[argument])
        else:
            talk.reply("550 not here")

    def _on_mlsd(self, talk: Talk, _: str) -> None:
        lines = [f"type=file;size={len(found)}; {name.rpartition('/')[2]}" for name, found in self.files.items()]
        talk.send_file("".join(f"{line}\r\n" for line in lines).encode())

    def _on_dele(self, talk: Talk, argument: str) -> None:
        talk.reply("250 gone" if self.files.pop(argument, None) is not None else "550 not here")

    def _on_quit(self, talk: Talk, _: str) -> None:
        talk.reply("221 bye")
        raise Gone


def tls_context(
    identity: Identity,
    client_authority: bytes | None = None,
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    maximum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    *,
    resumes: bool = True,
) -> ssl.SSLContext:
    """A server's context; `client_authority` (PEM) makes client certificates of that authority mandatory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.pem")
        path.write_bytes(identity.pem + identity.key_pem())
        context.load_cert_chain(path)
    context.minimum_version, context.maximum_version = minimum, maximum
    if client_authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_authority.decode())
    if not resumes:
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context


def credential_of(identity: Identity | None = None, *, allow_expired: bool = False) -> Credential:
    """A client credential from an identity of the throw-away PKI; loaded once, since checking a key takes its time."""
    found = identity or client_identity()
    return _loaded(found.pem, found.key_pem(), found.chain_pem, allow_expired)


@functools.cache
def _loaded(certificate: bytes, key: bytes, chain: bytes, allow_expired: bool) -> Credential:
    return Credential.from_pem(certificate + key, chain=chain, allow_expired=allow_expired)


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Until `condition` holds; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)
