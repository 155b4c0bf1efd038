"""A small world of calls to services: cards the STS signed, a service as a WSGI application, no socket."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs
import requests
from requests.adapters import BaseAdapter

from govfile.errors import GovfileError
from govfile.sosi.card import IdCard
from govfile.sosi.cards import build, read_card
from govfile.sosi.services.dgws import Soap
from govfile.sosi.services.provider import verify_request
from govfile.sosi.services.reply import DgwsFault, DgwsReply
from support import fake_sts
from support.xml_messages import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.sosi.services.provider import DgwsCall
    from govfile.sosi.signed_card import SignedCard

BODY = b"<Ping xmlns='urn:example'><word>h\xc3\xa6j &amp; hej</word></Ping>"
ADDRESS = "https://service.test/ping"


@cache
def card(*, number: int = 1, role: str = "7170", at: datetime = NOW) -> SignedCard:
    """A user's card that the STS signed; `number` tells cards apart."""
    wanted = IdCard.user(it_system="Example Lab", role=role, cpr=fake_sts.CPR, given_name="Test", surname="Person")
    ours = build(attrs.evolve(wanted, id=f"card-{number}"), fake_sts.employee(), at=at)
    return read_card(fake_sts.signed_card(ours.xml))


@cache
def system_card() -> SignedCard:
    """A system's card that the STS signed."""
    ours = build(IdCard.system(it_system="Example Lab"), fake_sts.system(), at=NOW)
    return read_card(fake_sts.signed_card(ours.xml))


@attrs.define(kw_only=True)
class Service:
    """A WSGI application that answers `Pong`, but for what stands in `instead`: (status, type, body) or an error to
    answer the next calls with. `seen` are the bytes of the requests, `calls` those accepted.
    """

    trust: Any = attrs.field(factory=fake_sts.trust)
    clock: Callable[[], datetime] = lambda: NOW
    instead: list[Any] = attrs.field(factory=list)
    seen: list[bytes] = attrs.field(factory=list)
    headers: list[dict[str, str]] = attrs.field(factory=list)
    calls: list[DgwsCall] = attrs.field(factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Any:
        request = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.seen.append(request)
        self.headers.append({name: value for name, value in environ.items() if isinstance(value, str)})
        status, content_type, body = self.answer(request)
        start_response(f"{status} Whatever", [("Content-Type", content_type), ("Location", "https://elsewhere.test/")])
        return [body]

    def answer(self, request: bytes) -> tuple[int, str, bytes]:
        """Status, Content-Type, body."""
        call = None
        try:
            if self.instead:
                first = self.instead.pop(0)
                if isinstance(first, Exception):
                    raise first
                return first  # type: ignore[no-any-return]
            call = verify_request(request, trust=self.trust, at=self.clock())
        except GovfileError as error:
            fault = DgwsFault.about(error, call, soap=Soap.V1_1)
            return 500, fault.content_type, fault.written(self.clock())
        self.calls.append(call)
        return 200, call.soap.content_type, self.reply(call).written(self.clock())

    def reply(self, call: DgwsCall) -> DgwsReply:
        """What is answered to a call."""
        return DgwsReply.to(call, b'<Pong xmlns="urn:example"><word>hej</word></Pong>')


class Wsgi(BaseAdapter):
    """Hands a request of the library requests to a WSGI application; no socket is opened."""

    def __init__(self, application: Any) -> None:
        super().__init__()
        self.application = application

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        body = request.body if isinstance(request.body, bytes) else b""
        environ = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": urlsplit(request.url or "").path,
            "CONTENT_LENGTH": request.headers.get("Content-Length", "0"),
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "SOAPACTION": request.headers.get("SOAPAction", ""),
            "wsgi.input": io.BytesIO(body),
        }
        answer = requests.Response()

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            answer.status_code = int(status.partition(" ")[0])
            answer.headers.update(dict(headers))

        content = b"".join(self.application(environ, start_response))
        answer.raw = io.BytesIO(content)
        answer.request, answer.url = request, request.url or ""
        answer.connection = self  # type: ignore[assignment]
        return answer

    def close(self) -> None:
        """Nothing is open."""


def session(application: Any) -> requests.Session:
    """A session in which every address is that application."""
    found = requests.Session()
    found.trust_env = False
    found.mount("https://", Wsgi(application))
    return found
