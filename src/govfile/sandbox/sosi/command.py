"""`govfile sandbox sosi`: the STS for as long as somebody wants it, with all that a client needs in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.papers import hand_out
from govfile.sandbox.sosi import stock
from govfile.sandbox.sosi.authority import SosiSandbox
from govfile.sandbox.sosi.service import SERVICES
from govfile.sandbox.sosi.settings import Settings, SigningAlgorithm
from govfile.sandbox.waiting import wait

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable, Iterator


@attrs.frozen(kw_only=True)
class Papers:
    """Where `write_papers` put what a client needs.

    The tokens are good for a day, and bound to the employee's certificate; for others there is the identity provider's
    own key. The provider's opens the assertions that are encrypted for it.
    """

    employee: Path
    employee_passphrase: Path
    system: Path
    system_passphrase: Path
    identity_provider: Path
    identity_provider_passphrase: Path
    provider: Path
    provider_passphrase: Path
    servers: Path
    federation: Path
    sts: Path
    request: Path
    oiosaml: Path
    bootstrap: Path
    citizen: Path
    jwt: Path
    config: Path


_STEMS = {"identity_provider": "identity-provider", "provider": "service-provider"}
_DAY = 24 * 3600.0


def write_papers(sandbox: SosiSandbox, folder: Path) -> Papers:
    """Write the running sandbox's throw-away keys, its anchors, sample messages and a `govfile.toml` into `folder`.

    The files are readable by their owner only. Raises `ConfigurationError` when the folder cannot be written, or holds
    such files that no sandbox wrote.
    """
    holders = {
        "employee": sandbox.employee,
        "system": sandbox.system,
        "identity_provider": stock.idp(),
        "provider": stock.provider(),
    }
    keys: dict[str, tuple[str, bytes]] = {}
    for name, holder in holders.items():
        stem = _STEMS.get(name, name)
        keys[name] = (f"{stem}.p12", holder.pkcs12())
        keys[f"{name}_passphrase"] = (f"{stem}-passphrase.txt", holder.passphrase.reveal().encode())
    return hand_out(
        Papers,
        folder,
        config=_config(sandbox),
        servers=("servers-ca.pem", sandbox.tls_pem()),
        federation=("federation-ca.pem", sandbox.federation_pem()),
        sts=("sts.pem", sandbox.sts_pem()),
        request=("card-request.xml", sandbox.example("request")),
        oiosaml=("oiosaml-assertion.xml", sandbox.oiosaml_assertion(life=_DAY)),
        bootstrap=("bootstrap-token.xml", sandbox.bootstrap_token(life=_DAY)),
        citizen=("citizen-bootstrap-token.xml", sandbox.citizen_bootstrap_token(life=_DAY)),
        jwt=("citizen.jwt", sandbox.jwt(life=_DAY).encode()),
        **keys,
    )


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
        for line in _told(sandbox, write_papers(sandbox, Path(into))):
            say(line)
        wait(say, until)


def _told(sandbox: SosiSandbox, papers: Papers) -> Iterator[str]:
    """How to connect, and with what; who the employee is stands in the papers only."""
    paths = sandbox.settings.paths
    exchanges = dict.fromkeys(getattr(paths, name) for name in SERVICES if name != "new")
    yield f"The STS listens on {sandbox.base_url}; cards are signed at {paths.new}."
    yield f"Exchanges: {', '.join(exchanges)}"
    yield f"Their audiences: {', '.join(sandbox.audiences)}"
    yield f"An employee: {papers.employee} (passphrase in {papers.employee_passphrase})"
    yield f"A system: {papers.system} (passphrase in {papers.system_passphrase})"
    yield f"Trust anchors: {papers.servers} (TLS), {papers.federation} (cards and tokens, signed by {papers.sts})"
    yield f"Services to call: {sandbox.service_url('dgws')} (card), {sandbox.service_url('idws')} (token)"
    yield f"A request to try: {papers.request}; profile: {papers.config}"
    yield (
        f"Tokens about the employee, who is described in them: {papers.oiosaml}, {papers.bootstrap} (BST2SOSI), "
        f"{papers.citizen} (Bst2Idws), {papers.jwt} (JWT2Idws)"
    )
    yield (
        f"Who signs such tokens: {papers.identity_provider} (passphrase in {papers.identity_provider_passphrase}); "
        f"who opens encrypted ones: {papers.provider} (passphrase in {papers.provider_passphrase})"
    )
    yield (
        f"curl --cacert {papers.servers} -H 'Content-Type: text/xml; charset=utf-8' -H 'SOAPAction: \"Issue\"' "
        f"--data-binary @{papers.request} {sandbox.service_url('new')}"
    )
