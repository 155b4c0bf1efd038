"""xmlsec1, which knows nothing of us, finds the card good wherever a call carries it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from govfile.sosi.services.dgws import Soap, dgws_request
from govfile.sosi.services.zeep_plugins import DgwsPlugin
from support import fake_sts
from support.dgws_world import BODY, Service, card, session
from support.sosi_caller import verified
from support.xml_messages import NOW

ZEEP: Any = importlib.import_module("zeep")
TRANSPORT: Any = importlib.import_module("zeep.transports").Transport
HISTORY: Any = importlib.import_module("zeep.plugins").HistoryPlugin

WSDL = str(Path(__file__).parent.parent / "support" / "ping.wsdl")
SIGNATURE = "//*[local-name()='Assertion']/*[local-name()='Signature']"


def is_good(document: bytes) -> bool:
    return verified(document, fake_sts.signer().certificate.public_bytes(Encoding.PEM), at=SIGNATURE)


@pytest.mark.parametrize("soap", Soap)
def test_in_an_envelope_of_ours(soap: Soap) -> None:
    request = dgws_request(card(), body=BODY, soap=soap, at=NOW)
    assert is_good(request)
    assert not is_good(request.replace(b">7170<", b">5166<"))


def test_in_what_zeep_sends_and_in_what_it_would_write_itself() -> None:
    service, history = Service(), HISTORY()
    with session(service) as opened:
        plugins = [DgwsPlugin(None, card(), clock=lambda: NOW), history]
        ZEEP.Client(WSDL, transport=TRANSPORT(session=opened), plugins=plugins).service.Ping(word="hej")
    (sent,) = service.seen
    rewritten = etree.tostring(history.last_sent["envelope"])
    assert sent != rewritten
    assert is_good(sent)
    assert is_good(rewritten)
