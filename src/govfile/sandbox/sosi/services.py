"""Services to call with a card (DGWS) or a token (IDWS): both check the call themselves and echo its body."""

from __future__ import annotations

import logging
import threading
import uuid
from collections import deque
from typing import TYPE_CHECKING

import attrs
from lxml import etree

from govfile.sandbox.sosi import calls, cards, names, times
from govfile.sandbox.sosi.building import element, leaf, with_attributes
from govfile.sandbox.sosi.calls import CallRefused, DgwsCall, IdwsCall
from govfile.sandbox.sosi.names import NS
from govfile.sandbox.web import Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.sandbox.sosi.faults import Faults
    from govfile.sandbox.sosi.settings import Settings
    from govfile.sandbox.web import Request

_SOAP_TYPES = {NS["soap"]: "text/xml; charset=utf-8", names.SOAP12: "application/soap+xml; charset=utf-8"}
_REMEMBERED = 1000
_log = logging.getLogger("govfile.sandbox")


@attrs.frozen(kw_only=True)
class Called:
    """One call and what became of it. `card_id` or `assertion_id` say by what; `refusal` is None when it was good."""

    service: str
    request: bytes = attrs.field(repr=False)
    response: bytes = attrs.field(repr=False)
    card_id: str = ""
    assertion_id: str = ""
    message_id: str = ""
    is_replayed: bool = False
    refusal: CallRefused | None = None


class Services:
    """The two services. Calls are judged anew each time, except that DGWS repeats its reply to a repeated message."""

    def __init__(self, *, settings: Settings, faults: Faults, clock: Callable[[], datetime]) -> None:
        self.called: deque[Called] = deque(maxlen=1000)
        self._settings = settings
        self._faults = faults
        self._clock = clock
        self._replies: dict[str, Response] = {}
        self._lock = threading.Lock()

    # --- DGWS

    def dgws(self, request: Request) -> Response:
        """Judge a call with an ID card, and echo its body."""
        at = self._now("dgws")
        if request.method != "POST":
            refusal = CallRefused("illegal_HTTP_method", "POST only")
            return self._dgws_fault(request, refusal, NS["soap"], "", times.utc(at))
        soap, message_id, created = NS["soap"], "", times.utc(at)
        try:
            root = calls.envelope(request.body)
            soap = etree.QName(root).namespace or soap
            message_id, created = calls.message_id(root, soap), times.for_card(at, cards.version_said(root))
            call = calls.dgws(root, soap, self._settings, at)
        except CallRefused as refusal:
            return self._dgws_fault(request, refusal, soap, message_id, created)
        with self._lock:
            earlier = self._replies.get(call.message_id) if self._settings.repeats_replies else None
        response = earlier or self._echoed(call, soap, created)
        with self._lock:
            self._replies[call.message_id] = response
            while len(self._replies) > _REMEMBERED:
                self._replies.pop(next(iter(self._replies)))
        self.called.append(
            Called(
                service="dgws",
                request=request.body,
                response=response.body,
                card_id=call.card.card_id,
                message_id=call.message_id,
                is_replayed=earlier is not None,
            )
        )
        return response

    def _echoed(self, call: DgwsCall, soap: str, created: str) -> Response:
        header = _security(created) + _medcom(call.message_id, call.flow_id, status="flow_finalized_succesfully")
        return _response(_written(soap, header, call.body), soap)

    def _dgws_fault(self, request: Request, refusal: CallRefused, soap: str, message_id: str, created: str) -> Response:
        _log.debug("dgws refused: %s", refusal)
        detail = element("detail", leaf("medcom:FaultCode", refusal.code))
        header = _security(created) + _medcom(message_id, "")
        response = _response(_written(soap, header, _fault(soap, "Server", refusal.words, detail)), soap, status=500)
        self.called.append(
            Called(
                service="dgws",
                request=request.body,
                response=response.body,
                message_id=message_id,
                refusal=refusal,
            )
        )
        return response

    # --- IDWS

    def idws(self, request: Request) -> Response:
        """Judge a call with a token whose key signed it, and echo its body."""
        at = self._now("idws")
        if request.method != "POST":
            return Response(status=405, body=b"POST only\n", content_type="text/plain", headers={"Allow": "POST"})
        soap, call, refusal = NS["soap"], None, None
        try:
            root = calls.envelope(request.body)
            soap = etree.QName(root).namespace or soap
            call = calls.idws(root, soap, self._settings, at)
        except CallRefused as error:
            refusal = error
        if call is None:
            assert refusal is not None
            _log.debug("idws refused: %s", refusal)
            body, status = _fault(soap, f"wsse:{refusal.code}", refusal.words, ""), 500
        else:
            body, status = call.body, 200
        response = _response(_written(soap, _addressed(call, at), body), soap, status=status)
        self.called.append(
            Called(
                service="idws",
                request=request.body,
                response=response.body,
                assertion_id=call.assertion_id if call else "",
                message_id=call.message_id if call else "",
                refusal=refusal,
            )
        )
        return response

    def _now(self, service: str) -> datetime:
        return self._clock() + self._faults.for_service(service).date_off


def _written(soap: str, header: str, body: str) -> str:
    used = ("ds", "medcom", "wsa", "wsse", "wsu")
    declared = {"xmlns:soap": soap, **{f"xmlns:{prefix}": NS[prefix] for prefix in used}}
    return with_attributes("soap:Envelope", declared, element("soap:Header", header), element("soap:Body", body))


def _response(envelope: str, soap: str, *, status: int = 200) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>{envelope}'.encode()
    return Response(status=status, body=body, content_type=_SOAP_TYPES[soap])


def _security(created: str) -> str:
    return element("wsse:Security", element("wsu:Timestamp", leaf("wsu:Created", created)))


def _medcom(answers: str, flow_id: str, status: str = "") -> str:
    linking = element(
        "medcom:Linking",
        leaf("medcom:FlowID", flow_id) if flow_id else "",
        leaf("medcom:MessageID", str(uuid.uuid4())),
        leaf("medcom:InResponseToMessageID", answers) if answers else "",
    )
    state = leaf("medcom:FlowStatus", status) if status else ""
    return element("medcom:Header", leaf("medcom:SecurityLevel", "1"), linking, state)


def _addressed(call: IdwsCall | None, at: datetime) -> str:
    relation = leaf("wsa:RelatesTo", call.message_id) if call else ""
    action = f"{call.action}Response" if call else NS["wsa"] + "/fault"
    return (
        leaf("wsa:Action", action)
        + leaf("wsa:MessageID", f"urn:uuid:{uuid.uuid4()}")
        + relation
        + _security(times.utc(at))
    )


def _fault(soap: str, code: str, words: str, detail: str) -> str:
    if soap == NS["soap"]:
        named = code if ":" in code else f"soap:{code}"
        return element("soap:Fault", leaf("faultcode", named), leaf("faultstring", words), detail)
    reason = with_attributes("soap:Text", {"xml:lang": "en"}, words)
    inner = detail.replace("<detail>", "<soap:Detail>").replace("</detail>", "</soap:Detail>")
    wanted = "soap:Receiver" if code == "Server" else "soap:Sender"
    subcode = "" if code == "Server" else element("soap:Subcode", leaf("soap:Value", code))
    return element(
        "soap:Fault", element("soap:Code", leaf("soap:Value", wanted), subcode), element("soap:Reason", reason), inner
    )
