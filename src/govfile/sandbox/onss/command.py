"""`govfile sandbox onss`: the channel for as long as somebody wants it, with all that a client needs in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.onss.authority import OnssSandbox
from govfile.sandbox.onss.settings import Schedule, Settings
from govfile.sandbox.papers import hand_out, patience_table
from govfile.sandbox.waiting import wait

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable


@attrs.frozen(kw_only=True)
class Papers:
    """Where `write_papers` put what a client needs."""

    ssh_key: Path
    known_hosts: Path
    pkcs12: Path
    passphrase: Path
    certificate: Path
    institutions: Path
    example: Path
    config: Path


def write_papers(sandbox: OnssSandbox, folder: Path) -> Papers:
    """Write the running sandbox's throw-away keys, its host key, a declaration and a `govfile.toml` into `folder`.

    The files are readable by their owner only. Raises `ConfigurationError` when the folder cannot be written, or holds
    such files that no sandbox wrote.
    """
    return hand_out(
        Papers,
        folder,
        config=_config(sandbox),
        ssh_key=("ssh_key", sandbox.account.ssh_private_pem),
        known_hosts=("known_hosts", sandbox.known_hosts.encode()),
        pkcs12=("signer.p12", sandbox.account.pkcs12()),
        passphrase=("passphrase.txt", sandbox.account.passphrase.reveal().encode()),
        certificate=("signer.pem", sandbox.account.issued.pem()),
        institutions=("institutions-ca.pem", sandbox.institutions_pem()),
        example=("dmfa.xml", sandbox.example("DMFA")),
    )


def _config(sandbox: OnssSandbox) -> str:
    environment = sandbox.environment
    return f"""\
[profiles.sandbox]
authority = "onss"
sender = "{sandbox.sender}"
user = "{sandbox.user}"
credential = "signer.p12"
passphrase = {{ file = "passphrase.txt" }}
ssh_key = "ssh_key"
ledger = "filings.db"
into = "answers"

[profiles.sandbox.environment]
name = "{environment.name}"
host = "{environment.host}"
port = {environment.port}
host_keys = ["{sandbox.host_key_fingerprint}"]

{patience_table(environment.patience)}"""


def serve(
    *,
    into: str | os.PathLike[str] = "sandbox",
    port: int = 0,
    lifelike: bool = False,
    say: Callable[[str], None] = print,
    until: threading.Event | None = None,
) -> None:
    """Run the channel until Ctrl-C (or until `until` is set).

    Writes its throw-away papers into the folder `into` and tells by `say`, line by line, how to connect. `lifelike`
    answers at the pace of the real one instead of within seconds.
    """
    schedule = Schedule.lifelike() if lifelike else Schedule(pickup=1, acrf=2, noti=3, more=1)
    with OnssSandbox(settings=Settings(port=port), schedule=schedule) as sandbox:
        papers = write_papers(sandbox, Path(into))
        environment = sandbox.environment
        say(f"The SFTP server listens on {environment.host}:{environment.port}.")
        say(f"Host key: {sandbox.host_key_fingerprint} (also in {papers.known_hosts})")
        say(f"Sender {sandbox.sender}, technical user {sandbox.user}, SSH key {papers.ssh_key}")
        say(f"Signing key and certificate: {papers.pkcs12} (passphrase in {papers.passphrase}), {papers.certificate}")
        say(f"A declaration: {papers.example}; answers' signatures lead to {papers.institutions}")
        say(f"Profile: {papers.config}")
        say(
            f"sftp -P {environment.port} -i {papers.ssh_key} -o UserKnownHostsFile={papers.known_hosts} "
            f"{sandbox.user}@{environment.host}"
        )
        wait(say, until)
