"""The one message in a SOAP body, cut out as bytes: a document of its own, as its signer had it before the envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import ProtocolError
from govfile.xml import _tree
from govfile.xml.splicing import standing_alone

if TYPE_CHECKING:
    from govfile.xml.parse import Limits

#: The namespaces of the two SOAP envelopes (W3C SOAP 1.1 and 1.2).
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_SOAP = (SOAP_11, SOAP_12)


@attrs.frozen(kw_only=True)
class Payload:
    """What a SOAP body held: the `{namespace}local` name of its only element, and that element's bytes.

    `forms` are those it may have had before the envelope was put around it: first with the namespaces it inherits
    (except SOAP's own) declared on it, then, where there are such, without. Canonical XML 1.0 tells the two apart.
    """

    name: str
    forms: tuple[bytes, ...] = attrs.field(repr=False)


def payload_of(envelope: bytes, *, limits: Limits | None = None) -> Payload:
    """The message in an envelope; raises `ProtocolError` where there is not exactly one, or the XML cannot be read."""
    tree = _tree.read(envelope, limits=limits, what="the answer")
    namespace = tree.root.tag[1:].partition("}")[0]
    bodies = tree.at((f"{{{namespace}}}Envelope", f"{{{namespace}}}Body")) if namespace in _SOAP else []
    if len(bodies) != 1:
        raise ProtocolError("the answer is no SOAP envelope with one body")
    inside = [child for child in bodies[0] if _tree.is_element(child)]
    if len(inside) != 1:
        raise ProtocolError(f"the SOAP body of the answer holds {len(inside)} elements, not one")
    place = _tree.indices(inside[0])
    inherited = {prefix: name for prefix, name in bodies[0].nsmap.items() if name not in _SOAP}
    forms = dict.fromkeys((standing_alone(tree.content, place, inherited), standing_alone(tree.content, place, {})))
    return Payload(name=str(inside[0].tag), forms=tuple(forms))


def enveloped(payload: bytes) -> bytes:
    """A SOAP 1.1 envelope around the bytes of one element, which stay as they are."""
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<soapenv:Envelope xmlns:soapenv="%b"><soapenv:Header/><soapenv:Body>'
        % SOAP_11.encode()
        + payload
        + b"</soapenv:Body></soapenv:Envelope>"
    )
