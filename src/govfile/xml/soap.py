"""Reading SOAP answers, 1.1 and 1.2, also where they come in parts (MTOM): what is in them, and whether it is a fault.

Nothing here is verified: signed answers go on to `govfile.xml.verifying`, as the very bytes that `SoapMessage.xml`
keeps. Sources: SOAP 1.1 (W3C Note), SOAP 1.2 part 1 (W3C), SOAP Message Transmission Optimization Mechanism (W3C).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import attrs

from govfile.errors import ProtocolError
from govfile.xml import _multipart, _tree
from govfile.xml.parse import Limits, excerpt
from govfile.xml.splicing import named_in, span_in, standing_alone

if TYPE_CHECKING:
    from lxml.etree import _Element

    from govfile.xml._tree import Tree

SOAP_1_1 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_1_2 = "http://www.w3.org/2003/05/soap-envelope"


class _Code(TypedDict):
    code: str
    code_name: str
    code_namespace: str


_SAFE_CHARSETS = {"", "utf-8", "utf8", "us-ascii", "ascii"}


@attrs.frozen(kw_only=True)
class SoapFault:
    """What the other side says went wrong, verbatim; texts may hold personal data and stay out of the repr.

    `code` is the code as it stands there (`wst:FailedAuthentication`), `code_name` its local name and
    `code_namespace` what its prefix stands for ("" where it has none, or one that is not declared); `subcodes` are
    the local names of SOAP 1.2's subcodes, outermost first. `actor` is the actor, role or node. `detail` has every
    element of the detail that holds text, or nothing, in order: its name (`{namespace}local`) and its text.
    """

    code: str
    code_name: str
    code_namespace: str = ""
    subcodes: tuple[str, ...] = ()
    text: str = attrs.field(default="", repr=False)
    actor: str = ""
    detail: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)

    def detail_text(self, name: str) -> str | None:
        """The text of the first element of the detail with this local name, None where there is none."""
        return next((text for tag, text in self.detail if tag.rpartition("}")[2] == name), None)


@attrs.frozen(kw_only=True, eq=False)
class SoapMessage:
    """An envelope as it came: its bytes (`xml`), its `version` ("1.1" or "1.2"), and its `fault` if it carries one."""

    xml: bytes = attrs.field(repr=False)
    version: str
    fault: SoapFault | None
    _read: Tree = attrs.field(repr=False, alias="_read")

    @property
    def body_names(self) -> tuple[str, ...]:
        """The names (`{namespace}local`) of what stands in the body, in order."""
        return tuple(str(child.tag) for child in self._children())

    def body_child(self) -> bytes:
        """The bytes of the one element in the body, able to stand alone: namespaces that it inherits and names are
        declared on it, everything else is as it came. Raises `ProtocolError` when there is none, or more than one.
        """
        return self._alone(self._only())

    def header_child(self, name: str) -> bytes | None:
        """The bytes of the header of this name (`{namespace}local`), able to stand alone; None where there is none.

        Raises `ProtocolError` when there are several.
        """
        namespace = self._read.root.tag.removesuffix("Envelope")
        found = self._read.at((self._read.root.tag, f"{namespace}Header", name))
        if len(found) > 1:
            raise ProtocolError(f"the answer has {len(found)} headers {name}")
        return self._alone(found[0]) if found else None

    def _alone(self, element: _Element) -> bytes:
        span = span_in(self._read, element)
        needed = named_in(self.xml[span.start : span.end], dict(element.nsmap))
        return standing_alone(self.xml, span, needed)

    def _children(self) -> list[_Element]:
        body = _body(self._read)
        return [child for child in body if _tree.is_element(child)]

    def _only(self) -> _Element:
        children = self._children()
        if len(children) != 1:
            raise ProtocolError(f"the answer has {len(children)} elements in its body, not one")
        return children[0]


def read_soap(body: bytes, *, content_type: str, status: int, limits: Limits | None = None) -> SoapMessage:
    """The SOAP message in an HTTP answer: its `body`, its Content-Type, its `status`.

    Raises `ProtocolError`, which says what came instead, with which status: nothing, an HTML page, other XML, text in
    a character set other than UTF-8, a document beyond `limits`, or an error status with a message that is no fault.
    """
    limits = limits or Limits()
    media_type = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        raise ProtocolError(f"the server answered HTTP {status} with an empty body instead of a SOAP message")
    if media_type == "multipart/related":
        xml = _multipart.root_part(body, content_type, limits)
    else:
        _check_charset(body, content_type, status)
        xml = body
    tree = _read(xml, media_type, status, limits)
    version = "1.1" if tree.root.tag == f"{{{SOAP_1_1}}}Envelope" else "1.2"
    fault = _fault(tree)
    if fault is None and not 200 <= status < 300:
        raise ProtocolError(f"the server answered HTTP {status} with a SOAP message that is no fault")
    return SoapMessage(xml=xml, version=version, fault=fault, _read=tree)


def _check_charset(body: bytes, content_type: str, status: int) -> None:
    """What is in ASCII only reads the same in whatever the header says."""
    charset = _multipart.parameters(content_type).get("charset", "") if _says_more(content_type) else ""
    if charset.lower() not in _SAFE_CHARSETS and (charset.lower().startswith(("utf", "ucs")) or not body.isascii()):
        raise ProtocolError(
            f"the server answered HTTP {status} in the character set {charset[:40]!r}; SOAP messages are read in UTF-8"
        )


def _says_more(content_type: str) -> bool:
    """Whether there is anything to look at; nearly always it is `charset=utf-8` and nothing else."""
    return content_type.partition(";")[2].strip().lower() not in {"", "charset=utf-8", 'charset="utf-8"'}


def _read(xml: bytes, media_type: str, status: int, limits: Limits) -> Tree:
    """The tree, if its root is an envelope with one body."""
    came = f"the server answered HTTP {status} with {_what(xml, media_type)}"
    if not xml.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or _is_html(xml):
        raise ProtocolError(f"{came} instead of a SOAP message", excerpt=excerpt(xml))
    try:
        tree = _tree.read(xml, limits=limits, what="the SOAP message", free=None)
    except ProtocolError as error:
        raise ProtocolError(f"{came}: {error.what}", excerpt=error.excerpt) from error
    if tree.root.tag not in {f"{{{SOAP_1_1}}}Envelope", f"{{{SOAP_1_2}}}Envelope"}:
        raise ProtocolError(f"{came} instead of a SOAP message: its root is {tree.root.tag[:80]}", excerpt=excerpt(xml))
    _body(tree)
    return tree


def _what(xml: bytes, media_type: str) -> str:
    if _is_html(xml):
        return "an HTML page"
    return f"{len(xml)} bytes of {media_type[:60]}" if media_type else f"{len(xml)} bytes of no stated type"


def _is_html(xml: bytes) -> bool:
    start = xml[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _body(tree: Tree) -> _Element:
    found = tree.at((tree.root.tag, tree.root.tag.removesuffix("Envelope") + "Body"))
    if len(found) != 1:
        raise ProtocolError(f"the SOAP message has {len(found)} bodies, not one")
    return found[0]


def _fault(tree: Tree) -> SoapFault | None:
    """The fault, if the body has one; raises `ProtocolError` when something stands beside it."""
    namespace = tree.root.tag.removesuffix("Envelope")
    children = [child for child in _body(tree) if _tree.is_element(child)]
    if all(child.tag != f"{namespace}Fault" for child in children):
        return None
    if len(children) != 1:
        raise ProtocolError("the SOAP message has a fault and something else in its body")
    return _fault_1_1(children[0]) if SOAP_1_1 in namespace else _fault_1_2(children[0], namespace)


def _fault_1_1(fault: _Element) -> SoapFault:
    def text(name: str) -> str:
        return _text(_first(fault, name))

    detail = _first(fault, "detail")
    return SoapFault(
        **_code(_first(fault, "faultcode")),
        text=text("faultstring"),
        actor=text("faultactor"),
        detail=_detail(detail),
    )


def _fault_1_2(fault: _Element, namespace: str) -> SoapFault:
    code = fault.find(f"{namespace}Code")
    subcodes: list[str] = []
    inner = None if code is None else code.find(f"{namespace}Subcode")
    while inner is not None:
        subcodes.append(_text(inner.find(f"{namespace}Value")).rpartition(":")[2])
        inner = inner.find(f"{namespace}Subcode")
    role, node = fault.find(f"{namespace}Role"), fault.find(f"{namespace}Node")
    return SoapFault(
        **_code(None if code is None else code.find(f"{namespace}Value")),
        subcodes=tuple(subcodes),
        text=_text(fault.find(f"{namespace}Reason/{namespace}Text")),
        actor=_text(role) or _text(node),
        detail=_detail(fault.find(f"{namespace}Detail")),
    )


def _first(fault: _Element, name: str) -> _Element | None:
    """A child of a 1.1 fault: in no namespace by the book, in the envelope's by some servers."""
    found = fault.find(name)
    return fault.find(f"{{{SOAP_1_1}}}{name}") if found is None else found


def _code(element: _Element | None) -> _Code:
    code = _text(element)
    prefix, _, name = code.rpartition(":")
    namespace = "" if element is None else element.nsmap.get(prefix or None) or ""
    return _Code(code=code, code_name=name, code_namespace=namespace)


def _detail(detail: _Element | None) -> tuple[tuple[str, str], ...]:
    if detail is None:
        return ()
    below = [element for element in detail.iter() if element is not detail and _tree.is_element(element)]
    texts = [(str(element.tag), _text(element), len(element)) for element in below]
    return tuple((name, text) for name, text, children in texts if text or not children)


def _text(element: _Element | None) -> str:
    """An element's own text, comments left out without splitting it, without white space around it."""
    if element is None:
        return ""
    return "".join((element.text or "", *(child.tail or "" for child in element))).strip()
