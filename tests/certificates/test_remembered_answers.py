"""Answers about a certificate are kept by the object, and for that object alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from govfile.certificates import _by_identity
from govfile.certificates._by_identity import by_identity
from support import pki
from support.xml_messages import authority

if TYPE_CHECKING:
    from collections.abc import Callable


def counting() -> tuple[list[x509.Certificate], Callable[[x509.Certificate], int]]:
    asked: list[x509.Certificate] = []

    @by_identity
    def serial(certificate: x509.Certificate) -> int:
        asked.append(certificate)
        return certificate.serial_number

    return asked, serial


def test_a_certificate_is_asked_once() -> None:
    asked, serial = counting()
    certificate = authority().identity.certificate
    assert [serial(certificate) for _ in range(3)] == [certificate.serial_number] * 3
    assert len(asked) == 1


def test_another_object_is_asked_itself_also_where_it_is_equal() -> None:
    asked, serial = counting()
    first, second = (x509.load_pem_x509_certificate(authority().pem) for _ in range(2))
    assert first == second
    assert serial(first) == serial(second)
    assert len(asked) == 2


def test_no_more_are_kept_than_the_bound_and_none_is_mixed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_by_identity, "_MOST", 2)
    _, serial = counting()
    for _ in range(20):
        certificate = authority().issue(pki.plain("short-lived")).certificate
        assert serial(certificate) == certificate.serial_number


def test_errors_are_not_kept() -> None:
    answers = iter([None, 7])

    @by_identity
    def sometimes(_: x509.Certificate) -> int:
        found = next(answers)
        if found is None:
            raise LookupError("not yet")
        return found

    certificate = authority().identity.certificate
    with pytest.raises(LookupError, match="not yet"):
        sometimes(certificate)
    assert sometimes(certificate) == 7
