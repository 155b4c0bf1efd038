"""A service that takes calls by Den Gode Webservice: a WSGI application, run here and called with requests."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

import requests

from govfile import GovfileError, sosi
from govfile.sandbox import SosiSandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST = 1024 * 1024


class Service:
    """Answers each caller with what the card says of it. A message that comes again gets the answer it got before."""

    def __init__(self, trust: sosi.StsTrust) -> None:
        self.trust = trust
        self.answers: dict[tuple[str, str], bytes] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        size = min(int(environ.get("CONTENT_LENGTH") or 0), LARGEST)
        status, content_type, body = self.answer(environ["wsgi.input"].read(size))
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    def answer(self, request: bytes) -> tuple[str, str, bytes]:
        try:
            call = sosi.verify_request(request, trust=self.trust)
            self.check_may_call(call)
        except GovfileError as error:
            fault = sosi.DgwsFault.about(error)
            return "500 Internal Server Error", fault.content_type, fault.written()
        caller = call.card.care_provider.id, call.header.message_id
        if caller not in self.answers:
            who = f"<Seen xmlns='urn:example' level='{call.card.level}'>{len(call.unsigned_body)} bytes</Seen>"
            self.answers[caller] = sosi.DgwsReply.to(call, who.encode()).written()
        return "200 OK", call.soap.content_type, self.answers[caller]

    def check_may_call(self, call: sosi.DgwsCall) -> None:
        """What a verified caller may do is for the service to say."""
        if call.card.role != "7170":
            raise sosi.CallRefused("physicians only", fault_code=sosi.FaultCode.NOT_AUTHORIZED)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as the base class calls it
        pass


@contextmanager
def running(application: WSGIApplication) -> Iterator[str]:
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def call(url: str, caller: sosi.DgwsAuth) -> sosi.DgwsReply:
    with requests.post(url, data=b"<Who xmlns='urn:example'/>", auth=caller, timeout=10) as answer:
        return sosi.DgwsReply.read(
            answer.content, content_type=answer.headers["Content-Type"], status=answer.status_code
        )


def main() -> None:
    with (
        SosiSandbox() as authority,
        sosi.SecurityTokenService(authority.environment, authority.credential) as sts,
        running(Service(authority.trust)) as url,
    ):
        physician = sosi.DgwsAuth(sts, sosi.IdCard.user(it_system="Example Lab", role="7170", cpr="0101001234"))

        print("1. A physician calls.")
        print(call(url, physician).accepted().decode())

        print("\n2. The link was lost, says the caller, and sends the same message again.")
        header = sosi.MedcomHeader(priority=sosi.Priority.HURRIED)
        with physician.using(header):
            first, second = call(url, physician), call(url, physician)
        assert first.in_response_to == header.message_id
        assert first.message_id == second.message_id
        print("one answer, given twice")

        print("\n3. Somebody else calls.")
        other = sosi.DgwsAuth(sts, sosi.IdCard.user(it_system="Example Lab", role="secretary", cpr="0101001234"))
        try:
            call(url, other).accepted()
        except GovfileError as refused:
            print(refused)


if __name__ == "__main__":
    main()
