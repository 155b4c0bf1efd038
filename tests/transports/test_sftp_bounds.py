"""Nothing a server sends or withholds makes the SFTP client wait or grow without end."""

from __future__ import annotations

import os
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, cast

import paramiko
import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from paramiko.common import AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from govfile.errors import ConnectionFailed, GovfileError, OutcomeUnknown, ProtocolError, TimedOut
from govfile.filing.source import Source
from govfile.transports.base import Timeouts
from govfile.transports.sftp import HostKeys, SftpPolicy, SftpTransport
from support.sftp_faults import Faults, faulty_sftp
from support.sshd import QUICK, Server, key_bytes, ssh_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

DOCUMENT = os.urandom(300_000)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def server(tmp_path: Path, faults: Faults) -> Iterator[Server]:
    root = tmp_path / "root"
    root.mkdir()
    with faulty_sftp(root, faults) as running:
        yield running


def short(**changes: float) -> SftpPolicy:
    return SftpPolicy(timeouts=Timeouts(**{"connect": 5, "tls": 10, "reply": 10, "data": 10, "close": 1, **changes}))


def test_s10_a_server_that_stalls_in_a_transfer_meets_the_deadline(server: Server, faults: Faults) -> None:
    faults.stall_write = 0
    with server.transport(policy=short(data=0.4)) as transport, pytest.raises(GovfileError) as caught:
        transport.put("/FI", Source.of(DOCUMENT))
    assert isinstance(caught.value, OutcomeUnknown)  # every byte had left
    with server.transport(policy=short(data=0.4)) as transport:
        faults.stall_write = faults.writes
        with pytest.raises(TimedOut) as late:
            transport.put("/FI2", Source.of(bytes(20_000_000)))
        assert late.value.which == "data"
        assert "not handed over" in late.value.certain


def test_s10_the_total_deadline_bounds_the_call(server: Server, faults: Faults) -> None:
    faults.stall_write = 0
    with server.transport(policy=short(total=1.5)) as transport, pytest.raises(GovfileError) as caught:
        transport.put("/FI", Source.of(bytes(20_000_000)))
    assert isinstance(caught.value, TimedOut)
    assert caught.value.which == "total"


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"", TimedOut),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200, ProtocolError),
        (b"x" * 100_000, ProtocolError),
        (b"SSH-2.0-flood\r\n" + b"\xff\xff\xff\xff" * 1000, ProtocolError),
        (b"SSH-1.5-old\r\n", ProtocolError),
    ],
)
def test_s16_whatever_greets_us_is_bounded(greeting: bytes, error: type[GovfileError]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_greet, args=(listener, greeting), daemon=True).start()
        transport = SftpTransport(
            "127.0.0.1",
            listener.getsockname()[1],
            user="u",
            key=ssh_key("rsa-user"),
            host_keys=HostKeys.pinned("SHA256:" + "A" * 43),
            policy=short(tls=1.0),
        )
        with transport, pytest.raises(error):
            transport.home()


