"""The web side: which path is which service, and what HTTP does to an answer."""

from __future__ import annotations

import base64
import re
import uuid
from typing import TYPE_CHECKING

from govfile.sandbox.sosi.names import SOAP12
from govfile.sandbox.web import Response, WebServer
from govfile.sandbox.web_tls import Tls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from govfile.sandbox.sosi.faults import Faults
    from govfile.sandbox.sosi.settings import Settings
    from govfile.sandbox.web import Request

#: Of a request's path: the name of its service (by the request), and what answers it.
Route = tuple["Callable[[Request], str]", "Callable[[Request], Response]"]

_PAGE = (
    b"<!DOCTYPE html><html><head><title>Service unavailable</title></head>"
    b"<body><h1>Service unavailable</h1><p>Please try again later.<br></body></html>"
)
_XOP = "http://www.w3.org/2004/08/xop/include"
_CERTIFICATE = re.compile(rb"<ds:X509Certificate>([^<]*)</ds:X509Certificate>")
_SOAP11 = b"http://schemas.xmlsoap.org/soap/envelope/"


class Door(WebServer):
    """HTTP(S) on loopback; paths are compared without case, since clients differ in it."""

    def __init__(
        self, routes: Mapping[str, Route], *, settings: Settings, faults: Faults, clock: Callable[[], datetime]
    ) -> None:
        self._routes = {path.lower(): route for path, route in routes.items()}
        self._faults = faults
        self._clock = clock
        super().__init__(self._handle, tls=Tls() if settings.tls else None, port=settings.port, clock=clock)

    def _handle(self, request: Request) -> Response | None:
        route = self._routes.get(request.path.lower())
        if route is None:
            return Response(status=404, body=b"no such service\n", content_type="text/plain")
        namer, answer = route
        name = namer(request)
        if request.method != "POST" and name not in ("dgws", "idws"):  # which answer this themselves
            return Response(status=405, body=b"POST only\n", content_type="text/plain", headers={"Allow": "POST"})
        faults = self._faults.for_service(name)
        if faults.drop_before:
            return None
        response = answer(request)
        return None if faults.drop_after else self._broken(response, faults)

    def _broken(self, response: Response, faults: Faults) -> Response:
        """The answer as the faults leave it."""
        body, content_type, headers = response.body, response.content_type, dict(response.headers)
        if faults.page:
            body, content_type = _PAGE, "text/html; charset=utf-8"
        if faults.empty:
            body = b""
        if faults.soap12:
            body, content_type = body.replace(_SOAP11, SOAP12.encode()), "application/soap+xml; charset=utf-8"
        if faults.doctype:
            declaration, mark, rest = body.partition(b"?>")
            body = declaration + mark + b'<!DOCTYPE a [<!ENTITY b "c">]>' + rest
        if faults.mtom:
            body, content_type = _multipart(body, optimised=faults.optimised)
        if faults.redirect is not None:
            headers["Location"] = faults.redirect
        if faults.retry_after is not None:
            headers["Retry-After"] = str(faults.retry_after)
        return Response(
            status=faults.status or (307 if faults.redirect else response.status),
            body=body,
            content_type=content_type if faults.content_type is None else faults.content_type,
            headers=headers,
            date=self._clock() + faults.date_off if faults.date_off else None,
            delay=faults.delay,
            piece=faults.piece,
            pause=faults.pause,
            cut_after=faults.cut_after,
            filler=faults.flood,
        )


def _multipart(body: bytes, *, optimised: bool) -> tuple[bytes, str]:
    """The envelope as the root of an MTOM package, as some services answer a plain request."""
    boundary = f"uuid:{uuid.uuid4()}"
    found = _CERTIFICATE.search(body) if optimised else None
    parts = [("root.message@sandbox", 'application/xop+xml; charset=utf-8; type="text/xml"', body)]
    if found is not None:
        include = f'<xop:Include xmlns:xop="{_XOP}" href="cid:certificate@sandbox"/>'.encode()
        root = body[: found.start(1)] + include + body[found.end(1) :]
        parts = [(*parts[0][:2], root)]
        parts.append(("certificate@sandbox", "application/octet-stream", base64.b64decode(found[1])))
    written = b"".join(
        f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: <{name}>\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, kind, content in parts
    )
    content_type = (
        f'multipart/related; type="application/xop+xml"; boundary="{boundary}"; '
        'start="<root.message@sandbox>"; start-info="text/xml"'
    )
    return written + f"--{boundary}--\r\n".encode(), content_type
