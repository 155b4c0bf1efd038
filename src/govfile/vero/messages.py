"""What is said to the certificate service and what it answers, as values. zeep writes and reads; see `govfile.xml`.

Source: the authority's interface package v1.01 for elements and their order; its documentation, as quoted by published
clients, for the algorithms of the renewal's signature.
"""

from __future__ import annotations

import enum
import functools
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import InvalidContent, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from govfile.certificates.credential import Credential
    from govfile.vero.ids import CustomerId, RetrievalId, TransferCodes
    from govfile.xml.contract import Contract

_LARGEST_REQUEST = 10240
_LARGEST_CERTIFICATE = 32768
#: The schema says 32; a longer one than that would be refused in turn only by the service itself.
_LONGEST_ID = 200


class Operation(enum.Enum):
    """The three operations; the value is what the description calls them."""

    SIGN_NEW = "signNewCertificate"
    RENEW = "renewCertificate"
    GET = "getCertificate"


@attrs.frozen
class ErrorInfo:
    """One reason the service gives: its `code` verbatim (`PKI` and three digits) and its `text`.

    The list of codes is not public, so any may come. The text may repeat what was sent and stays out of the repr.
    """

    code: str
    text: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Answer:
    """A verified answer: whether the service said OK, and its reasons; the RetrievalId or the certificate (DER)."""

    is_ok: bool
    reasons: tuple[ErrorInfo, ...] = ()
    retrieval_id: str | None = None
    certificate: bytes | None = attrs.field(default=None, repr=False)
    unknown: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The reasons' codes, in their order."""
        return tuple(reason.code for reason in self.reasons)


@functools.cache
def contract() -> Contract:
    """The service's description; loaded when the first message is written."""
    from govfile.xml.contract import Contract

    place = files("govfile.vero") / "contract" / "certificate-services.wsdl"
    return Contract(place, binding="CertificateServicesSoap", prefix="cer")


def sign_new(
    element: str, customer: CustomerId, name: str | None, codes: TransferCodes, request: bytes, *, to: Contract
) -> bytes:
    """The request for a new certificate: `request` is the PKCS#10 request in DER form."""
    values = {**_who(element, customer, name), **codes.values(), "CertificateRequest": _checked(request)}
    return to.build(Operation.SIGN_NEW.value, values)


def renew(
    element: str, customer: CustomerId, name: str | None, request: bytes, signed_by: Credential, *, to: Contract
) -> bytes:
    """The request for a successor, signed by the key of the certificate that is still valid.

    Enveloped, RSA with SHA-256, exclusive C14N, the old certificate alone in KeyInfo.
    """
    values = {**_who(element, customer, name), "CertificateRequest": _checked(request)}
    return signed(to.build(Operation.RENEW.value, values), to.request_name(Operation.RENEW.value), signed_by)


def get(element: str, customer: CustomerId, name: str | None, retrieval_id: RetrievalId, *, to: Contract) -> bytes:
    """The request for the certificate of a RetrievalId."""
    return to.build(Operation.GET.value, {**_who(element, customer, name), "RetrievalId": retrieval_id.text})


def signed(document: bytes, root: str, credential: Credential) -> bytes:
    """A document with an enveloped signature as its root's last child; every other byte stays."""
    from govfile.certificates.signer import SignatureAlgorithm
    from govfile.xml.signing import Reference, sign
    from govfile.xml.splicing import Place

    algorithm = SignatureAlgorithm.RSA_SHA256
    return sign(document, credential, [Reference(id="", is_enveloped=True)], Place(path=(root,)), algorithm=algorithm)


def read(operation: Operation, content: bytes, *, of: Contract, is_strict: bool = False) -> Answer:
    """The answer to an operation, from the bytes that were verified; raises `ProtocolError` where it makes no sense."""
    found = of.read(operation.value, content, is_strict=is_strict)
    result = found.values.get("Result")
    status = result.get("Status") if isinstance(result, dict) else None
    if status not in ("OK", "FAIL"):
        raise ProtocolError(f"the answer to {operation.value} says neither OK nor FAIL")
    assert isinstance(result, dict)
    reasons = tuple(_reason(info) for info in result.get("ErrorInfo") or ())
    answer = Answer(is_ok=status == "OK", reasons=reasons, unknown=found.unknown)
    if not answer.is_ok:
        return answer
    if operation is Operation.GET:
        certificate = found.values.get("Certificate")
        if not isinstance(certificate, bytes) or not 0 < len(certificate) <= _LARGEST_CERTIFICATE:
            raise ProtocolError("the service says OK and sends no certificate")
        return attrs.evolve(answer, certificate=certificate)
    retrieval_id = found.values.get("RetrievalId")
    retrieval_id = retrieval_id.strip() if isinstance(retrieval_id, str) else ""
    if not retrieval_id:
        raise ProtocolError("the service says OK and gives no RetrievalId")
    if len(retrieval_id) > _LONGEST_ID or not retrieval_id.isprintable():
        raise ProtocolError("the service says OK and gives a RetrievalId that cannot be one")
    return attrs.evolve(answer, retrieval_id=retrieval_id)


def _who(element: str, customer: CustomerId, name: str | None) -> dict[str, Any]:
    return {"Environment": element, "CustomerId": customer.text, "CustomerName": name}


def _checked(request: bytes) -> bytes:
    if len(request) > _LARGEST_REQUEST:
        raise InvalidContent(f"the certificate request has {len(request)} bytes; the service takes {_LARGEST_REQUEST}")
    if not request.startswith(b"\x30"):
        raise InvalidContent("the certificate request is not in DER form", advice="give DER, not PEM")
    return request


def _reason(info: Mapping[str, Any]) -> ErrorInfo:
    code, text = info.get("ErrorCode"), info.get("ErrorMessage")
    return ErrorInfo(" ".join((code or "").split())[:40], " ".join((text or "").split())[:500])
