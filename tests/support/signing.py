"""Certificates for signatures, and the openssl program as the other side of a detached signature."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from support import pki
from support.programs import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def signing_identity(
    authority: pki.Authority,
    *usages: str,
    subject: x509.Name | None = None,
    key: pki.Key | None = None,
    is_authority: bool = False,
    stamps_time: bool = False,
    begin: datetime | None = None,
    life: timedelta = timedelta(days=1000),
) -> pki.Identity:
    """A certificate whose key usage holds exactly `usages`; none given: the extension is left out."""
    key = key or pki.rsa_key(21)
    begin = begin or datetime.now(UTC) - timedelta(hours=1)
    issuer = authority.identity
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or pki.plain("Bureau social SRL"))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + life)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if usages:
        builder = builder.add_extension(x509.KeyUsage(**{name: name in usages for name in _USAGES}), critical=True)
    if stamps_time:
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(stamping, critical=True)
    certificate = builder.sign(issuer.key, hashes.SHA256())
    return pki.Identity(key=key, certificate=certificate, chain=(issuer.certificate, *issuer.chain))


@attrs.frozen
class OpenSsl:
    """`openssl cms` with its files in `folder`."""

    folder: Path

    def sign(self, identity: pki.Identity, content: bytes, *options: str, also: Iterable[pki.Identity] = ()) -> bytes:
        """A detached signature as openssl makes it, DER unless the options say otherwise."""
        arguments = ["-sign", "-binary", "-outform", "DER", "-in", str(self._file("content", content))]
        for number, who in enumerate((identity, *also)):
            signer = self._file(f"signer{number}.pem", who.pem)
            key = self._file(f"key{number}.pem", who.key_pem())
            arguments += ["-signer", str(signer), "-inkey", str(key)]
        return self._run(*arguments, *options)  # -keyopt is for the signer before it

    def accepts(self, signature: bytes, content: bytes, root: bytes, *options: str) -> bool:
        """Whether `openssl cms -verify` accepts a detached signature (DER) over `content` under `root` (PEM)."""
        command = ["-verify", "-binary", "-inform", "DER", "-in", str(self._file("signature", signature))]
        command += ["-content", str(self._file("content", content)), "-CAfile", str(self._file("root.pem", root))]
        command += ["-purpose", "any", "-out", str(self.folder / "out"), *options]
        answer = subprocess.run([require("openssl"), "cms", *command], capture_output=True, timeout=60, check=False)
        assert answer.returncode == 0 or b"erification failure" in answer.stderr, answer.stderr
        return answer.returncode == 0

    def printed(self, signature: bytes) -> str:
        """What `openssl cms -cmsout -print` reads in a signature."""
        file = self._file("signature", signature)
        return self._run("-cmsout", "-print", "-inform", "DER", "-in", str(file)).decode("utf-8", "replace")

    def stamp(self, authority: pki.Identity, message: bytes) -> bytes:
        """A time-stamp token (DER) on `message`, as `openssl ts` makes it."""
        folder = self.folder
        configuration = folder / "ts.conf"
        (folder / "serial").write_text("01\n")
        configuration.write_text(
            "[ts]\nserial = " + str(folder / "serial") + "\ndefault_policy = 1.2.3.4\n"
            "digests = sha256\nsigner_digest = sha256\ness_cert_id_alg = sha256\n"
        )
        message_file = self._file("message", message)
        query, token = folder / "query", folder / "token"
        ts = [require("openssl"), "ts"]
        query_command = [*ts, "-query", "-data", str(message_file), "-sha256", "-cert", "-out", str(query)]
        subprocess.run(query_command, check=True, capture_output=True, timeout=60)
        signer, key = self._file("tsa.pem", authority.pem), self._file("tsa.key", authority.key_pem())
        reply = [*ts, "-reply", "-config", str(configuration), "-section", "ts", "-queryfile", str(query)]
        reply += ["-signer", str(signer), "-inkey", str(key), "-token_out", "-out", str(token)]
        subprocess.run(reply, check=True, capture_output=True, timeout=60)
        return token.read_bytes()

    def _file(self, name: str, content: bytes) -> Path:
        place = self.folder / name
        place.write_bytes(content)
        return place

    def _run(self, *arguments: str) -> bytes:
        output = self.folder / "output"
        command = [require("openssl"), "cms", *arguments]
        if "-print" in arguments:
            return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
        answer = subprocess.run([*command, "-out", str(output)], capture_output=True, timeout=60, check=False)
        assert answer.returncode == 0, answer.stderr
        return output.read_bytes()


# --- surgery on DER, apart from the code under test -----------------------------------------------------------------


def tlv(tag: int, content: bytes) -> bytes:
    """One element in DER."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def parts_of(content: bytes) -> list[tuple[int, bytes]]:
    """The elements (tag, content) that lie side by side in `content`, all of definite length."""
    found, place = [], 0
    while place < len(content):
        tag, first = content[place], content[place + 1]
        place += 2
        if first & 0x80:
            size = int.from_bytes(content[place : place + (first & 0x7F)], "big")
            place += first & 0x7F
        else:
            size = first
        found.append((tag, content[place : place + size]))
        place += size
    return found


def joined(parts: Iterable[tuple[int, bytes]]) -> bytes:
    """The elements, one after the other."""
    return b"".join(tlv(tag, content) for tag, content in parts)


def signed_data_parts(signature: bytes) -> list[tuple[int, bytes]]:
    """The parts of the SignedData in a ContentInfo: version, hashes, content, certificates, signers."""
    ((_, info),) = parts_of(signature)
    _, (_, wrapped) = parts_of(info)
    ((_, inner),) = parts_of(wrapped)
    return parts_of(inner)


def content_info(parts: Iterable[tuple[int, bytes]]) -> bytes:
    """A ContentInfo around the parts of a SignedData."""
    kind = bytes.fromhex("06092a864886f70d010702")
    return tlv(0x30, kind + tlv(0xA0, tlv(0x30, joined(parts))))


def with_signer(signature: bytes, change: Callable[[list[tuple[int, bytes]]], list[tuple[int, bytes]]]) -> bytes:
    """The signature with the parts of its only signer changed."""
    parts = signed_data_parts(signature)
    ((_, signer),) = parts_of(parts[-1][1])
    parts[-1] = (0x31, tlv(0x30, joined(change(parts_of(signer)))))
    return content_info(parts)


def signature_value(signature: bytes) -> bytes:
    """The value that the key of the only signer made."""
    ((_, signer),) = parts_of(signed_data_parts(signature)[-1][1])
    return next(content for tag, content in parts_of(signer) if tag == 0x04)


def with_timestamp(signature: bytes, token: bytes) -> bytes:
    """A CAdES-T signature: the token among the unsigned attributes of the only signer."""
    attribute = tlv(0x30, bytes.fromhex("060b2a864886f70d010910020e") + tlv(0x31, token))
    return with_signer(signature, lambda parts: [*parts, (0xA1, attribute)])
