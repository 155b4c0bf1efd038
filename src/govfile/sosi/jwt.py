"""What a JSON Web Token says about its time, before it is sent anywhere. Nothing is verified: the STS does that.

Source: RFC 7519 and RFC 7515 (compact form).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import Any

import attrs

from govfile.errors import InvalidContent

_VALUE_TYPE = "urn:ietf:params:oauth:token-type:jwt"
_LARGEST = 64 * 1024
_COMPACT = re.compile(r"[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*")


@attrs.frozen
class Jwt:
    """A signed token in its compact form (`text`, not in the repr), and until when it holds (aware UTC)."""

    text: str = attrs.field(repr=False)
    expires: datetime | None = None

    @classmethod
    def read(cls, token: str | bytes) -> Jwt:
        """Raises `InvalidContent` when it is no signed JWT in compact form."""
        try:
            text = token.decode("ascii") if isinstance(token, bytes) else token
        except UnicodeDecodeError as error:
            raise _not_one() from error
        text = text.strip()
        if len(text) > _LARGEST or not _COMPACT.fullmatch(text):
            raise _not_one()
        header, payload, signature = text.split(".")
        if not signature or str(_decoded(header).get("alg", "none")).lower() == "none":
            raise InvalidContent("the JWT is not signed", advice="ask its issuer for a signed one")
        return cls(text=text, expires=_moment(_decoded(payload).get("exp")))

    def written(self) -> bytes:
        """The element that carries it, in an envelope that declares the prefix `wsse`."""
        return f'<wsse:BinarySecurityToken ValueType="{_VALUE_TYPE}">{self.text}</wsse:BinarySecurityToken>'.encode()


def _decoded(part: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _not_one() from error
    if not isinstance(found, dict):
        raise _not_one()
    return found


def _moment(seconds: object) -> datetime | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InvalidContent("the JWT does not say as a number until when it holds")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidContent("the JWT says until when it holds in a way no calendar knows") from error


def _not_one() -> InvalidContent:
    return InvalidContent("this is no JWT in compact form", advice="give the three parts, with a dot between each two")
