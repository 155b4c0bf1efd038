"""What we take from paramiko, and what we bound or put back: this is the only module that imports it.

paramiko carries key exchange, encryption, login and one channel. Its own SFTP client is not used. Put right here:
packets and banners of any size, writes that wait for ever, lists of algorithms with broken ones, and the SHA-1
signatures of RSA keys, which its current line has removed and some servers still demand.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import paramiko
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from paramiko.kex_group14 import KexGroup14SHA256
from paramiko.packet import NeedRekeyException, Packetizer
from paramiko.ssh_exception import IncompatiblePeer

from govfile.certificates.ssh import RSA_ALGORITHMS
from govfile.transports.sftp._packets import printable
from govfile.transports.sftp.policy import RsaSignatures

if TYPE_CHECKING:
    import socket

    from _typeshed import ReadableBuffer as Buffer

    from govfile.certificates.ssh import SshKey
    from govfile.transports.sftp.policy import SftpPolicy

SshError = paramiko.SSHException
NoCommonAlgorithm = IncompatiblePeer
LoginRefused = paramiko.AuthenticationException
Channel = paramiko.Channel

#: No packet of ours or of a well-behaved server is larger (RFC 4253 section 6.1 asks for 35 000 bytes).
LARGEST_PACKET = 512 * 1024
#: Bytes of packets that carry nothing (IGNORE, DEBUG, banners, requests) in a row.
LARGEST_NOISE = 4 * 1024 * 1024
#: Bytes of the lines before and with the server's version (RFC 4253 section 4.2).
LARGEST_GREETING = 16 * 1024
#: What one packet of channel data may bring; servers send in pieces of 32 KiB unless they are offered more.
_LARGEST_PIECE = 128 * 1024
#: What one read of the socket may bring.
_READ = 256 * 1024

_KEXINIT, _CHANNEL_DATA, _CHANNEL_EXTENDED_DATA, _CHANNEL_WINDOW_ADJUST = 20, 94, 95, 93
_PROGRESS = frozenset({_CHANNEL_DATA, _CHANNEL_WINDOW_ADJUST, _KEXINIT, 52})
#: DISCONNECT (RFC 4253 section 11.1) and USERAUTH_FAILURE (RFC 4252 section 5.1).
_REFUSALS = frozenset({1, 51})

_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
_MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
_OLD_MACS = ("hmac-sha1",)
_EXCHANGES = (
    "mlkem768x25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)
_OLD_EXCHANGE = "diffie-hellman-group14-sha1"


#: The tables of algorithms by name, to which we add: paramiko has no public way to do that.
_TABLES = cast("Any", paramiko.Transport)


class Flooded(SshError):
    """The server sends more than anybody asked for."""


class Offer(NamedTuple):
    """The algorithms a server offers (RFC 4253 section 7.1)."""

    key_exchanges: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]


class _OldExchange(KexGroup14SHA256):
    name = _OLD_EXCHANGE
    hash_algo = hashlib.sha1


class _OldHostKey(paramiko.RSAKey):
    """An RSA host key that signs by SHA-1."""

    def verify_ssh_sig(self, data: bytes, msg: paramiko.Message) -> bool:
        """Whether this key signed `data`."""
        if msg.get_text() != "ssh-rsa":
            return False
        signature = msg.get_binary().rjust(self.get_bits() // 8, b"\0")
        try:
            self.public_numbers.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
        except InvalidSignature:
            return False
        return True


class BoundedPacketizer(Packetizer):
    """Reads and writes packets; nothing the server does makes it wait or grow without end.

    `patience` (seconds) is how long a write may wait for the network, `allowance` how many bytes of channel data may
    wait to be `consumed`. `has_refused`: the server said no to a login, or ended the connection in words.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._sock = sock
        self._buffer = bytearray()
        self._size = self._noise = self._received = 0
        self.patience = 120.0
        self.allowance = 1 << 20
        self.consumed = 0
        self.offer: Offer | None = None
        self.has_stalled = False
        self.has_refused = False

    def write_all(self, out: Buffer) -> None:
        """Send all of it; EOFError when the link is gone, or takes nothing for longer than our patience."""
        view, end = memoryview(out), time.monotonic() + self.patience
        while view:
            try:
                count = self._sock.send(view)
            except TimeoutError:
                count = 0
            except OSError as error:
                raise EOFError from error
            view = view[count:]
            if count:
                end = time.monotonic() + self.patience
            elif self.closed or time.monotonic() > end:
                self.has_stalled = not self.closed
                raise EOFError

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Exactly `n` bytes, read ahead; the rest as in paramiko: rekeying and keep-alive when nothing comes."""
        if not 0 <= n <= LARGEST_PACKET:
            raise Flooded(f"a packet of {n} bytes is announced")
        while len(self._buffer) < n:
            if self.handshake_timed_out():
                raise EOFError
            try:
                data = self._sock.recv(_READ)
            except TimeoutError:
                if self.closed:
                    raise EOFError from None
                if check_rekey and not self._buffer and self.need_rekey():
                    raise NeedRekeyException from None
                self._check_keepalive()  # type: ignore[attr-defined]
                continue
            if not data:
                raise EOFError
            self._buffer += data
        with memoryview(self._buffer) as view:
            piece = bytes(view[:n])
        del self._buffer[:n]
        self._size += n
        return piece

    def readline(self, timeout: float) -> str:
        """One line of the server's greeting."""
        end = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            if len(self._buffer) > LARGEST_GREETING:
                raise Flooded("the greeting has a line without end")
            try:
                data = self._sock.recv(LARGEST_GREETING)
            except TimeoutError:
                if self.closed:
                    raise EOFError from None
                if time.monotonic() > end:
                    raise
                continue
            if not data:
                raise EOFError
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def read_message(self) -> tuple[int, paramiko.Message]:
        """The next packet, once it is clear that it is not one too many."""
        self._size = 0
        kind, message = super().read_message()
        self._noise = 0 if kind in _PROGRESS else self._noise + self._size
        self.has_refused = self.has_refused or kind in _REFUSALS
        if kind in (_CHANNEL_DATA, _CHANNEL_EXTENDED_DATA):
            message.get_int()
            if kind == _CHANNEL_EXTENDED_DATA:
                message.get_int()
            self._received += message.get_int()
            message.rewind()
        elif kind == _KEXINIT:
            message.get_bytes(16)
            lists = [tuple(message.get_list()) for _ in range(5)]
            self.offer = Offer(lists[0], lists[1], lists[3], lists[4])
            message.rewind()
        if self._noise > LARGEST_NOISE or self._received - self.consumed > self.allowance:
            raise Flooded("the server sends more than was asked for")
        return kind, message


