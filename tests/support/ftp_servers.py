"""Real FTPS servers on loopback: ProFTPD and vsftpd, strict, each with its own throw-away certificates."""

from __future__ import annotations

import contextlib
import functools
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.secret import Secret
from govfile.certificates.trust import Trust
from govfile.transports.base import Timeouts
from govfile.transports.ftps_policy import FtpsPolicy, TlsStart, TlsVersion
from support.pki import UUID, Authority, Identity, oces3, rsa_key
from support.programs import lacking, require

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The user name that the client certificate stands for.
USER = f"CVR_10101010_UI_{UUID}"
PASSWORD = "correct horse battery"
_NOBODY = 65534


@attrs.frozen(kw_only=True)
class FtpServer:
    """A running server: where it is, whom it lets in, and the folder (`root`) its user sees."""

    host: str = "127.0.0.1"
    port: int
    root: Path
    authority: Authority
    identity: Identity
    data_ports: tuple[int, int]
    log: Path
    user: str = USER
    password: Secret = attrs.field(factory=lambda: Secret(PASSWORD))

    def policy(self, tls: TlsVersion | None = None, **changes: object) -> FtpsPolicy:
        """A policy that believes this server, with short deadlines; `tls` fixes the version."""
        base = FtpsPolicy(
            trust=Trust(system=False, anchors=(self.authority.identity.certificate,)),
            data_ports=self.data_ports,
            ceiling=tls,
            floor=tls or TlsVersion.TLS_1_2,
            timeouts=Timeouts(connect=5, tls=5, reply=10, data=10, close=2),
        )
        return attrs.evolve(base, **changes)  # type: ignore[arg-type]


@functools.cache
def authority() -> Authority:
    """One throw-away authority a process, for servers and clients alike."""
    return Authority.create(key=rsa_key(0))


@functools.cache
def server_identity() -> Identity:
    """The servers' certificate."""
    return authority().issue(key=rsa_key(3), hosts=["127.0.0.1", "::1", "localhost"])


@functools.cache
def client_identity() -> Identity:
    """The filing company's certificate."""
    return authority().issue(oces3(cvr="10101010"), key=rsa_key(2))


def free_ports(count: int) -> tuple[int, int]:
    """A range of ports that nobody listens on now, below those that the system gives out by itself."""
    for slot in range(24):  # ranges apart, so that processes do not share one
        first = 20000 + (os.getpid() + slot) % 24 * 500
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    sock = stack.enter_context(socket.socket())
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first, first + count - 1
    raise RuntimeError("no free ports")


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="govfile-ftp-"))
    folder.chmod(0o755)
    (folder / "cert.pem").write_bytes(server_identity().pem)
    (folder / "key.pem").write_bytes(server_identity().key_pem())
    (folder / "both.pem").write_bytes(server_identity().pem + server_identity().key_pem())
    (folder / "ca.pem").write_bytes(authority().pem)
    (folder / "key.pem").chmod(0o600)
    (folder / "both.pem").chmod(0o600)
    return folder


def _make_root(folder: Path, uid: int) -> Path:
    root = folder / "root"
    for name in (root, root / "Udlaan", root / "Classic", root / "out"):
        name.mkdir()
        os.chown(name, uid, -1)
    return root


_PROFTPD = """\
ServerName "test"
ServerType standalone
DefaultAddress {bind}
Port {port}
UseIPv6 {ipv6}
UseReverseDNS off
User {user}
Group {group}
Umask 022
PidFile {folder}/pid
ScoreboardFile {folder}/scoreboard
DelayTable none
DelayEngine off
SystemLog {folder}/log
TransferLog none
WtmpLog off
AuthPAM off
AuthOrder mod_auth_file.c
AuthUserFile {folder}/passwd
RequireValidShell off
DefaultRoot {folder}/root
PassivePorts {first} {last}
AllowOverwrite on
MaxInstances 30
TimeoutIdle {idle}
LoadModule mod_tls.c
TLSEngine on
TLSRequired on
TLSLog {folder}/tls.log
TLSProtocol {protocol}
TLSRSACertificateFile {folder}/cert.pem
TLSRSACertificateKeyFile {folder}/key.pem
TLSCACertificateFile {folder}/ca.pem
TLSVerifyClient {verify}
TLSRenegotiate none
{options}
"""


def _accounts(user: str, root: Path, uid: int) -> str:
    digest = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True
    ).stdout.strip()
    return f"{user}:{digest}:{uid}:{uid}::{root}:/bin/false\n"


