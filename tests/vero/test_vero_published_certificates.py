"""The authority's own certificates: the pins name them, and their chains hold, with 8192 bits and GeneralizedTime."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from govfile import vero
from govfile.certificates._chain import why_not_trusted
from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError
from support.repository import ROOT

PLACE = ROOT.parent / "shared" / "vectors" / "vero" / "ca"
AT = datetime(2027, 1, 1, tzinfo=UTC)
ENVIRONMENTS = {"prod": vero.PRODUCTION, "test": vero.TEST}


@pytest.fixture(params=sorted(ENVIRONMENTS))
def which(request: pytest.FixtureRequest) -> str:
    if not PLACE.exists():
        pytest.skip("the published certificates are not beside this checkout")
    return str(request.param)


def published(which: str, name: str) -> x509.Certificate:
    (found,) = [path for path in PLACE.glob(f"{which}-*.pem") if name in path.name]
    return x509.load_pem_x509_certificate(found.read_bytes())


def bundle(which: str) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(PLACE.glob(f"{which}-*.pem")))


def test_the_pins_are_those_of_the_published_certificates(which: str) -> None:
    pins = ENVIRONMENTS[which].pins
    for (pin,), name in ((pins.answers, "ir-services"), (pins.issued, "data-providers")):
        found = published(which, name)
        assert found.fingerprint(hashes.SHA256()).hex() == pin.sha256
        assert found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value == pin.name


def test_the_published_bundle_makes_an_environment_ready(which: str) -> None:
    ready = ENVIRONMENTS[which].trusting(bundle(which))
    signers, issuers = ready.anchors()
    assert signers.anchors == (published(which, "ir-services"),)
    assert issuers.anchors == (published(which, "data-providers"),)
    assert ready.issuer_name == ready.pins.issued[0].name


def test_certificates_of_the_other_environment_are_not_taken(which: str) -> None:
    other = "prod" if which == "test" else "test"
    with pytest.raises(ConfigurationError, match="none of the certificates given"):
        ENVIRONMENTS[which].trusting(bundle(other))


def test_the_whole_chains_hold(which: str) -> None:
    """Strict path builders refuse the test chain for its GeneralizedTime; the one used here does not."""
    root, middle = published(which, "root"), published(which, "intermediate")
    for name in ("ir-services", "data-providers"):
        trust = Trust(system=False, anchors=(root,))
        assert why_not_trusted(published(which, name), [middle], trust, AT) == ""
        assert why_not_trusted(published(which, name), [], trust, AT) != ""
    key = root.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == (8192 if which == "test" else 4096)
