"""Which anchors are believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from govfile import ConfigurationError
from govfile.certificates.trust import Trust
from support import pki

_PUBLIC_KEY = pki.rsa_key(2).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_only_leaves_the_system_out(root: pki.Authority, authority: pki.Authority, tmp_path: Path) -> None:
    place = tmp_path / "anchors.pem"
    place.write_bytes(root.pem + b"# a remark\n" + authority.pem)
    for source in (place, str(place), place.read_bytes()):
        trust = Trust.only(source)
        assert not trust.system
        assert trust.anchors == (root.identity.certificate, authority.identity.certificate)


def test_one_certificate_in_der(root: pki.Authority) -> None:
    data = root.identity.certificate.public_bytes(Encoding.DER)
    assert Trust.only(data).anchors == (root.identity.certificate,)


def test_system_and_keeps_the_system(root: pki.Authority) -> None:
    trust = Trust.system_and(root.pem)
    assert trust.system
    assert trust.anchors == (root.identity.certificate,)


def test_the_system_alone_is_the_default() -> None:
    assert (Trust().system, Trust().anchors) == (True, ())


@pytest.mark.parametrize("data", [b"hello", b"0\x82\x01\x00", _PUBLIC_KEY])
def test_a_bundle_without_certificates_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigurationError, match="no readable certificate"):
        Trust.only(data)


def test_one_damaged_anchor_spoils_the_bundle(root: pki.Authority) -> None:
    damaged = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(ConfigurationError, match="no readable certificate"):
        Trust.only(root.pem + damaged)


def test_the_systems_places_exist_where_they_are_named() -> None:
    for place in Trust.system_files():
        assert place is None or Path(place).exists()


def test_the_repr_counts_the_anchors(root: pki.Authority) -> None:
    assert repr(Trust.only(root.pem)) == "Trust(system=False, anchors=<1 certificates>)"
