"""Who signs in these tests, and for whom: all invented."""

from __future__ import annotations

import pytest

from govfile import Credential
from support import pki
from support.signing import signing_identity


@pytest.fixture(scope="session")
def root() -> pki.Authority:
    return pki.Authority.create(pki.plain("Invented root"))


@pytest.fixture(scope="session")
def signer(root: pki.Authority) -> pki.Identity:
    return signing_identity(root, "content_commitment")


@pytest.fixture(scope="session")
def credential(signer: pki.Identity) -> Credential:
    return Credential.from_pem(signer.key_pem() + signer.pem)
