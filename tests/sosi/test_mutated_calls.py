"""Calls and answers with bytes changed, taken out, and put in at random: refused by name, or what was signed stands."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING

import pytest

from govfile.errors import GovfileError
from govfile.sosi.cards import verify_card
from govfile.sosi.services.dgws import dgws_request
from govfile.sosi.services.envelopes import taken_apart
from govfile.sosi.services.provider import verify_request
from govfile.sosi.services.reply import DgwsFault, DgwsReply
from support import fake_sts
from support.dgws_world import BODY, card
from support.xml_messages import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECES = [
    *(b"<", b">", b'"', b"&", b"\0", b"\xff", b"<!---->", b"<![CDATA[", b"]]>", b"<?x ", b"?>", b'xmlns=""'),
    *(b'id="IDCard"', b'xmlns:soap="urn:x"', b"<soap:Body>", b"</soap:Body>", b"<!DOCTYPE a>"),
    card().xml,
    card(number=2).xml,
]


def mutants(document: bytes, count: int) -> Iterator[bytes]:
    """`count` documents that differ from it in one to three places, the same ones each time."""
    chance = random.Random(len(document))
    for _ in range(count):
        changed = bytearray(document)
        for _ in range(chance.randint(1, 3)):
            start = chance.randrange(len(changed) or 1)
            end = min(len(changed), start + chance.randint(1, 200))
            kind = chance.randrange(4)
            if kind == 0:
                changed[start : start + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                del changed[start:end]
            elif kind == 2:
                changed[start:start] = changed[chance.randrange(len(changed) or 1) :][: chance.randint(1, 300)]
            else:
                changed[start:start] = chance.choice(PIECES)
        yield bytes(changed)


def test_a_mutated_call_is_refused_or_its_card_is_the_genuine_one() -> None:
    accepted = 0
    for request in mutants(dgws_request(card(), body=BODY, at=NOW), 1000):
        call = None
        with contextlib.suppress(GovfileError):
            call = verify_request(request, trust=fake_sts.trust(), at=NOW)
        if call is not None:
            accepted += 1
            alone = verify_card(call.card.xml, trust=fake_sts.trust(), at=NOW)
            assert (alone.id, alone.role, alone.cpr) == (card().id, "7170", fake_sts.CPR)
    assert accepted


DOCUMENTS = {
    "answer": DgwsReply(body=BODY, message_id="m-2", in_response_to="m-1").written(NOW),
    "fault": DgwsFault(code="expired_idcard", text="no", in_response_to="m-1").written(NOW),
    "message": b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    + BODY
    + b"</e:Body></e:Envelope>",
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_other_mutants_raise_nothing_but_our_errors(what: str) -> None:
    for document in mutants(DOCUMENTS[what], 1000):
        with contextlib.suppress(GovfileError):
            if what == "message":
                taken_apart(document)
            else:
                DgwsReply.read(document, status=500 if what == "fault" else 200).accepted("m-1")
