"""What several tests of this room need: identities of an invented company, and files with openssl's old ciphers."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from support import pki
from support.programs import require

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def root() -> pki.Authority:
    return pki.Authority.create(pki.plain("Invented root"))


@pytest.fixture(scope="session")
def authority(root: pki.Authority) -> pki.Authority:
    return root.subordinate(pki.OCES3_TEST_ISSUER, pss=True)


@pytest.fixture(scope="session")
def company(authority: pki.Authority) -> pki.Identity:
    return authority.issue(pki.oces3())


@pytest.fixture(scope="session")
def other(authority: pki.Authority) -> pki.Identity:
    """Another company, with a key of its own."""
    return authority.issue(pki.oces3(cvr="30808460", uuid=pki.DECOY_UUID), key=pki.rsa_key(7))


@pytest.fixture
def openssl_pkcs12(tmp_path: Path) -> Callable[..., bytes]:
    """Make a PKCS#12 file with the openssl program, which still writes the old ciphers."""

    def make(identity: pki.Identity, *options: str, passphrase: str) -> bytes:
        source, target = tmp_path / "in.pem", tmp_path / "out.p12"
        source.write_bytes(identity.key_pem() + identity.pem + identity.chain_pem)
        command = [require("openssl"), "pkcs12", "-export", "-in", str(source), "-out", str(target), *options]
        subprocess.run(
            [*command, "-passout", "stdin"],
            input=passphrase.encode() + b"\n",
            check=True,
            capture_output=True,
            timeout=60,
        )
        return target.read_bytes()

    return make
