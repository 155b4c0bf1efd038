"""`govfile sandbox skat`: the gateway for as long as somebody wants it, with all that a client needs in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.papers import hand_out, patience_table
from govfile.sandbox.skat.authority import SkatSandbox
from govfile.sandbox.skat.settings import Schedule, Settings
from govfile.sandbox.waiting import wait

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable


@attrs.frozen(kw_only=True)
class Papers:
    """Where `write_papers` put what a client needs; `lines` say how to use it."""

    pkcs12: Path
    passphrase: Path
    password: Path
    pem: Path
    trust: Path
    config: Path


def write_papers(sandbox: SkatSandbox, folder: Path) -> Papers:
    """Write the running sandbox's throw-away credential, passwords, trust anchor and a `govfile.toml` into `folder`.

    The files are readable by their owner only. Raises `ConfigurationError` when the folder cannot be written, or holds
    such files that no sandbox wrote.
    """
    return hand_out(
        Papers,
        folder,
        config=_config(sandbox),
        pkcs12=("company.p12", sandbox.pkcs12()),
        passphrase=("passphrase.txt", sandbox.passphrase.reveal().encode()),
        password=("password.txt", sandbox.password.reveal().encode()),
        pem=("company.pem", sandbox.identity.pem()),
        trust=("gateway-ca.pem", sandbox.trust_pem()),
    )


def _config(sandbox: SkatSandbox) -> str:
    environment = sandbox.environment
    return f"""\
[profiles.sandbox]
authority = "skat"
credential = "company.p12"
passphrase = {{ file = "passphrase.txt" }}
password = {{ file = "password.txt" }}
ledger = "filings.db"
into = "answers"

[profiles.sandbox.environment]
name = "{environment.name}"
host = "{environment.host}"
port = {sandbox.port}
trust = "gateway-ca.pem"

{patience_table(environment.patience)}"""


def serve(
    *,
    into: str | os.PathLike[str] = "sandbox",
    port: int = 0,
    lifelike: bool = False,
    retired: bool = False,
    say: Callable[[str], None] = print,
    until: threading.Event | None = None,
) -> None:
    """Run the gateway until Ctrl-C (or until `until` is set).

    Writes its throw-away papers into the folder `into` and tells by `say`, line by line, how to connect. `lifelike`
    takes the published pace instead of a quick one; `retired` runs the gateway before 2020 beside it.
    """
    schedule = Schedule.lifelike() if lifelike else Schedule(status_1=1, status_2=3, answer=5, more=1)
    with SkatSandbox(settings=Settings(port=port), schedule=schedule, retired=retired) as sandbox:
        papers = write_papers(sandbox, Path(into))
        low, high = Settings().data_ports
        say(f"The gateway listens on localhost:{sandbox.port}, explicit TLS, data ports {low}-{high}.")
        if retired:
            say(f"The retired gateway listens on localhost:{sandbox.retired.port}.")
        say(f"User name: {sandbox.username}")
        say(f"Key and certificate: {papers.pkcs12} (passphrase in {papers.passphrase}), also {papers.pem}")
        say(f"Password in {papers.password}; trust anchor: {papers.trust}; profile: {papers.config}")
        say(
            f"curl --ssl-reqd --cacert {papers.trust} --cert {papers.pem} "
            f'--user "{sandbox.username}:$(cat {papers.password})" ftp://localhost:{sandbox.port}/out/'
        )
        wait(say, until)