class Inbox:
    """What a channel received and nobody read yet, as it came: paramiko's own buffer copies each byte twice.

    It stands in for `paramiko.buffered_pipe.BufferedPipe`.
    """

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._is_closed = False
        self._changed = threading.Condition()

    def feed(self, data: bytes) -> None:
        """Another piece."""
        with self._changed:
            self._pieces.append(data)
            self._changed.notify()

    def read(self, nbytes: int, timeout: float | None = None) -> bytes:
        """Whole pieces, about `nbytes` in all; b"" at the end; raises `TimeoutError` when none comes in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._pieces or self._is_closed, timeout):
                raise TimeoutError
            found: list[bytes] = []
            while self._pieces and nbytes > 0:
                found.append(self._pieces.popleft())
                nbytes -= len(found[-1])
            return found[0] if len(found) == 1 else b"".join(found)

    def read_ready(self) -> bool:
        """Whether something is there."""
        return bool(self._pieces)

    def close(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return sum(map(len, self._pieces))


class Connection(paramiko.Transport):
    """An SSH connection with our lists of algorithms."""

    def __init__(self, sock: socket.socket, kinds: tuple[str, ...], policy: SftpPolicy) -> None:
        self._kinds = kinds
        self._rsa = policy.rsa_signatures
        self.falls_back_to_sha1 = False
        window = policy.in_flight + 64 * 1024
        super().__init__(
            sock,
            default_window_size=window,
            default_max_packet_size=_LARGEST_PIECE,
            packetizer_class=BoundedPacketizer,
        )
        self._key_info: dict[str, object] = {**_TABLES._key_info, "ssh-rsa": _OldHostKey}  # noqa: SLF001
        self._kex_info: dict[str, object] = {**_TABLES._kex_info, _OLD_EXCHANGE: _OldExchange}  # noqa: SLF001
        self.set_log_channel(_log_channel())
        self.bounded = cast("BoundedPacketizer", self.packetizer)
        self.bounded.allowance = window + 1024 * 1024
        self.bounded.patience = policy.timeouts.data
        self.bounded.REKEY_BYTES = policy.rekey_after

    @property
    def server_signatures(self) -> tuple[str, ...]:
        """The signature algorithms the server says it takes; empty where it does not say (RFC 8308)."""
        extensions: dict[str, bytes] = self.server_extensions  # type: ignore[attr-defined]
        text = extensions.get("server-sig-algs", b"").decode("ascii", "replace")
        return tuple(text.split(",")) if text else ()

    @property
    def preferred_pubkeys(self) -> tuple[str, ...]:
        """What our own key may sign by; asked for when the server's list is known."""
        if self._rsa is RsaSignatures.SHA1 or self.falls_back_to_sha1:
            return ("ssh-rsa",)
        may_be_old = self._rsa is RsaSignatures.AUTO and self.server_signatures
        return RSA_ALGORITHMS if may_be_old else RSA_ALGORITHMS[:2]

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """The algorithms of host keys."""
        allowed = RSA_ALGORITHMS[:2] if self._rsa is RsaSignatures.SHA2 else RSA_ALGORITHMS
        wanted: list[str] = []
        for kind in self._kinds:
            wanted += allowed if kind == "ssh-rsa" else (kind,)
        return tuple(wanted)

    @property
    def preferred_kex(self) -> tuple[str, ...]:
        """The key exchanges."""
        old = (_OLD_EXCHANGE,) if self._rsa is RsaSignatures.SHA1 else ()
        return tuple(name for name in (*_EXCHANGES, *old) if name in self._kex_info)

    @property
    def preferred_ciphers(self) -> tuple[str, ...]:
        """The ciphers: none that is broken, the fastest first."""
        return _CIPHERS

    @property
    def preferred_macs(self) -> tuple[str, ...]:
        """The message authentication codes."""
        return _MACS if self._rsa is RsaSignatures.SHA2 else _MACS + _OLD_MACS


class Identity(paramiko.PKey):
    """Our key as paramiko asks for it; `used` is the algorithm it last signed by."""

    def __init__(self, key: SshKey) -> None:
        self._key = key
        self.public_blob = None
        self.used = ""

    def asbytes(self) -> bytes:
        """The public half."""
        return self._key.public_blob

    def get_name(self) -> str:
        """The kind of key."""
        return self._key.kind

    def get_bits(self) -> int:
        """Its size."""
        return self._key.bits

    def can_sign(self) -> bool:
        """It has its private half."""
        return True

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> paramiko.Message:
        """Sign the login."""
        self.used = algorithm or self._key.kind
        return paramiko.Message(self._key.sign(bytes(data), self.used))


class _OnlyOnRequest(logging.Filter):
    """paramiko reports each lost connection as an error with a traceback. We raise that; it is detail here."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = printable(str(record.msg).encode("utf-8", "replace"), 2000)
        return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)


def _log_channel() -> str:
    name = "govfile.transports.sftp.ssh"
    logger = logging.getLogger(name)
    if not any(isinstance(known, _OnlyOnRequest) for known in logger.filters):
        logger.addFilter(_OnlyOnRequest())
    return name
