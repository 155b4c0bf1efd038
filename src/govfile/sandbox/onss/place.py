"""Where the sandbox is and how to get in, in the values that `onss.Channel` takes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from govfile.certificates.ssh import SshKey
from govfile.onss.environments import CIRCUIT_TEST, DECLARATION_TEST, PRODUCTION, Environment
from govfile.sandbox import pki
from govfile.sandbox.once import made_once
from govfile.sandbox.onss.settings import Circuit
from govfile.transports.sftp.host_keys import HostKeys

if TYPE_CHECKING:
    from govfile.sandbox.onss.papers import PrivateKey

HOST = "127.0.0.1"
_QUICK = {
    "first": timedelta(milliseconds=20),
    "usual": timedelta(milliseconds=50),
    "slow": timedelta(milliseconds=200),
    "second_look": timedelta(milliseconds=20),
}
_LIKE = {Circuit.REAL: PRODUCTION, Circuit.CIRCUIT_TEST: CIRCUIT_TEST, Circuit.DECLARATION_TEST: DECLARATION_TEST}


def environment(name: str, circuit: Circuit, *, port: int, fingerprint: str) -> Environment:
    """One of the three environments, on loopback, with its host key pinned and quick patience."""
    like = _LIKE[circuit]
    named = name if circuit is Circuit.REAL else f"{name}-{like.name}"
    return attrs.evolve(
        like,
        name=named,
        host=HOST,
        port=port,
        host_keys=HostKeys.pinned(fingerprint),
        patience=attrs.evolve(like.patience, **_QUICK),
    )


def ssh_private_pem(use: str) -> bytes:
    """A private RSA key in OpenSSH's format, not encrypted; equal uses share one within the process."""
    key: PrivateKey = pki.rsa_key(f"ssh {use}")
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


@made_once
def ssh_key(use: str) -> SshKey:
    """The same as a client takes it."""
    return SshKey.from_bytes(ssh_private_pem(use))
