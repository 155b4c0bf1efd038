"""Makes the throw-away keys and authorities of the Finnish sandbox: `python tests/support/vero_throw_away.py FILE`.

They are made once and shipped, since keys of 8192 bits take long. As in the real test environment the two upper
authorities have such keys, and dates before 2050 written as GeneralizedTime, which RFC 5280 (4.1.2.5) does not want.
"""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

SEQUENCE, BIT_STRING, GENERALIZED_TIME = b"\x30", b"\x03", b"\x18"
WARNING = "Throw-away keys of the govfile sandbox, known to everybody: whoever trusts them lets everybody in."


class Authority(NamedTuple):
    """An authority with its key."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


def tlv(tag: bytes, content: bytes) -> bytes:
    """One element in DER."""
    size = len(content)
    if size < 0x80:
        return tag + bytes([size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return tag + bytes([0x80 | len(length)]) + length + content


def parts(content: bytes) -> list[tuple[bytes, bytes]]:
    """Tag and content of each element in a row of them."""
    found = []
    while content:
        size, start = content[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(content[2:start], "big")
        found.append((content[:1], content[start : start + size]))
        content = content[start + size :]
    return found


def with_generalized_times(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> x509.Certificate:
    """The same certificate, its dates as GeneralizedTime, signed anew with its issuer's key (RSA, SHA-256)."""
    fields = parts(parts(certificate.tbs_certificate_bytes)[0][1])
    validity = 4  # after version, serial number, algorithm and issuer
    times = b"".join(tlv(GENERALIZED_TIME, b"20" + text) for _, text in parts(fields[validity][1]))
    fields[validity] = (SEQUENCE, times)
    tbs = tlv(SEQUENCE, b"".join(tlv(tag, content) for tag, content in fields))
    signature = key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())
    algorithm = tlv(*fields[2])
    return x509.load_der_x509_certificate(tlv(SEQUENCE, tbs + algorithm + tlv(BIT_STRING, b"\0" + signature)))


def authority(name: str, bits: int, years: tuple[int, int], issuer: Authority | None, depth: int | None) -> Authority:
    """An authority called `name`, valid through those years; signed by itself without an issuer."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = _name(name)
    start, end = (datetime(year, 2, 21, 6, 0, 0, tzinfo=UTC) for year in years)
    by = issuer.key if issuer is not None else key
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(
            x509.KeyUsage(key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )
    if bits > 4096:
        certificate = with_generalized_times(certificate, by)
    return Authority(key, certificate)


def main(target: str) -> None:
    """Make all of it."""
    root = authority("Root", 8192, (2018, 2049), None, None)
    intermediate = authority("Intermediate", 8192, (2018, 2047), root, 1)
    services = authority("IR Services Issuing", 4096, (2018, 2046), intermediate, 0)
    providers = authority("Data Providers Issuing", 4096, (2018, 2046), intermediate, 0)
    made = {
        "warning": WARNING,
        "certificates": {
            "root": _text(root.certificate),
            "intermediate": _text(intermediate.certificate),
            "services": _text(services.certificate),
            "data providers": _text(providers.certificate),
        },
        "primes": {
            "services": _primes(services.key),
            "data providers": _primes(providers.key),
            **{
                use: _primes(rsa.generate_private_key(public_exponent=65537, key_size=2048))
                for use in ("answers", "stranger", "bench new", "bench renewal", "customer")
            },
        },
    }
    Path(target).write_text(json.dumps(made, indent=1) + "\n")


def _name(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"govfile sandbox {name} CA v1"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "govfile sandbox"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FI"),
        ]
    )


def _text(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def _primes(key: rsa.RSAPrivateKey) -> list[str]:
    numbers = key.private_numbers()
    return [f"{numbers.p:x}", f"{numbers.q:x}"]


if __name__ == "__main__":
    main(sys.argv[1])
