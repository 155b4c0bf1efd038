"""When the token service says no, or something that is no answer: errors with its code, and nobody's data in them."""

from __future__ import annotations

import logging
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from govfile.errors import (
    ConnectionFailed,
    GovfileError,
    OutcomeUnknown,
    Phase,
    ProtocolError,
    Rejected,
    Retry,
    TlsFailed,
    TransportError,
)
from govfile.sosi.card import IdCard
from govfile.sosi.faults import FAULTS, redacted
from govfile.transports.base import Reply
from support.fake_sts import CPR, FakeSts, fault
from support.xml_messages import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

CARD = IdCard.user(it_system="Example Lab", role="7170", cpr=CPR, given_name="Test", surname="Person")
ACTORS = "dk:sosi:sts:"

#: Code, actor, what the service writes, and a piece of the advice that the table has for it.
WORDED = [
    (
        "FailedAuthentication",
        f"{ACTORS}cvrridcpr",
        "Authentication failed: cvrrid-cpr mismatch [CVR:20301823-RID:25351738,0101001234]",
        "leave it out",
    ),
    (
        "FailedAuthentication",
        f"{ACTORS}cvrridcpr",
        "Authentication failed: illegal cvrrid [CVR:20301823-RID:25351738]",
        "unknown to the register",
    ),
    ("RequestFailed", f"{ACTORS}cvrridcpr", "The specified request failed: cvrrid-cpr lookup failed [x]", "try again"),
    ("FailedAuthentication", f"{ACTORS}autorisation", "Authentication failed: missing authorization", "mend them"),
    (
        "FailedAuthentication",
        f"{ACTORS}autorisation",
        "Authentication failed: authorization not found (available [8B7X2,004PT])",
        "is not this person's",
    ),
    (
        "FailedAuthentication",
        f"{ACTORS}autorisation",
        "Authentication failed: multiple authorizations found ([8B7X2, 004PT])",
        "authorisation_code=",
    ),
    (
        "FailedAuthentication",
        f"{ACTORS}autorisation",
        "Authentication failed: multiple national roles found (SundAssistR1, SundAssistR2)",
        "role=",
    ),
    ("FailedAuthentication", f"{ACTORS}autorisation", "invalid role supplied (Chef)", "list of national roles"),
    (
        "FailedAuthentication",
        f"{ACTORS}autorisation",
        "user does not have the requested role (SundAssistR2)",
        "have the role given",
    ),
    ("InvalidRequest", f"{ACTORS}its", "CPR claim missing", "cpr="),
    ("InvalidRequest", f"{ACTORS}bst2sosi", "CPR claim missing", "cpr="),
    ("InvalidRequest", f"{ACTORS}its", "CPR/PID mismatch", "not the person"),
    ("InvalidRequest", f"{ACTORS}its", "OnBehalfOf claim must not be empty", "on_behalf_of"),
    ("InvalidRequest", "anybody", "Unable to validate envelope signature", "wrote the message anew"),
    (
        "RequestFailed",
        f"{ACTORS}its",
        "BST2IDWS assertion has an invalid audience. Actual audience: https://a, Allowed audience: https://b",
        "another service",
    ),
    ("RequestFailed", f"{ACTORS}bst2sosi", "BST2SOSI assertion does not have allowed audience https://a", "another"),
    ("RequestFailed", f"{ACTORS}bst2sosi", "contains an invalid basic privilege profile", "tell its issuer"),
    ("RequestFailed", f"{ACTORS}bst2sosi", "Could not find userData for input CPR.", "local identity provider"),
    (
        "InvalidRequest",
        f"{ACTORS}bst2sosi",
        "Only one of UserAuthorizationCode or UserRole is allowed in request",
        "not both",
    ),
    ("InvalidRequest", f"{ACTORS}nbo", "IT System must be specified", "it_system="),
    (
        "FailedAuthentication",
        "http://sosi.dk/sts",
        "Authentication failed: Token in request signed by untrusted party",
        "same environment",
    ),
    ("AuthenticationBadElements", "", "Insufficient Digest Elements", "wrote its XML anew"),
    ("ExpiredData", "", "The request data is out-of-date", "clock"),
]


def refused(*replies: Exception | Reply, sts: FakeSts | None = None, **changes: Any) -> GovfileError:
    fake = sts or FakeSts()
    fake.instead = list(replies)
    with pytest.raises(GovfileError) as caught:
        fake.client(**changes).issue(CARD)
    return caught.value


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(("code", "actor", "text", "advice"), WORDED)
def test_w02_t11_each_known_fault_keeps_its_code_and_gets_advice(
    code: str, actor: str, text: str, advice: str, status: int
) -> None:
    error = refused(fault(code, actor, text, status=status), attempts=1)
    assert isinstance(error, Rejected)
    assert (error.code, error.actor, error.known) == (code, actor, True)
    assert advice in error.advice
    assert (error.operation, error.endpoint, error.phase) == ("issue", "sts.test:8443", Phase.CONFIRM)
    for personal in (CPR, "25351738", "8B7X2", "004PT", "SundAssist", "Chef"):
        assert personal not in f"{error!s} {error!r} {error.text} {vars(error)}"


