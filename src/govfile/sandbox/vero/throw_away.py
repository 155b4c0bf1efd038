"""The sandbox's fixed keys and authorities: `throw-away.json`, known to everybody and good for nothing else.

As in the authority's test environment there are three levels: a root and an intermediate of 8192 bits, whose dates are
written as GeneralizedTime, and issuing authorities of 4096 bits below them.
"""

from __future__ import annotations

import base64
import enum
import functools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXPONENT = 65537


class Authority(enum.Enum):
    """The certification authorities."""

    ROOT = "root"
    INTERMEDIATE = "intermediate"
    SERVICES = "services"
    DATA_PROVIDERS = "data providers"


class Key(enum.Enum):
    """The private keys. The two upper authorities have none here: they sign nothing any more."""

    SERVICES = "services"
    DATA_PROVIDERS = "data providers"
    ANSWERS = "answers"
    STRANGER = "stranger"
    BENCH_NEW = "bench new"
    BENCH_RENEWAL = "bench renewal"
    CUSTOMER = "customer"


@functools.cache
def certificate(which: Authority) -> x509.Certificate:
    """An authority's certificate."""
    return x509.load_der_x509_certificate(base64.b64decode(_made()["certificates"][which.value]))


@functools.cache
def key(which: Key) -> rsa.RSAPrivateKey:
    """A private key, put together from its primes."""
    p, q = (int(prime, 16) for prime in _made()["primes"][which.value])
    d = rsa.rsa_recover_private_exponent(_EXPONENT, p, q)
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)  # it checks the primes for a third of a second


@functools.cache
def _made() -> Mapping[str, Any]:
    text = resources.files("govfile.sandbox.vero").joinpath("throw-away.json").read_text("utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found
