"""The service descriptions of the two echo services, for libraries that want one."""

from __future__ import annotations

from govfile.sandbox.sosi.building import declare, element, with_attributes

_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
NAMESPACE = "urn:govfile:sandbox:echo"
ACTION = f"{NAMESPACE}#Echo"


def describe(address: str) -> bytes:
    """A WSDL 1.1 document for the service at `address`: one operation, `Echo`, that gives back its `Text`."""
    text = element("xs:element", name="Text", type="xs:string")
    echo = element("xs:element", element("xs:complexType", element("xs:sequence", text)), name="Echo")
    schema = element("xs:schema", echo, targetNamespace=NAMESPACE, elementFormDefault="qualified")
    message = element("w:message", element("w:part", name="body", element="tns:Echo"), name="EchoMessage")
    both = [element(f"w:{way}", message="tns:EchoMessage") for way in ("input", "output")]
    body = element("s:body", use="literal")
    bound = [element(f"w:{way}", body) for way in ("input", "output")]
    operation = element("s:operation", soapAction=ACTION, style="document")
    binding = element(
        "w:binding",
        element("s:binding", transport="http://schemas.xmlsoap.org/soap/http", style="document"),
        element("w:operation", operation, *bound, name="Echo"),
        name="EchoBinding",
        type="tns:EchoPort",
    )
    port = element("w:port", element("s:address", location=address), name="Echo", binding="tns:EchoBinding")
    declared = {"xmlns:w": _WSDL, "xmlns:s": _SOAP, "xmlns:tns": NAMESPACE, "targetNamespace": NAMESPACE}
    return with_attributes(
        "w:definitions",
        declared | declare(["xs"]),
        element("w:types", schema),
        message,
        element("w:portType", element("w:operation", *both, name="Echo"), name="EchoPort"),
        binding,
        element("w:service", port, name="EchoService"),
    ).encode()
