"""Taking apart an envelope that another library built, so that its content goes into one of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidContent, ProtocolError
from govfile.sosi.services.dgws import Soap, soap_of
from govfile.xml.unsigned import read_unsigned

if TYPE_CHECKING:
    from collections.abc import Collection


@attrs.frozen(kw_only=True)
class Parts:
    """What stood in an envelope: its version, its headers and the one element of its body, each able to stand alone."""

    soap: Soap
    headers: tuple[bytes, ...] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


def taken_apart(
    message: bytes, *, refused: Collection[str] = (), left_out: Collection[str] = (), what: str = "the plug-in"
) -> Parts:
    """The parts of a SOAP envelope; `message` may also be the body's element alone.

    Headers are named `{namespace}local`, or by their namespace alone: those `left_out` are dropped, one of those
    `refused` raises `InvalidContent`, since `what` writes it itself.
    """
    soap = soap_of(message)
    envelope, header, body = (f"{{{soap.value}}}{name}" for name in ("Envelope", "Header", "Body"))
    try:
        root = read_unsigned(message, what="the message to send", free=(envelope, body))
    except ProtocolError as error:
        raise InvalidContent(error.what, advice="give one element, or a SOAP envelope, in UTF-8") from error
    if root.name != envelope:
        return Parts(soap=Soap.V1_1, headers=(), body=root.original)
    kept = [found for found in root.at(header) for found in found.children if not _is_among(found.name, left_out)]
    for found in kept:
        if _is_among(found.name, refused):
            raise InvalidContent(
                f"the message has a header {found.name.rpartition('}')[2]} already", advice=f"leave it to {what}"
            )
    bodies = root.at(body)
    children = [child for found in bodies for child in found.children]
    if len(bodies) != 1 or len(children) > 1 or bodies[0].has_text:
        raise InvalidContent("the message does not have one body with one element, or nothing, in it")
    return Parts(
        soap=soap,
        headers=tuple(found.original for found in kept),
        body=children[0].original if children else b"",
    )


def _is_among(name: str, names: Collection[str]) -> bool:
    return name in names or name[1:].partition("}")[0] in names
