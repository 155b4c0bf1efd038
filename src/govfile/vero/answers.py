"""From an HTTP answer to values that are believed: the signature first, then nothing but the verified copy.

The authority signs its message before it puts the envelope around it, by inclusive or exclusive C14N. So the message
is cut out of the envelope, in the forms it may have had, and one of these must verify.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.errors import ProtocolError, Rejected, TrustError
from govfile.xml.parse import blot

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.certificates.trust import Trust
    from govfile.transports.base import Reply
    from govfile.vero.application import Kept
    from govfile.xml.contract import Contract
    from govfile.xml.policy import Policy
    from govfile.xml.soap import SoapFault

#: Answers beyond this size (bytes) are not read.
LIMIT = 1024 * 1024


_CONTENT_TYPE = "text/xml; charset=utf-8"


def headers(action: str) -> dict[str, str]:
    """The HTTP headers of a SOAP 1.1 request."""
    return {"Content-Type": _CONTENT_TYPE, "SOAPAction": f'"{action}"'}


def content_of(
    contract: Contract, operation: str, answer: Reply | Kept, *, trust: Trust, at: datetime, limit: int = LIMIT
) -> bytes:
    """The verified message of an HTTP answer to an operation; see `verified`.

    Raises `Rejected` for a SOAP fault, which nobody signs.
    """
    from govfile.xml.parse import Limits
    from govfile.xml.soap import read_soap

    soap = read_soap(answer.body, content_type=answer.content_type, status=answer.status, limits=Limits(size=limit))
    if soap.fault is not None:
        raise _refused(soap.fault, operation)
    return verified(soap.xml, contract.answer_name(operation), trust=trust, at=at, limit=limit)


def _refused(fault: SoapFault, operation: str) -> Rejected:
    text = blot(fault.text)
    return Rejected(
        f"the service answered {operation} with the SOAP fault {fault.code[:60]}",
        code=fault.code,
        text=text,
        reasons=((fault.code, text),),
        certain="nobody signs a fault, so it proves nothing",
        advice="look at the code; where it says nothing, ask the authority's support",
    )


def verified(envelope: bytes, name: str, *, trust: Trust, at: datetime, limit: int = LIMIT) -> bytes:
    """The message in an envelope, as its verified canonical bytes without the signature.

    `name` is its `{namespace}local` name, `trust` the authorities right above its signer, `at` the time (aware).
    Raises `ProtocolError` for another message, `TrustError` when the signature does not hold or the signer is not one
    of the authority's for this environment.
    """
    from govfile.xml.parse import Limits, parse
    from govfile.xml.payload import payload_of
    from govfile.xml.verifying import verify

    payload = payload_of(envelope, limits=Limits(size=limit))
    if payload.name != name:
        expected = name.rpartition("}")[2]
        raise ProtocolError(f"the service answered with {payload.name.rpartition('}')[2][:60]}, not with {expected}")
    root = parse(payload.forms[0], limits=Limits(size=limit), what="the answer")
    if not root.children or root.children[-1].name != "Signature":
        raise TrustError("the answer does not end in a signature")
    policy = _policy(name, trust, limit)
    refused: TrustError | None = None
    for form in payload.forms:
        try:
            return verify(form, policy, at=at).parts[0].content
        except TrustError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _policy(name: str, trust: Trust, limit: int) -> Policy:
    from govfile.certificates.signer import SignatureAlgorithm
    from govfile.xml.algorithms import Canonicalization, Digest
    from govfile.xml.parse import Limits
    from govfile.xml.policy import Policy, Signers

    return Policy.enveloped(
        (name,),
        Signers(trust=trust),
        algorithms=frozenset({SignatureAlgorithm.RSA_SHA256}),
        digests=frozenset({Digest.SHA256}),
        canonicalizations=frozenset({Canonicalization.INCLUSIVE, Canonicalization.EXCLUSIVE}),
        limits=Limits(size=limit),
    )
