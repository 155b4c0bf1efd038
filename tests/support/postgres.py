"""A PostgreSQL server of our own on a Unix socket and a loopback port, run as a user that may run it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from support.programs import lacking, require

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The superuser's password; it guards nothing but a server that lives as long as the tests.
PASSWORD = "a loopback password"


@attrs.frozen(kw_only=True)
class Server:
    """Where the server listens, and its process."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    prefix: tuple[str, ...]

    @property
    def admin(self) -> dict[str, str | int]:
        """libpq's keywords for the superuser."""
        return {"host": "127.0.0.1", "port": self.port, "user": "postgres", "password": PASSWORD, "dbname": "postgres"}

    def url(self, schema: str) -> str:
        """A URL without a password: the Unix socket trusts whoever reaches it."""
        return f"postgresql://postgres@/postgres?host={self.folder}&port={self.port}&options=-csearch_path%3D{schema}"

    def create(self, schema: str) -> None:
        """A new empty schema, as good as a database of its own, and made faster."""
        self.run(f'CREATE SCHEMA "{schema}"')

    def run(self, sql: str) -> None:
        """Run one statement as the superuser."""
        import psycopg

        with psycopg.connect(**self.admin, autocommit=True) as connection:  # type: ignore[arg-type]
            connection.execute(sql.encode())


def _user() -> tuple[str, ...]:
    """The words to put before a command so that PostgreSQL, which refuses root, will run."""
    if os.geteuid() != 0:
        return ()
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            setpriv = require("setpriv")
            return (setpriv, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--")
    return lacking("there is no user that could run PostgreSQL")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, cwd="/")


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server for as long as the block runs."""
    initdb, postgres, prefix = require("initdb"), require("postgres"), _user()
    folder = Path(tempfile.mkdtemp(prefix="gf-pg-"))
    try:
        if prefix:
            uid = int(prefix[1].partition("=")[2])
            os.chown(folder, uid, -1)
        secret = folder / "pw"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o644)
        data = folder / "data"
        words = ["-U", "postgres", "-A", "scram-sha-256", "--auth-local=trust", f"--pwfile={secret}", "-E", "UTF8"]
        _run(*prefix, initdb, "-D", str(data), "--locale=C.UTF-8", "--no-sync", *words)
        port = _free_port()
        settings = [f"-cunix_socket_directories={folder}", "-clisten_addresses=127.0.0.1", "-cmax_connections=120"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*prefix, postgres, "-D", str(data), "-p", str(port), *settings], stdout=log, stderr=log, cwd="/"
            )
        try:
            server = Server(folder=folder, port=port, process=process, prefix=prefix)
            _wait(server)
            yield server
        finally:
            process.send_signal(2)
            process.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Server) -> None:
    import psycopg

    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(**server.admin).close()  # type: ignore[arg-type]
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((server.folder / "log").read_text()) from None
            time.sleep(0.05)
        else:
            return
