"""The certificate service's messages: what each must hold, in which order, and how answers are written.

Lengths and order are those of the published schema (package v1.01): only the root element has a namespace.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.vero import xml
from govfile.sandbox.vero.xml import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml import etree

NAMESPACE = "http://certificates.vero.fi/2017/10/certificateservices"
SIGN, RENEW, GET = "signNewCertificate", "renewCertificate", "getCertificate"
OPERATIONS = (SIGN, RENEW, GET)
_LARGEST_REQUEST = 10_240
_SPACES = re.compile(r"[\t\n\r]")


@attrs.frozen
class Field:
    """One element of a request: `most` characters, or octets where it is `binary`."""

    name: str
    most: int
    is_needed: bool = True
    binary: bool = False


_WHO = (Field("Environment", 10), Field("CustomerId", 30), Field("CustomerName", 100, is_needed=False))
_REQUEST = Field("CertificateRequest", _LARGEST_REQUEST, binary=True)
_FIELDS = {
    SIGN: (*_WHO, Field("TransferId", 32), Field("TransferPassword", 16), _REQUEST),
    RENEW: (*_WHO, _REQUEST),
    GET: (*_WHO, Field("RetrievalId", 32)),
}


@attrs.frozen(kw_only=True)
class Asked:
    """A request that keeps to the contract; `document` is it alone. Its values may be secret, so they are not shown."""

    operation: str
    values: dict[str, str] = attrs.field(repr=False)
    certificate_request: bytes = attrs.field(repr=False)
    document: etree._Element = attrs.field(repr=False)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def operation_of(payload: etree._Element) -> str | None:
    """The operation whose request the element is."""
    names = {f"{{{NAMESPACE}}}{operation[0].upper()}{operation[1:]}Request": operation for operation in OPERATIONS}
    return names.get(str(payload.tag))


def read(payload: xml.Payload, operation: str) -> Asked:
    """Judge a request against the contract. Raises `Invalid`."""
    element = payload.element
    xml.check_attributes(element)
    children = xml.elements(element)
    if operation == RENEW:
        if not children or children[-1].tag != f"{{{xml.DS}}}Signature":
            raise Invalid("the renewal is not signed: a ds:Signature belongs at its end")
        children = children[:-1]
    loose = (element.text or "") + "".join(child.tail or "" for child in element)
    if loose.strip():
        raise Invalid("there is text between the elements")
    values = _values(children, _FIELDS[operation])
    if values["Environment"] not in ("PRODUCTION", "TEST"):
        raise Invalid("Environment is PRODUCTION or TEST")
    request = _decoded(values.pop("CertificateRequest")) if operation != GET else b""
    return Asked(operation=operation, values=values, certificate_request=request, document=payload.alone)


def _values(children: Sequence[etree._Element], fields: Sequence[Field]) -> dict[str, str]:
    waiting = list(children)
    values = {}
    for field in fields:
        if waiting and waiting[0].tag == field.name:
            values[field.name] = _value(waiting.pop(0), field)
        elif field.is_needed:
            found = waiting[0].tag if waiting else "nothing"
            raise Invalid(f"{field.name} (in no namespace) belongs where {found} stands")
    if waiting:
        raise Invalid(f"{waiting[0].tag} is not expected")
    return values


def _value(element: etree._Element, field: Field) -> str:
    if element.attrib:
        raise Invalid(f"{field.name} has attributes")
    value = _SPACES.sub(" ", xml.text(element))
    if not field.binary and not 1 <= len(value) <= field.most:
        raise Invalid(f"{field.name} has {len(value)} characters; 1 to {field.most} are allowed")
    return value


def _decoded(value: str) -> bytes:
    try:
        data = base64.b64decode(value.replace(" ", ""), validate=True)
    except binascii.Error as error:
        raise Invalid("CertificateRequest is no base64: lines of PEM do not belong in it") from error
    if not 1 <= len(data) <= _LARGEST_REQUEST:
        raise Invalid(f"CertificateRequest has {len(data)} octets; 1 to {_LARGEST_REQUEST} are allowed")
    return data


# --- answers


def result(status: str, errors: Sequence[tuple[str, str]] = ()) -> str:
    """The element `Result`."""
    infos = (
        xml.element("ErrorInfo", xml.leaf("ErrorCode", code), xml.leaf("ErrorMessage", words)) for code, words in errors
    )
    return xml.element("Result", xml.leaf("Status", status), *infos)


def answer(operation: str, *content: str) -> str:
    """An answer without its signature, with the prefixes it needs."""
    name = f"ser:{operation[0].upper()}{operation[1:]}Response"
    return f'<{name} xmlns:ser="{NAMESPACE}" xmlns:ds="{xml.DS}">{"".join(content)}</{name}>'
