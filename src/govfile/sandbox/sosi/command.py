"""`govfile sandbox sosi`: the STS for as long as somebody wants it, with all that a client needs in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.papers import write_private
from govfile.sandbox.sosi import stock
from govfile.sandbox.sosi.authority import SosiSandbox
from govfile.sandbox.sosi.settings import Settings, SigningAlgorithm
from govfile.sandbox.waiting import wait

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable


@attrs.frozen(kw_only=True)
class Papers:
    """Where `write_papers` put what a client needs."""

    employee: Path
    employee_passphrase: Path
    system: Path
    system_passphrase: Path
    servers: Path
    federation: Path
    sts: Path
    request: Path
    oiosaml: Path
    config: Path


def write_papers(sandbox: SosiSandbox, folder: Path) -> Papers:
    """Write the running sandbox's throw-away keys, its anchors, sample messages and a `govfile.toml` into `folder`.

    The files are readable by their owner only. Raises `ConfigurationError` when the folder cannot be written, or holds
    such files that no sandbox wrote.
    """
    papers = Papers(
        employee=folder / "employee.p12",
        employee_passphrase=folder / "employee-passphrase.txt",
        system=folder / "system.p12",
        system_passphrase=folder / "system-passphrase.txt",
        servers=folder / "servers-ca.pem",
        federation=folder / "federation-ca.pem",
        sts=folder / "sts.pem",
        request=folder / "card-request.xml",
        oiosaml=folder / "oiosaml-assertion.xml",
        config=folder / "govfile.toml",
    )
    contents = {
        papers.employee.name: sandbox.employee.pkcs12(),
        papers.employee_passphrase.name: sandbox.employee.passphrase.reveal().encode(),
        papers.system.name: sandbox.system.pkcs12(),
        papers.system_passphrase.name: sandbox.system.passphrase.reveal().encode(),
        papers.servers.name: sandbox.tls_pem(),
        papers.federation.name: sandbox.federation_pem(),
        papers.sts.name: sandbox.sts_pem(),
        papers.request.name: sandbox.example("request"),
        papers.oiosaml.name: sandbox.oiosaml_assertion(life=24 * 3600.0),
    }
    write_private(folder, contents, config=_config(sandbox).encode())
    return papers


def _config(sandbox: SosiSandbox) -> str:
    allow_sha1 = str(sandbox.settings.signs_with is SigningAlgorithm.RSA_SHA1).lower()
    return f"""\
[profiles.sandbox]
authority = "sosi"
credential = "employee.p12"
passphrase = {{ file = "employee-passphrase.txt" }}
card = {{ it_system = "Example Lab", role = "7170" }}

[profiles.sandbox.environment]
name = "sandbox"
url = "{sandbox.base_url}"
tls = "servers-ca.pem"
federation = "federation-ca.pem"
common_name = "{stock.STS_NAME}"
cvr = "{stock.OPERATOR_CVR}"
allow_sha1 = {allow_sha1}
"""


def serve(
    *,
    into: str | os.PathLike[str] = "sandbox",
    port: int = 0,
    sha256: bool = False,
    plain: bool = False,
    say: Callable[[str], None] = print,
    until: threading.Event | None = None,
) -> None:
    """Run the STS, the identity provider and the services until Ctrl-C (or until `until` is set).

    Writes its throw-away papers into the folder `into` and tells by `say`, line by line, how to connect. `sha256` lets
    the STS sign with SHA-256 instead of SHA-1; `plain` leaves TLS out.
    """
    algorithm = SigningAlgorithm.RSA_SHA256 if sha256 else SigningAlgorithm.RSA_SHA1
    with SosiSandbox(settings=Settings(port=port, signs_with=algorithm, tls=not plain)) as sandbox:
        papers = write_papers(sandbox, Path(into))
        paths = sandbox.settings.paths
        say(f"The STS listens on {sandbox.base_url}; cards are signed at {paths.new}.")
        say(f"An employee: {papers.employee} (passphrase in {papers.employee_passphrase})")
        say(f"A system: {papers.system} (passphrase in {papers.system_passphrase})")
        say(f"Trust anchors: {papers.servers} (TLS), {papers.federation} (cards and tokens, signed by {papers.sts})")
        say(f"Services to call: {sandbox.service_url('dgws')} (card), {sandbox.service_url('idws')} (token)")
        say(f"A request and an assertion to try: {papers.request}, {papers.oiosaml}; profile: {papers.config}")
        say(
            f"curl --cacert {papers.servers} -H 'Content-Type: text/xml; charset=utf-8' -H 'SOAPAction: \"Issue\"' "
            f"--data-binary @{papers.request} {sandbox.service_url('new')}"
        )
        wait(say, until)
