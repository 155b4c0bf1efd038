"""The message transport without a network, and what an answer says beside its body."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from govfile.errors import ConnectionFailed, CredentialError, OutcomeUnknown
from govfile.transports.base import MessageTransport, Reply, http_date
from govfile.transports.http_hints import clock_note, clock_offset, retry_after
from govfile.transports.memory_messages import MemoryMessages, SentMessage, xml_reply

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def dated(moment: datetime, **headers: str) -> Reply:
    return Reply(status=503, headers={"DATE": moment.strftime("%a, %d %b %Y %H:%M:%S GMT"), **headers})


def test_it_plays_its_answers_in_turn_and_the_last_again() -> None:
    transport = MemoryMessages(b"<a/>", lambda sent: xml_reply(sent.body, 500))
    assert isinstance(transport, MessageTransport)
    replies = [transport.post("/p", body, headers={"SOAPAction": "x"}) for body in (b"1", b"2", b"3")]
    assert [(reply.status, reply.body) for reply in replies] == [(200, b"<a/>"), (500, b"2"), (500, b"3")]
    assert [sent.body for sent in transport.sent] == [b"1", b"2", b"3"]
    assert transport.sent[0].headers == {"soapaction": "x"}
    assert replies[0].media_type == "text/xml"


@pytest.mark.parametrize("error", [ConnectionFailed("no"), CredentialError("no")])
def test_an_error_that_says_that_nothing_left_comes_before_the_intent(error: Exception) -> None:
    transport = MemoryMessages(error)
    with pytest.raises(type(error)):
        transport.post("/p", b"", committing=lambda: pytest.fail("nothing is about to leave"))
    assert transport.sent == []


def test_any_other_error_comes_after_the_intent() -> None:
    lost = OutcomeUnknown("lost", evidence="it left", how_to_resolve="look")
    transport, told = MemoryMessages(lost), list[str]()
    with pytest.raises(OutcomeUnknown):
        transport.post("/p", b"x", committing=lambda: told.append("now"))
    assert told == ["now"]
    assert len(transport.sent) == 1
    transport.then(b"<b/>")
    assert transport.post("/p", b"x").body == b"<b/>"


def test_when_the_intent_cannot_be_recorded_nothing_is_sent() -> None:
    transport = MemoryMessages(b"<a/>")

    def full() -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        transport.post("/p", b"x", committing=full)
    assert transport.sent == []


def test_an_answer_beyond_the_limit_is_an_unknown_outcome() -> None:
    with pytest.raises(OutcomeUnknown, match="more than the 3 bytes"):
        MemoryMessages(b"<a/>").post("/p", b"", limit=3)


def test_neither_requests_nor_replies_show_what_they_hold() -> None:
    sent = SentMessage(path="/p", body=b"hidden", headers={"authorization": "hidden"})
    reply = Reply(status=200, headers={"Set-Cookie": "hidden"}, body=b"hidden")
    assert "hidden" not in repr(sent) + repr(reply)


# --- beside the body --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 01 Jun 2026 12:00:00 GMT", NOW),
        ("Monday, 01-Jun-26 12:00:00 GMT", NOW),
        ("Mon, 01 Jun 2026 14:00:00 +0200", NOW),
        ("", None),
        ("yesterday", None),
        ("Mon, 01 Jun 99999 12:00:00 GMT", None),
        ("Mon, 99 Jun 2026 12:00:00 GMT", None),
    ],
)
def test_dates_of_http_are_read(text: str, moment: datetime | None) -> None:
    assert http_date(text) == moment
    assert Reply(status=200, headers={"Date": text}).date == moment


@pytest.mark.parametrize(
    ("minutes", "says"),
    [
        (10, "this computer's is 10 minutes behind it (2026-06-01 12:00:00 UTC)"),
        (-10, "this computer's is 10 minutes ahead of it"),
        (60 * 24, "24 hours behind"),
        (0.5, ""),
    ],
)
def test_w07_a_clock_that_is_off_is_told_in_words(minutes: float, says: str) -> None:
    note = clock_note(dated(NOW + timedelta(minutes=minutes)), NOW)
    assert says in note
    assert bool(note) is bool(says)


def test_w07_nothing_is_told_where_the_server_does_not_say() -> None:
    assert clock_note(Reply(status=200), NOW) == ""
    assert clock_offset(Reply(status=200), NOW) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("999999999", 300.0),
        ("Mon, 01 Jun 2026 12:01:00 GMT", 60.0),
        ("Mon, 01 Jun 2026 11:00:00 GMT", 0.0),
        ("Mon, 01 Jun 2027 12:00:00 GMT", 300.0),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
    ],
)
def test_w09_the_wait_a_server_asks_for_is_read_and_capped(header: str, seconds: float | None) -> None:
    assert retry_after(Reply(status=429, headers={"Retry-After": header}), NOW) == seconds


def test_w09_no_wait_is_asked_for() -> None:
    assert retry_after(Reply(status=429), NOW) is None