def test_every_row_of_the_table_is_met_by_a_worded_fault() -> None:
    met = {next(row for row in FAULTS if row.fits(code, actor, text)) for code, actor, text, _ in WORDED}
    assert {row.code for row in set(FAULTS) - met} == {"InvalidSecurityToken", "InvalidTimeRange"}


def test_w02_an_unknown_code_is_kept_verbatim() -> None:
    error = refused(fault("SomethingNew", "dk:sosi:sts:new", "Nobody knows"))
    assert isinstance(error, Rejected)
    assert (error.code, error.actor, error.text, error.known) == (
        "SomethingNew",
        "dk:sosi:sts:new",
        "Nobody knows",
        False,
    )
    assert error.retry is Retry.NEVER


def test_g02_code_and_actor_of_anybody_are_shown_without_persons_controls_and_end() -> None:
    error = refused(fault(f"No{CPR}", f"urn:010100-1234&#x9b;31m{'x' * 5000}", "no"))
    assert isinstance(error, Rejected)
    assert (error.code, error.actor[:19]) == ("No**********", "urn:********** 31mx")
    assert len(str(error)) < 1000
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a [1,2] b", "a […] b"),
        ("roles ([A1234, B5678], (x)) end", "roles […] end"),
        ("cut off [0101001234, 8B7X2", "cut off […]"),
        ("cpr 0101001234 and 010100-1234", "cpr ********** and **********"),
        ("cpr 010100 1234 and 010100\n1234", "cpr ********** and **********"),
        ("code 8B7X2 of OCES3", "code ***** of OCES3"),
        ("CVR:20301823-RID:25351738+x", "CVR:20301823-RID:***+x"),
        (
            "urn:dk:healthcare:national-federation-role:code:41002:value:X",
            "urn:dk:healthcare:national-federation-role:…",
        ),
        ("two\r\nlines\x1b[31m", "two lines […]"),
        ("", ""),
    ],
)
def test_texts_lose_what_is_personal(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_a_text_without_end_is_cut() -> None:
    assert len(redacted("word " * 1000)) <= 401


@pytest.mark.parametrize("text", ["[" * 50_000, "(" * 50_000 + ")" * 50_000, "[(" * 20_000])
def test_a_hostile_text_does_not_hold_us_up(text: str) -> None:
    assert len(redacted(text)) <= 401


@pytest.mark.parametrize("minutes", [10, -10])
def test_w07_a_clock_that_is_off_is_said(minutes: int) -> None:
    date = format_datetime(NOW - timedelta(minutes=minutes), usegmt=True)
    error = refused(fault("FailedAuthentication", "x", "no", date=date))
    assert f"this computer's is 10 minutes {'ahead of' if minutes > 0 else 'behind'} it" in error.advice


def test_w07_a_clock_that_is_right_is_not_mentioned() -> None:
    date = format_datetime(NOW - timedelta(seconds=20), usegmt=True)
    assert "clock says" not in refused(fault("FailedAuthentication", "x", "no", date=date)).advice


# --- asking again ---------------------------------------------------------------------------------------------------

LOOKUP = ("RequestFailed", f"{ACTORS}cvrridcpr", "The specified request failed: cvrrid-cpr lookup failed [x]")


@pytest.mark.parametrize(
    "first",
    [
        lambda: fault(*LOOKUP),
        lambda: ConnectionFailed("nobody there"),
        lambda: OutcomeUnknown("lost", evidence="e", how_to_resolve="h"),
    ],
    ids=["look-up", "connection", "lost answer"],
)
def test_w06_what_may_be_repeated_is_asked_again_with_a_new_message(first: Callable[[], Exception | Reply]) -> None:
    fake = FakeSts(instead=[first(), first()])
    assert fake.client().issue(CARD).is_verified
    assert len(fake.asked) == 3
    assert fake.pauses == [1.0, 2.0]
    assert len({asked.body for asked in fake.asked}) == 3


@pytest.mark.parametrize(
    "reply",
    [
        lambda: fault("FailedAuthentication", f"{ACTORS}cvrridcpr", "cvrrid-cpr mismatch"),
        lambda: fault("RequestFailed", f"{ACTORS}its", "lookup failed"),
        lambda: TlsFailed("no"),
        lambda: Reply(status=502, headers={"content-type": "text/html"}, body=b"<html>Bad gateway</html>"),
    ],
    ids=["refused", "another actor", "tls", "html"],
)
def test_what_must_not_be_repeated_is_asked_once(reply: Callable[[], Exception | Reply]) -> None:
    fake = FakeSts()
    refused(reply(), sts=fake)
    assert len(fake.asked) == 1
    assert fake.pauses == []


def busy(status: int = 503, after: str = "7") -> Reply:
    return Reply(status=status, headers={"retry-after": after, "content-type": "text/html"}, body=b"<html>Busy</html>")


@pytest.mark.parametrize("status", [429, 503])
def test_w09_a_busy_service_is_left_alone_for_as_long_as_it_asks(status: int) -> None:
    fake = FakeSts(instead=[busy(status), busy(status, format_datetime(NOW + timedelta(seconds=9), usegmt=True))])
    assert fake.client().issue(CARD).is_verified
    assert fake.pauses == [7.0, 9.0]


def test_w09_nobody_waits_for_ever() -> None:
    fake = FakeSts(instead=[busy(after="999999")])
    fake.client().issue(CARD)
    assert fake.pauses == [300.0]


def test_w09_a_service_that_stays_busy_is_told() -> None:
    error = refused(*(busy() for _ in range(3)))
    assert isinstance(error, TransportError)
    assert "busy (HTTP 503)" in str(error)
    assert error.retry is Retry.SAME_REQUEST


def test_w06_after_the_last_attempt_the_doubt_is_told_and_asking_again_allowed() -> None:
    lost = [OutcomeUnknown("the link broke", evidence="e", how_to_resolve="h", endpoint="sts.test") for _ in range(3)]
    error = refused(*lost)
    assert isinstance(error, OutcomeUnknown)
    assert error.retry is Retry.SAME_REQUEST
    assert "binds nobody" in error.advice
    assert isinstance(error.__cause__, OutcomeUnknown)


def test_after_the_last_attempt_the_transports_error_comes_as_it_is() -> None:
    error = refused(*(ConnectionFailed("nobody there") for _ in range(2)), attempts=2)
    assert isinstance(error, TransportError)
    assert error.operation == "issue"


# --- what is no answer ----------------------------------------------------------------------------------------------

DEEP = b"<a>" * 300 + b"</a>" * 300
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NOT_ANSWERS = {
    "empty": b"",
    "html": b"<!DOCTYPE html><html><body>Log in</body></html>",
    "doctype": f'<!DOCTYPE a><soap:Envelope xmlns:soap="{SOAP}"><soap:Body/></soap:Envelope>'.encode(),
    "xxe": f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><soap:Envelope xmlns:soap="{SOAP}"><soap:Body>&x;'
    "</soap:Body></soap:Envelope>".encode(),
    "laughs": b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>',
    "deep": f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'.encode() + DEEP + b"</soap:Body></soap:Envelope>",
    "large": b"<a>" + b" " * (5 * 1024 * 1024) + b"</a>",
    "empty body": f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body/></soap:Envelope>'.encode(),
    "other root": b"<a/>",
    "broken": b"<soap:Envelope",
    "utf-16": "<a/>".encode("utf-16"),
}


@pytest.mark.parametrize("body", NOT_ANSWERS.values(), ids=NOT_ANSWERS.keys())
def test_w05_what_is_no_answer_is_refused(body: bytes) -> None:
    error = refused(Reply(status=200, headers={"content-type": "text/xml"}, body=body))
    assert isinstance(error, ProtocolError)
    assert (error.operation, error.endpoint) == ("issue", "sts.test:8443")


def test_an_answer_in_parts_is_read() -> None:
    """Some answer in the form meant for attachments (MTOM)."""
    boundary = "b0undary"
    kind = f'multipart/related; type="application/xop+xml"; start="<root>"; boundary="{boundary}"'

    def in_parts(content: bytes) -> bytes:
        head = f"--{boundary}\r\nContent-Type: application/xop+xml; charset=utf-8\r\nContent-ID: <root>\r\n\r\n"
        return head.encode() + content + f"\r\n--{boundary}--\r\n".encode()

    assert FakeSts(spoil=in_parts, headers={"content-type": kind}).client().issue(CARD).is_verified


def test_w10_nothing_personal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fake = FakeSts(instead=[fault(*LOOKUP), fault("FailedAuthentication", f"{ACTORS}cvrridcpr", f"mismatch {CPR}")])
    with pytest.raises(Rejected):
        fake.client().issue(CARD)
    assert CPR not in caplog.text
    assert "Person" not in caplog.text
