"""Reading SOAP answers: envelopes of both versions, faults, and all that comes instead of them."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govfile.errors import ProtocolError
from govfile.xml.parse import Limits, parse
from govfile.xml.soap import SOAP_1_1, SOAP_1_2, read_soap

XML = "text/xml; charset=utf-8"
OK = f'<s:Envelope xmlns:s="{SOAP_1_1}" xmlns:a="urn:a"><s:Header/><s:Body>{{}}</s:Body></s:Envelope>'


def ok(body: str) -> bytes:
    return OK.format(body).encode()


def test_a_message_keeps_its_bytes() -> None:
    body = b'<?xml version="1.0"?>\r\n' + ok("<a:Done  x = 'y'/>") + b"\n"
    message = read_soap(body, content_type=XML, status=200)
    assert message.xml == body
    assert message.version == "1.1"
    assert message.fault is None
    assert message.body_names == ("{urn:a}Done",)


def test_the_body_is_cut_out_as_it_came_with_the_namespaces_it_needs() -> None:
    body = ok("<!-- no --><a:Done  x = 'y'><b>&#233;</b></a:Done>")
    cut = read_soap(body, content_type=XML, status=200).body_child()
    assert cut.endswith(b"  x = 'y'><b>&#233;</b></a:Done>")
    assert parse(cut).namespace == "urn:a"


def test_ids_in_a_body_that_nobody_signed_may_stand_twice() -> None:
    body = ok('<a:List ID="x"><a:Item id="1"/><a:Item id="1"/><a:Item xmlns:o="urn:o" o:id="x"/></a:List>')
    assert read_soap(body, content_type=XML, status=200).body_names == ("{urn:a}List",)


def test_a_header_is_cut_out_by_name() -> None:
    head = f'<e:Envelope xmlns:e="{SOAP_1_2}"><e:Header><w:Action xmlns:w="urn:w">go</w:Action></e:Header><e:Body/>'
    message = read_soap(head.encode() + b"</e:Envelope>", content_type="application/soap+xml", status=200)
    assert message.version == "1.2"
    found = message.header_child("{urn:w}Action")
    assert found is not None
    assert parse(found).text == "go"
    assert message.header_child("{urn:w}To") is None
    with pytest.raises(ProtocolError, match="0 elements in its body"):
        message.body_child()


@pytest.mark.parametrize("status", [200, 500, 503])
def test_w02_a_fault_of_soap_1_1_is_read_whatever_the_status(status: int) -> None:
    fault = (
        '<s:Fault xmlns:w="urn:trust"><faultcode> w:Failed </faultcode><faultstring>No<!-- x --> way</faultstring>'
        '<faultactor>urn:sts</faultactor><detail><m:Code xmlns:m="urn:m">why</m:Code><m:Empty '
        'xmlns:m="urn:m"/></detail>'
        "</s:Fault>"
    )
    found = read_soap(ok(fault), content_type=XML, status=status).fault
    assert found is not None
    assert (found.code, found.code_name, found.code_namespace) == ("w:Failed", "Failed", "urn:trust")
    assert (found.text, found.actor) == ("No way", "urn:sts")
    assert found.detail == (("{urn:m}Code", "why"), ("{urn:m}Empty", ""))
    assert found.detail_text("Code") == "why"
    assert found.detail_text("Other") is None


def test_w02_a_fault_of_soap_1_2_is_read_with_its_subcodes() -> None:
    fault = (
        f'<e:Envelope xmlns:e="{SOAP_1_2}"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode>'
        "<e:Value>x:Bad</e:Value><e:Subcode><e:Value>Worse</e:Value></e:Subcode></e:Subcode></e:Code><e:Reason>"
        '<e:Text xml:lang="en">Not so</e:Text></e:Reason><e:Role>urn:role</e:Role><e:Detail><t/></e:Detail></e:Fault>'
        "</e:Body></e:Envelope>"
    )
    found = read_soap(fault.encode(), content_type="application/soap+xml", status=400).fault
    assert found is not None
    assert (found.code, found.code_name, found.code_namespace) == ("e:Sender", "Sender", SOAP_1_2)
    assert found.subcodes == ("Bad", "Worse")
    assert (found.text, found.actor, found.detail) == ("Not so", "urn:role", (("t", ""),))


def test_w02_a_fault_without_its_parts_is_still_a_fault() -> None:
    found = read_soap(ok("<s:Fault><faultcode>who:Knows</faultcode></s:Fault>"), content_type=XML, status=200).fault
    assert found is not None
    assert (found.code, found.code_name, found.code_namespace, found.text) == ("who:Knows", "Knows", "", "")
    empty = read_soap(ok("<s:Fault/>"), content_type=XML, status=200).fault
    assert empty is not None
    assert empty.code == ""


def test_a_fault_shows_no_personal_text_in_its_repr() -> None:
    fault = (
        "<s:Fault><faultcode>A</faultcode><faultstring>0101010101</faultstring><detail><n>Jens</n></detail></s:Fault>"
    )
    shown = repr(read_soap(ok(fault), content_type=XML, status=200))
    assert "0101010101" not in shown
    assert "Jens" not in shown


HTML = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
FAULT_AND_MORE = ok("<s:Fault><faultcode>A</faultcode></s:Fault><a:More/>")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "says"),
    [
        (HTML, "text/html", 502, "HTTP 502 with an HTML page"),
        (HTML, XML, 200, "HTTP 200 with an HTML page"),
        (b"", XML, 200, "HTTP 200 with an empty body"),
        (b" \r\n", "", 204, "HTTP 204 with an empty body"),
        (b"Bad gateway", "text/plain", 502, "11 bytes of text/plain instead"),
        (b"\x00\x01\x02", "", 200, "3 bytes of no stated type instead"),
        (b'<Done xmlns="urn:a"/>', XML, 200, "its root is {urn:a}Done"),
        (ok("")[:-10], XML, 200, "not well-formed"),
        (ok("").replace(b"s:Body", b"s:Boddy"), XML, 200, "0 bodies"),
        (ok("</s:Body><s:Body>"), XML, 200, "2 bodies"),
        (FAULT_AND_MORE, XML, 200, "something else"),
        (ok("<a:Done/>"), XML, 500, "HTTP 500 with a SOAP message that is no fault"),
        (ok("<a>é</a>"), "text/xml; charset=iso-8859-1", 200, "iso-8859-1"),
        (ok("<a/>").decode().encode("utf-16"), "text/xml; charset=utf-16", 200, "utf-16"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + ok("<a/>"), "text/xml", 200, "ISO-8859-1"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + ok("&b;"), XML, 200, "document type"),
        (ok("<a>" * 200 + "</a>" * 200), XML, 200, "levels deep"),
    ],
)
def test_w01_w05_what_is_no_soap_message_is_named_with_the_status(
    body: bytes, content_type: str, status: int, says: str
) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_soap(body, content_type=content_type, status=status)
    assert says in str(caught.value)


def test_w01_ascii_reads_the_same_in_any_charset_that_is_named() -> None:
    assert read_soap(ok("<a/>"), content_type="text/xml; charset=ISO-8859-1", status=200).body_names == ("a",)


def test_w05_size_is_bounded_before_parsing() -> None:
    with pytest.raises(ProtocolError, match="more than the 1000"):
        read_soap(ok("x" * 1000), content_type=XML, status=200, limits=Limits(size=1000))


# --- in parts ---------------------------------------------------------------------------------------------------

TYPE = 'multipart/related; type="application/xop+xml"; boundary="=_b(1)"; start="<root@x>"; start-info="text/xml"'
XOP = '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:{}"/>'


def parts(*found: tuple[str, bytes], boundary: str = "=_b(1)", end: bytes = b"--\r\n") -> bytes:
    pieces = [f"\r\n--{boundary}\r\n{headers}\r\n\r\n".encode() + content for headers, content in found]
    return b"preamble" + b"".join(pieces) + f"\r\n--{boundary}".encode() + end


ROOT = "Content-Type: application/xop+xml;\r\n charset=utf-8\r\nContent-ID: <root@x>"
BINARY = bytes(range(256)) + b"\r\n--=_b(2)\r\n\n\r"


def test_a_message_in_parts_is_put_together() -> None:
    root = ok(f"<a:Data>{XOP.format('one%40x')}</a:Data><a:Key>{XOP.format('two')}</a:Key>")
    body = parts(
        ("Content-ID: <one@x>\r\nContent-Transfer-Encoding: binary", BINARY),
        (ROOT, root),
        ("Content-ID: <two>\r\nContent-Transfer-Encoding: base64", base64.encodebytes(b"second" * 30)),
    )
    message = read_soap(body, content_type=TYPE, status=200)
    data, key = parse(message.xml).find_all("Data", "Key")
    assert base64.b64decode(data.text) == BINARY
    assert base64.b64decode(key.text) == b"second" * 30
    assert "\n" not in data.text


def test_the_first_part_is_the_root_where_none_is_named() -> None:
    body = parts(("Content-Type: text/xml", ok("<a/>")), ("Content-ID: <b>", b"else"), boundary="b")
    message = read_soap(body, content_type="multipart/related; boundary=b", status=200)
    assert message.xml == ok("<a/>")


def test_a_fault_in_parts_is_a_fault() -> None:
    root = ok("<s:Fault><faultcode>A</faultcode></s:Fault>")
    found = read_soap(parts((ROOT, root)), content_type=TYPE, status=500).fault
    assert found is not None


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        (parts((ROOT, ok("")), end=b""), TYPE, "cut short"),
        (parts((ROOT, ok(""))), "multipart/related", "no usable boundary"),
        (parts((ROOT.replace("root", "other"), ok(""))), TYPE, "named as its start"),
        (parts((ROOT, ok(f"<a>{XOP.format('gone')}</a>"))), TYPE, "a part that is not there"),
        (parts((ROOT, ok(f"<a>x{XOP.format('root@x')}</a>"))), TYPE, "beside other content"),
        (parts((ROOT + "\r\nContent-Transfer-Encoding: uuencode", ok(""))), TYPE, "transfer encoding"),
        (parts((ROOT + "\r\nContent-Transfer-Encoding: base64", b"!!")), TYPE, "not the Base64"),
        (parts((ROOT + "\r\nnonsense", ok(""))), TYPE, "a header that cannot be read"),
        (b"--=_b(1)--\r\n", TYPE, "no part"),
        (parts(*[("A: b", b"")] * 1002), TYPE, "more than 1000 parts"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(body: bytes, content_type: str, says: str) -> None:
    with pytest.raises(ProtocolError, match=says):
        read_soap(body, content_type=content_type, status=200)


def test_w01_one_part_included_many_times_does_not_grow_without_bound() -> None:
    root = ok("".join(f"<a>{XOP.format('big')}</a>" for _ in range(200)))
    body = parts((ROOT, root), ("Content-ID: <big>", b"x" * 1_000_000))
    began = time.monotonic()
    with pytest.raises(ProtocolError, match="put together"):
        read_soap(body, content_type=TYPE, status=200)
    assert time.monotonic() - began < 10


def test_w01_many_includes_take_time_by_their_number_not_by_its_square() -> None:
    written = XOP.format("one"), XOP.format("one").replace("/>", "></x:Include>")
    body = parts((ROOT, ok("<!-- <a> -->" + "".join(f"<a>{found}</a>" for found in written * 10_000))), ONE)
    began = time.process_time()
    message = read_soap(body, content_type=TYPE, status=200)
    assert time.process_time() - began < 10, "it took minutes"
    assert message.xml.count(b"<a>%b</a>" % base64.b64encode(b"content")) == 20_000


ONE = ("Content-ID: <one>", b"content")
WHOLE = parts((ROOT, ok(f"<a:Data>{XOP.format('one')}</a:Data>")), ONE)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(WHOLE)), st.integers(0, 40), st.binary(max_size=8), st.sampled_from([TYPE, XML, ""]))
def test_w01_damaged_answers_are_protocol_errors_and_nothing_else(
    at: int, removed: int, added: bytes, content_type: str
) -> None:
    damaged = WHOLE[:at] + added + WHOLE[at + removed :]
    try:
        message = read_soap(damaged, content_type=content_type, status=200)
    except ProtocolError:
        return
    assert message.version == "1.1"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_w01_whatever_the_content_type_says_is_no_crash(content_type: str) -> None:
    for kind in (content_type, f"multipart/related; boundary={content_type}"):
        try:
            assert read_soap(WHOLE, content_type=kind, status=200).version == "1.1"
        except ProtocolError as error:
            assert error.what  # noqa: PT017 either is right
