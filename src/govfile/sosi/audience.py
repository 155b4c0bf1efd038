"""For whom a token is made: the service's address in the one form in which the STS compares it.

Source: the user document of the STS (audience normalisation): scheme and authority in lower case, a path of nothing
but `/` left out, query, fragment and port untouched.
"""

from __future__ import annotations

import re

import attrs

from govfile.errors import InvalidContent

_LONGEST = 1024
#: RFC 3986, appendix B; the authority is what stands behind `//`.
_PARTS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")


@attrs.frozen
class Audience:
    """The address of the service a token is for, normalised: two that mean the same are equal.

    Make one with `Audience.parse`; `str()` gives the address.
    """

    address: str

    def __attrs_post_init__(self) -> None:
        if _normalised(self.address) != self.address:
            raise InvalidContent("this audience is not in its normal form", advice="make it with Audience.parse(…)")

    @classmethod
    def parse(cls, text: str | Audience) -> Audience:
        """From an address as people write it.

        Raises `InvalidContent` when it cannot be an audience: empty, with spaces or control characters, with neither
        scheme nor authority, or longer than 1024 characters.
        """
        return text if isinstance(text, Audience) else cls(_normalised(text))

    def __str__(self) -> str:
        return self.address


def means(written: str, wanted: Audience) -> bool:
    """Whether what somebody else wrote is that audience; what cannot be one is not."""
    try:
        return Audience.parse(written) == wanted
    except InvalidContent:
        return False


def _normalised(text: str) -> str:
    if not text:
        raise InvalidContent("an audience must not be empty", advice="give the address the service is registered under")
    if len(text) > _LONGEST:
        raise InvalidContent(f"an audience of {len(text)} characters is longer than {_LONGEST}")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise InvalidContent("an audience holds no spaces or control characters", advice="look for a stray line end")
    match = _PARTS.fullmatch(text)
    assert match is not None  # the pattern takes every text
    scheme, authority, path, query, fragment = match.groups()
    if scheme is not None and not _SCHEME.fullmatch(scheme):
        raise InvalidContent("the scheme of this audience is not one", advice="write it like https://service.example")
    if authority == "" or (authority is None and scheme is None):
        raise InvalidContent(
            "this audience names neither a scheme nor a host", advice="write it like https://service.example"
        )
    if authority is None and not path:
        raise InvalidContent("this audience names nothing behind its scheme")
    written = "" if scheme is None else f"{scheme.lower()}:"
    if authority is not None:
        written += f"//{authority.lower()}"
        path = "" if path == "/" else path
    return f"{written}{path}{query or ''}{fragment or ''}"
