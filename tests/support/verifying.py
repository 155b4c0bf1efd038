"""A second opinion on signatures: the openssl program."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from govfile.certificates.signer import PublicKey, Scheme, SignatureAlgorithm
from support.programs import require

if TYPE_CHECKING:
    from pathlib import Path


def accepted_by_openssl(
    folder: Path, key: PublicKey, signature: bytes, data: bytes, algorithm: SignatureAlgorithm
) -> bool:
    """Whether `openssl dgst -verify` accepts the signature; `folder` holds its files."""
    files = {name: folder / name for name in ("key.pem", "signature", "data")}
    files["key.pem"].write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    files["signature"].write_bytes(signature)
    files["data"].write_bytes(data)
    command = [require("openssl"), "dgst", f"-{algorithm.hash_name}", "-verify", str(files["key.pem"])]
    if algorithm.scheme is Scheme.RSA_PSS:
        command += ["-sigopt", "rsa_padding_mode:pss", "-sigopt", f"rsa_pss_saltlen:{algorithm.digest_size}"]
    command += ["-signature", str(files["signature"]), str(files["data"])]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.stdout.strip() in {"Verified OK", "Verification failure", "Verification Failure"}, answer.stderr
    return answer.returncode == 0
