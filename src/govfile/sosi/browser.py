"""Handing a token to a browser: in a URL, or as a form that posts itself.

Sources: Seal.Java for the form of a token in a URL (gzip, then Base64url without padding); SAML 2.0 bindings, section
3.5, for the form. Under which name a service takes the token from its URL, and whether it wants a RelayState, is each
service's own affair.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import os
import uuid
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from govfile.errors import InvalidContent
from govfile.sosi import times
from govfile.sosi._text import check_text
from govfile.sosi.constants import SAML, SAMLP
from govfile.xml.canonical import escape_attribute, escape_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.sosi.tokens import IdentityToken, OiosamlAssertion

_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_LARGEST = 1024 * 1024
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def to_url_value(token: IdentityToken | bytes) -> str:
    """A token as the value of a URL's parameter: letters, digits, `-` and `_` only. The same token gives the same."""
    xml = token if isinstance(token, bytes) else token.xml
    packed = gzip.compress(xml, compresslevel=9, mtime=0)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def from_url_value(text: str) -> bytes:
    """The token's bytes, for a service that takes one; nothing is verified (`govfile.sosi.verify_token` does).

    Raises `InvalidContent` when it is not of that form, or beyond 1 MiB.
    """
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacking = zlib.decompressobj(wbits=31)
        xml = unpacking.decompress(packed, _LARGEST + 1)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise InvalidContent("this is no token as URLs carry it") from error
    if len(xml) > _LARGEST:
        raise InvalidContent(f"the token in the URL has more than {_LARGEST} bytes")
    if not unpacking.eof or unpacking.unused_data:
        raise InvalidContent("the token in the URL is cut off, or something stands behind it")
    return xml


def response(
    assertion: OiosamlAssertion,
    *,
    issuer: str,
    destination: str | None = None,
    in_response_to: str | None = None,
    at: datetime | None = None,
    randomness: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """An unsolicited `samlp:Response` around an assertion, whose bytes stay as they are.

    `issuer` is the name under which the service provider knows whoever answers. `at` is aware; now, if left out.
    `destination` is the address it is posted to, where the provider wants it said.
    """
    check_text("the issuer", issuer)
    optional = {"Destination": destination, "InResponseTo": in_response_to}
    for what, value in optional.items():
        if value is not None:
            check_text(what, value)
    written = "".join(f' {name}="{escape_attribute(value)}"' for name, value in optional.items() if value is not None)
    before = (
        f'<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="_{uuid.UUID(bytes=randomness(16), version=4)}"'
        f' Version="2.0" IssueInstant="{times.write(at or datetime.now(UTC))}"{written}>'
        f'<saml:Issuer>{escape_text(issuer)}</saml:Issuer><samlp:Status><samlp:StatusCode Value="{_SUCCESS}"/>'
        "</samlp:Status>"
    )
    return before.encode() + assertion.xml + b"</samlp:Response>"


def _is_safe(action: str) -> bool:
    """Whether nobody on the way sees what is posted there."""
    try:
        where = urlsplit(action)
    except ValueError:
        return False
    is_here = where.scheme == "http" and where.hostname in _LOOPBACK
    return is_here or (where.scheme == "https" and bool(where.hostname))


def log_in_form(
    assertion: OiosamlAssertion,
    *,
    action: str,
    issuer: str,
    relay_state: str | None = None,
    in_response_to: str | None = None,
    at: datetime | None = None,
    randomness: Callable[[int], bytes] = os.urandom,
) -> str:
    """An HTML page (UTF-8) that posts the assertion to `action`, the provider's assertion consumer, by itself.

    Without scripts the user presses its button. Serve it once, to that user alone, with `Cache-Control: no-store`.
    `action` must be an https address, or one of this machine. Raises `InvalidContent`.
    """
    if not _is_safe(action):
        raise InvalidContent("a log-in is posted to an https address alone", advice="use the provider's recipient URL")
    message = response(
        assertion, issuer=issuer, destination=action, in_response_to=in_response_to, at=at, randomness=randomness
    )
    fields = {"SAMLResponse": base64.b64encode(message).decode("ascii")}
    if relay_state is not None:
        fields["RelayState"] = relay_state
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in fields.items()
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f'<title>Log in</title></head><body><form method="post" action="{html.escape(action)}">{inputs}'
        '<noscript><button type="submit">Log in</button></noscript></form>'
        "<script>document.forms[0].submit()</script></body></html>"
    )