def _greet(listener: socket.socket, greeting: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        try:
            connection.sendall(greeting)
            connection.settimeout(5)
            while connection.recv(65536):
                pass
        except OSError:
            return


def test_s16_a_folder_without_end_is_bounded(server: Server, faults: Faults) -> None:
    faults.endless_listing = True
    policy = SftpPolicy(timeouts=QUICK, listing_limit=1000)
    with server.transport(policy=policy) as transport, pytest.raises(ProtocolError, match="does not end"):
        transport.list("/")


def test_s16_an_answer_larger_than_the_limit_is_refused(server: Server, faults: Faults) -> None:
    faults.names = tuple(b"%d" % number + b"n" * 250 for number in range(100))
    policy = SftpPolicy(timeouts=QUICK, reply_limit=10_000)
    with server.transport(policy=policy) as transport, pytest.raises(ProtocolError, match="announces"):
        transport.list("/")


def test_s16_a_banner_is_read_and_ignored(tmp_path: Path) -> None:
    faults = Faults(banner="\x1b[31mAuthorised use only\n" * 500)
    with faulty_sftp(tmp_path, faults) as server, server.transport() as transport:
        assert transport.home() == "/"


# --- a server that breaks SSH itself ------------------------------------------------------------------------------


class Flooding(paramiko.ServerInterface):
    """Lets anybody in, and gives the channel to whoever floods it."""

    def __init__(self) -> None:
        self.channel_asked = threading.Event()

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self.channel_asked.set()
        return True


def send(server: Any, message: paramiko.Message) -> None:
    """A packet of any kind, whatever the rules say."""
    server._send_message(message)


def data_beyond_the_window(server: paramiko.Transport, channel: paramiko.Channel) -> None:
    """Channel data that nobody gave a window for."""
    for _ in range(2000):
        message = paramiko.Message(struct.pack(">BII", 94, channel.remote_chanid, 32_000) + bytes(32_000))
        send(server, message)


def words_on_the_side_without_end(server: paramiko.Transport, channel: paramiko.Channel) -> None:
    """Extended data (what a program prints as errors)."""
    for _ in range(2000):
        message = paramiko.Message(struct.pack(">BIII", 95, channel.remote_chanid, 1, 32_000) + bytes(32_000))
        send(server, message)


def packets_that_say_nothing(server: paramiko.Transport, channel: paramiko.Channel) -> None:
    """IGNORE, again and again."""
    for _ in range(2000):
        send(server, paramiko.Message(struct.pack(">BI", 2, 32_000) + bytes(32_000)))


def an_answer_to_nothing(_server: paramiko.Transport, channel: paramiko.Channel) -> None:
    """VERSION 3, and then a status nobody asked for."""
    channel.sendall(struct.pack(">IBI", 5, 2, 3) + struct.pack(">IBII", 9, 101, 4711, 0))


def another_version(_server: paramiko.Transport, channel: paramiko.Channel) -> None:
    """SFTP 2."""
    channel.sendall(struct.pack(">IBI", 5, 2, 2))


def a_huge_answer(_server: paramiko.Transport, channel: paramiko.Channel) -> None:
    """An answer of almost 4 GiB is announced."""
    channel.sendall(b"\xff\xff\xff\xf0\x02\0\0\0\x03")


def silence(_server: paramiko.Transport, _channel: paramiko.Channel) -> None:
    """Nothing at all."""


def the_end(_server: paramiko.Transport, channel: paramiko.Channel) -> None:
    """The channel is closed at once."""
    channel.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (data_beyond_the_window, ProtocolError),
        (words_on_the_side_without_end, ProtocolError),
        (packets_that_say_nothing, ProtocolError),
        (an_answer_to_nothing, ProtocolError),
        (another_version, ProtocolError),
        (a_huge_answer, ProtocolError),
        (silence, TimedOut),
        (the_end, ConnectionFailed),
    ],
)
def test_s16_a_server_outside_its_specification_is_bounded(
    fault: Callable[[paramiko.Transport, paramiko.Channel], None], error: type[GovfileError]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_flood, args=(listener, fault), daemon=True)
        thread.start()
        transport = SftpTransport(
            "127.0.0.1",
            listener.getsockname()[1],
            user="u",
            key=ssh_key("rsa-user"),
            host_keys=HostKeys.pinned(ssh_key("rsa-host").fingerprint),
            policy=short(reply=1.5, data=1.5) if fault is silence else short(),
        )
        with transport, pytest.raises(error):
            transport.home()
        thread.join(20)
        assert not thread.is_alive()


def _flood(listener: socket.socket, fault: Callable[[paramiko.Transport, paramiko.Channel], None]) -> None:
    connection, _ = listener.accept()
    server = paramiko.Transport(connection)
    host_key = paramiko.RSAKey(key=cast("RSAPrivateKey", load_ssh_private_key(key_bytes("rsa-host"), None)))
    server.add_server_key(host_key)
    interface = Flooding()
    try:
        server.start_server(server=interface)
        channel = server.accept(10)
        if channel is not None and interface.channel_asked.wait(10):
            fault(server, channel)
            server.join(5)
    except (EOFError, OSError, paramiko.SSHException):
        return
    finally:
        server.close()
