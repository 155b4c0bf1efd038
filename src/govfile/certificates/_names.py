"""The names in a certificate, which the library below decodes late: a broken one must not surprise later."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509


def subject_of(certificate: x509.Certificate) -> x509.Name:
    """Whom it is for; raises `ValueError` when that cannot be read."""
    return _decoded(lambda: certificate.subject)


def issuer_of(certificate: x509.Certificate) -> x509.Name:
    """Who issued it; raises `ValueError` when that cannot be read."""
    return _decoded(lambda: certificate.issuer)


def is_self_issued(certificate: x509.Certificate) -> bool:
    """Whether both names are the same, as in a root; not so where one cannot be read."""
    try:
        return issuer_of(certificate) == subject_of(certificate)
    except ValueError:
        return False


def _decoded(name: Callable[[], x509.Name]) -> x509.Name:
    try:
        try:
            return name()
        except UserWarning:  # under `python -W error`, of a name longer than X.520 allows, as some companies have
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                return name()
    except TypeError as error:  # bits where text belongs
        raise ValueError("a name holds an attribute of the wrong type") from error
