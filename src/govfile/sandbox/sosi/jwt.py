"""JSON Web Tokens in compact form, RS256 only (RFC 7515, RFC 7519)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://oidc.sandbox.invalid/realms/citizens"


class BadToken(ValueError):
    """The token proves nothing; the text says why."""


def write(claims: Mapping[str, Any], key: rsa.RSAPrivateKey) -> str:
    """A signed token."""
    head = _encoded(json.dumps({"alg": "RS256", "typ": "JWT"}).encode())
    signed = f"{head}.{_encoded(json.dumps(dict(claims)).encode())}"
    return f"{signed}.{_encoded(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def read(token: str, key: rsa.RSAPublicKey) -> dict[str, Any]:
    """The claims of a token that `key` signed; raises `BadToken`."""
    try:
        head, payload, signature = token.split(".")
        if json.loads(_decoded(head)).get("alg") != "RS256":
            raise BadToken("the algorithm")
        key.verify(_decoded(signature), f"{head}.{payload}".encode(), padding.PKCS1v15(), hashes.SHA256())
        claims = json.loads(_decoded(payload))
    except (ValueError, AttributeError, binascii.Error, InvalidSignature) as error:
        raise BadToken("no JWT of ours") from error
    if not isinstance(claims, dict):
        raise BadToken("no claims")
    return claims


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
