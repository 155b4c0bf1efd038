"""From a `wsse:SecurityTokenReference` to the assertion it names, and what the STR-Transform makes of it.

Sources: OASIS SOAP Message Security 1.0, section 8.3; SAML Token Profile 1.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from govfile.xml._tree import own_text
from govfile.xml.algorithms import SAML_ID, WSSE, Canonicalization
from govfile.xml.canonical import DEFAULT, canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

    from govfile.xml._tree import Tree

_REFERENCE = f"{{{WSSE}}}SecurityTokenReference"
_KEY_IDENTIFIER = f"{{{WSSE}}}KeyIdentifier"
_DIRECT = f"{{{WSSE}}}Reference"
_FIRST_NAME = re.compile(rb"<[^\s>]+")


def token_of(tree: Tree, reference: _Element) -> _Element | None:
    """The element that a token reference names by an assertion's ID or by a URI, None where there is none."""
    if reference.tag != _REFERENCE or len(reference) != 1:
        return None
    (how,) = reference
    if how.tag == _KEY_IDENTIFIER and how.get("ValueType") == SAML_ID:
        return tree.ids.get((own_text(how) or "").strip())
    if how.tag == _DIRECT and (how.get("URI") or "").startswith("#"):
        return tree.ids.get((how.get("URI") or "")[1:])
    return None


def canonical_token(token: _Element, method: Canonicalization, prefixes: Sequence[str] = ()) -> bytes:
    """What the transform puts in place of the reference.

    A default namespace in scope is written on the token, also where the token does not use it; where there is none,
    `xmlns=""` is.
    """
    if method.is_exclusive and DEFAULT not in prefixes:
        prefixes = (*prefixes, DEFAULT)
    written = canonical_bytes(token, method, prefixes)
    first = _FIRST_NAME.match(written)
    assert first is not None
    if written.startswith(b' xmlns="', first.end()):  # canonical XML writes the default namespace first
        return written
    return first[0] + b' xmlns=""' + written[first.end() :]
