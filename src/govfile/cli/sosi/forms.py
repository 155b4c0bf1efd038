"""What a file holds: a card, an assertion, or a call with one of them in it. Looked at only, nothing is believed."""

from __future__ import annotations

import enum

from govfile.errors import InvalidContent, ProtocolError


class Form(enum.Enum):
    """What can be looked at and verified."""

    CARD = "ID card"
    ASSERTION = "assertion"
    ENCRYPTED = "encrypted assertion"
    DGWS_CALL = "call with an ID card"
    IDWS_CALL = "call with a token"


def form_of(content: bytes) -> Form:
    """What `content` is; raises `InvalidContent` when it is none of them."""
    from govfile.sosi.assertions import ENCRYPTED_ASSERTION
    from govfile.sosi.constants import ASSERTION, WSSE
    from govfile.sosi.services.dgws import Soap
    from govfile.xml.unsigned import read_unsigned

    body = next((f"{{{soap.value}}}Body" for soap in Soap if soap.value.encode() in content[:4096]), None)
    envelope = "" if body is None else body.replace("}Body", "}Envelope")
    try:
        root = read_unsigned(content, what="the file", free=() if body is None else (envelope, body))
        if root.name == ENCRYPTED_ASSERTION:
            return Form.ENCRYPTED
        if root.name == ASSERTION:
            return Form.CARD if "id" in root.element.attributes else Form.ASSERTION
        path = (envelope.replace("}Envelope", "}Header"), f"{{{WSSE}}}Security", ASSERTION)
        carried = root.at(*path) if root.name == envelope else ()
    except ProtocolError as error:
        raise InvalidContent(error.what, advice=error.advice) from error
    if len(carried) != 1:
        raise InvalidContent(
            "this is no ID card, no assertion, and no call with one of them in its wsse:Security",
            advice="give the card or token itself, or a whole request as it was received",
        )
    return Form.DGWS_CALL if "id" in carried[0].element.attributes else Form.IDWS_CALL
