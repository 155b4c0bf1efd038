"""Certificates that others published are read rightly. They lie beside the checkout, where they are at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from govfile.certificates._material import chain_of
from govfile.certificates.public import PublicHalf
from govfile.certificates.subject import Kind, is_test_certificate

_FOLDER = Path(__file__).parents[2].parent / "shared" / "vectors" / "sosi" / "certificates"


def _half(name: str) -> PublicHalf:
    place = _FOLDER / f"{name}.pem"
    if not place.exists():
        pytest.skip(f"the published certificates are not beside the checkout ({place.name})")
    return PublicHalf.read(place)


@pytest.mark.parametrize(
    ("name", "kind", "cvr", "identifier"),
    [
        ("foces2", Kind.OCES2_FUNCTION, "33257872", "22249732"),
        ("moces2", Kind.OCES2_EMPLOYEE, "20921897", "52723247"),
        ("moces3", Kind.OCES3_EMPLOYEE, "96908409", "2725d207-2d44-4d57-a1af-20b90c59911d"),
        ("voces3", Kind.OCES3_ORGANISATION, "33257872", "5ba0109b-5d92-4e5e-8692-b7ce350220d2"),
        ("oces3-test-root", Kind.OTHER, None, None),
    ],
)
def test_their_subjects(name: str, kind: Kind, cvr: str | None, identifier: str | None) -> None:
    half = _half(name)
    assert (half.subject.kind, half.subject.cvr, half.identifier) == (kind, cvr, identifier)
    assert is_test_certificate(half.certificate) is True


@pytest.mark.parametrize("leaf", ["moces3", "voces3"])
def test_their_chain_is_put_in_order_through_pss_signatures(leaf: str) -> None:
    issuing, root, stranger = (
        _half(name).certificate for name in ("oces3-test-issuing-ca1", "oces3-test-root", "foces2")
    )
    assert chain_of(_half(leaf).certificate, [root, stranger, issuing]) == (issuing, root)
