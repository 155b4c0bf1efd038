"""Many threads call with one plug-in while their card expires: one new card, every message answered, none mixed up."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from lxml import etree

from govfile.sosi.card import IdCard
from govfile.sosi.services.fault_codes import CallRefused, FaultCode
from govfile.sosi.services.reply import DgwsFault, DgwsReply
from govfile.sosi.services.requests_auth import DgwsAuth
from govfile.sosi.services.zeep_plugins import DgwsPlugin
from support import fake_sts
from support.dgws_world import ADDRESS, Service, session

if TYPE_CHECKING:
    from govfile.sosi.services.provider import DgwsCall

zeep: Any = importlib.import_module("zeep")
Transport: Any = importlib.import_module("zeep.transports").Transport

WSDL = str(Path(__file__).parent.parent / "support" / "ping.wsdl")
WANTED = IdCard.user(it_system="Example Lab", role="7170", cpr=fake_sts.CPR)


@attrs.define(kw_only=True)
class Forgetful(Service):
    """Takes no more calls with the first card it saw, and answers each with its own word."""

    spent: str = ""
    refused: int = 0

    def reply(self, call: DgwsCall) -> DgwsReply:
        self.spent = self.spent or call.card.id
        if call.card.id == self.spent:
            self.refused += 1
            raise CallRefused("spent", fault_code=FaultCode.EXPIRED_IDCARD)
        word = etree.fromstring(call.unsigned_body)[0].text
        return DgwsReply.to(call, f'<Pong xmlns="urn:example"><word>{word}</word></Pong>'.encode())

    def answer(self, request: bytes) -> tuple[int, str, bytes]:
        try:
            return super().answer(request)
        except CallRefused as error:
            fault = DgwsFault.about(error)
            return 500, fault.content_type, fault.written(self.clock())


def test_t12_threads_with_zeep() -> None:
    sts, service = fake_sts.FakeSts(), Forgetful()
    with session(service) as opened:
        plugin = DgwsPlugin(sts.client(), WANTED)
        ping = zeep.Client(WSDL, transport=Transport(session=opened), plugins=[plugin]).service.Ping
        with ThreadPoolExecutor(16) as pool:
            words = list(pool.map(lambda number: ping(word=str(number)), range(40)))
    assert words == [str(number) for number in range(40)]
    assert len(sts.asked) == 2
    assert 1 <= service.refused <= 16


def test_t12_threads_with_requests() -> None:
    sts, service = fake_sts.FakeSts(), Forgetful()
    auth = DgwsAuth(sts.client(), WANTED)

    def call(number: int) -> str | None:
        with session(service) as opened:
            answer = opened.post(ADDRESS, f"<Ping xmlns='urn:example'><word>{number}</word></Ping>", auth=auth)
            return etree.fromstring(DgwsReply.read(answer.content, status=answer.status_code).accepted())[0].text

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(call, range(40))) == [str(number) for number in range(40)]
    assert len(sts.asked) == 2
