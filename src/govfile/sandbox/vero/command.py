"""`govfile sandbox vero`: the certificate service for as long as somebody wants it, with all that a client needs."""

from __future__ import annotations

import functools
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.papers import hand_out, patience_table
from govfile.sandbox.vero.authority import VeroSandbox
from govfile.sandbox.vero.settings import Settings
from govfile.sandbox.waiting import wait

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable

_CUSTOMER, _NAME = "0123456-7", "Ab Example Oy"
_KEYS_PASSPHRASE = "keys-passphrase.txt"  # noqa: S105  the name of its file


@attrs.frozen(kw_only=True)
class Papers:
    """Where `write_papers` put what a client needs, and the transfer id that belongs to the password."""

    transfer_id: str = attrs.field(repr=False)
    transfer_password: Path
    keys_passphrase: Path
    trust: Path
    authorities: Path
    bench_new: Path
    bench_renewal: Path
    record: Path
    config: Path


def write_papers(sandbox: VeroSandbox, folder: Path) -> Papers:
    """Invite a customer and write the running sandbox's codes, anchors, bench keys, a record and a `govfile.toml`.

    The files are readable by their owner only. Raises `ConfigurationError` when the folder cannot be written, or holds
    such files that no sandbox wrote.
    """
    transfer_id, password = sandbox.invite(_CUSTOMER, customer_name=_NAME)
    return hand_out(
        functools.partial(Papers, transfer_id=transfer_id),
        folder,
        config=_config(sandbox),
        transfer_password=("transfer-password.txt", password.reveal().encode()),
        keys_passphrase=(_KEYS_PASSPHRASE, _passphrase(folder / _KEYS_PASSPHRASE)),
        trust=("servers-ca.pem", sandbox.trust_pem()),
        authorities=("authorities.pem", sandbox.authorities_pem()),
        bench_new=("bench-new.key", sandbox.bench_key()),
        bench_renewal=("bench-renewal.key", sandbox.bench_key(renewal=True)),
        record=("wage-reports.xml", sandbox.example("WageReports", owner=_CUSTOMER)),
    )


def _passphrase(kept: Path) -> bytes:
    """That of an earlier sandbox, whose key store is still in the folder; else a new one."""
    try:
        return kept.read_bytes()
    except OSError:
        return secrets.token_hex(16).encode()


def _config(sandbox: VeroSandbox) -> str:
    environment = sandbox.environment
    register = environment.register
    assert register is not None
    return f"""\
[profiles.sandbox]
authority = "vero"
customer = "{_CUSTOMER}"
customer_name = "{_NAME}"
keys = "keys"
keys_passphrase = {{ file = "keys-passphrase.txt" }}
ledger = "filings.db"

[profiles.sandbox.environment]
name = "{environment.name}"
element = "{environment.element}"
url = "{environment.url}"
register = "{register.url}"
tls = "servers-ca.pem"
authorities = "authorities.pem"
answer_pins = {[pin.sha256 for pin in environment.pins.answers]}
issuer_pins = {[pin.sha256 for pin in environment.pins.issued]}
not_ready = {sorted(environment.not_ready)}

{patience_table(environment.patience)}"""


def serve(
    *,
    into: str | os.PathLike[str] = "sandbox",
    port: int = 0,
    lifelike: bool = False,
    say: Callable[[str], None] = print,
    until: threading.Event | None = None,
) -> None:
    """Run the service and the register until Ctrl-C (or until `until` is set).

    Writes its throw-away papers into the folder `into` and tells by `say`, line by line, how to connect. `lifelike`
    makes one wait as the real one does.
    """
    settings = Settings.lifelike(port=port) if lifelike else Settings(port=port)
    with VeroSandbox(settings=settings) as sandbox:
        papers = write_papers(sandbox, Path(into))
        environment, bench = sandbox.environment, sandbox.bench_environment
        assert environment.register is not None
        say(f"The certificate service listens on {environment.url}{environment.path} for {environment.element}.")
        say(f"The test bench: {bench.url}{bench.path}, keys {papers.bench_new} and {papers.bench_renewal}")
        say(f"The register: {environment.register.url}{environment.register.path}, with a certificate of the service")
        say(f"Customer {_CUSTOMER}, transfer id {papers.transfer_id}, password in {papers.transfer_password}")
        say(f"Trust anchors: {papers.trust} (TLS), {papers.authorities} (answers and certificates)")
        say(f"A record without a signature: {papers.record}; profile: {papers.config}")
        wait(say, until)