@contextlib.contextmanager
def proftpd(
    *,
    tls: TlsVersion | None = None,
    tls_start: TlsStart = TlsStart.EXPLICIT,
    reuse_required: bool = True,
    verify: str = "on",
    idle: int = 600,
    ipv6: bool = False,
) -> Iterator[FtpServer]:
    """ProFTPD with mod_tls: TLS and a client certificate required, and session reuse unless told otherwise."""
    program = require("proftpd")
    folder = _folder()
    uid = _NOBODY if os.geteuid() == 0 else os.geteuid()
    root = _make_root(folder, uid)
    (folder / "passwd").write_text(_accounts(USER, root, uid))
    (folder / "passwd").chmod(0o600)
    first, last = free_ports(400)
    protocol = {None: "TLSv1.2 TLSv1.3", TlsVersion.TLS_1_2: "TLSv1.2", TlsVersion.TLS_1_3: "TLSv1.3"}[tls]
    options = [] if reuse_required else ["NoSessionReuseRequired"]
    options += ["UseImplicitSSL"] if tls_start is TlsStart.IMPLICIT else []
    text = _PROFTPD.format(
        bind="::1" if ipv6 else "127.0.0.1",
        ipv6="on" if ipv6 else "off",
        port=first,
        first=first + 1,
        last=last,
        folder=folder,
        user=_name_of(uid),
        group=_group_of(uid),
        protocol=protocol,
        verify=verify,
        idle=idle,
        options=f"TLSOptions {' '.join(options)}" if options else "",
    )
    (folder / "conf").write_text(text)
    command = [program, "-n", "-q", "-c", str(folder / "conf")]
    with _running(command, folder, "::1" if ipv6 else "127.0.0.1", first):
        yield FtpServer(
            host="::1" if ipv6 else "127.0.0.1",
            port=first,
            root=root,
            authority=authority(),
            identity=client_identity(),
            data_ports=(first + 1, last),
            log=folder / "tls.log",
        )


_VSFTPD = """\
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=NO
local_enable=YES
guest_enable=YES
guest_username=daemon
virtual_use_local_privs=YES
local_root={root}
chroot_local_user=YES
allow_writeable_chroot=YES
write_enable=YES
pam_service_name={pam}
pasv_enable=YES
port_enable=NO
pasv_address=10.9.8.7
pasv_min_port={first}
pasv_max_port={last}
ssl_enable=YES
allow_anon_ssl=NO
force_local_data_ssl=YES
force_local_logins_ssl=YES
ssl_tlsv1=YES
ssl_sslv2=NO
ssl_sslv3=NO
implicit_ssl={implicit}
require_ssl_reuse={reuse}
strict_ssl_read_eof=YES
strict_ssl_write_shutdown=YES
require_cert=YES
validate_cert=YES
ssl_request_cert=YES
ca_certs_file={folder}/ca.pem
rsa_cert_file={folder}/cert.pem
rsa_private_key_file={folder}/key.pem
ssl_ciphers=HIGH
secure_chroot_dir={folder}/empty
vsftpd_log_file={folder}/tls.log
xferlog_enable=YES
dual_log_enable=NO
debug_ssl=YES
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
check_shell=NO
"""


@contextlib.contextmanager
def vsftpd(*, tls_start: TlsStart = TlsStart.EXPLICIT, reuse_required: bool = True) -> Iterator[FtpServer]:
    """vsftpd: TLS, a client certificate, a clean TLS end of every upload, and session reuse are required.

    It needs root, and a PAM service of its own, which lets anybody in. It announces a
    foreign address for data.
    """
    program = require("vsftpd")
    if os.geteuid() != 0:
        lacking("vsftpd needs root")
    folder = _folder()
    root = _make_root(folder, pwd.getpwnam("daemon").pw_uid)
    (folder / "empty").mkdir(mode=0o555)
    pam = Path("/etc/pam.d", folder.name)
    first, last = free_ports(400)
    text = _VSFTPD.format(
        port=first,
        first=first + 1,
        last=last,
        folder=folder,
        root=root,
        pam=pam.name,
        implicit="YES" if tls_start is TlsStart.IMPLICIT else "NO",
        reuse="YES" if reuse_required else "NO",
    )
    (folder / "conf").write_text(text)
    (folder / "conf").chmod(0o600)
    try:
        pam.write_text("auth required pam_permit.so\naccount required pam_permit.so\n")
        with _running([program, str(folder / "conf")], folder, "127.0.0.1", first):
            yield FtpServer(
                port=first,
                root=root,
                authority=authority(),
                identity=client_identity(),
                data_ports=(first + 1, last),
                log=folder / "tls.log",
            )
    finally:
        pam.unlink(missing_ok=True)


def _name_of(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name


def _group_of(uid: int) -> str:
    return grp.getgrgid(pwd.getpwuid(uid).pw_gid).gr_name


@contextlib.contextmanager
def _running(command: list[str], folder: Path, host: str, port: int) -> Iterator[None]:
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            _await_port(process, folder, host, port)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _await_port(process: subprocess.Popen[bytes], folder: Path, host: str, port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection((host, port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {(folder / 'output').read_text()[-2000:]}")
