"""Messages by Den Gode Webservice that others published: read as they are, and refused where they ought to be."""

from __future__ import annotations

import pytest

from govfile.errors import ProtocolError, TrustError
from govfile.sosi.services.fault_codes import CallRefused, FaultCode
from govfile.sosi.services.medcom import MedcomHeader, Priority
from govfile.sosi.services.provider import verify_request
from govfile.xml.unsigned import read_unsigned
from support import fake_sts
from support.repository import ROOT
from support.xml_messages import NOW

TEMPLATES = ROOT.parent / "shared" / "vectors" / "sosi" / "templates"
MEDCOM = "{http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"

pytestmark = pytest.mark.skipif(
    not TEMPLATES.is_dir(), reason="the published messages do not lie beside this checkout (../shared/vectors/sosi)"
)


def test_the_header_of_a_level_4_call_is_read_and_written_alike() -> None:
    root = read_unsigned((TEMPLATES / "dgws-level4.xml").read_bytes())
    (part,) = root.at(f"{SOAP}Header", f"{MEDCOM}Header")
    header = MedcomHeader.of(part.element)
    assert (header.security_level, header.priority, header.non_repudiation) == (4, Priority.ROUTINE, True)
    assert (header.flow_id, header.message_id) == ("aGQ5ZWxwcTA4N2ZubWM2ZA==", "amRrMDk3d2doYXB2amY2cg==")
    theirs = [name for found in part.children for name in (found.name, *(below.name for below in found.children))]
    ours = read_unsigned(header.written().encode())
    assert theirs == [
        name for found in ours.children for name in (found.name, *(below.name for below in found.children))
    ]


def test_a_level_4_call_whose_card_no_sts_signed_is_refused() -> None:
    with pytest.raises(TrustError) as refused:
        verify_request((TEMPLATES / "dgws-level4.xml").read_bytes(), trust=fake_sts.trust(), at=NOW)
    assert isinstance(refused.value, CallRefused)
    assert refused.value.fault_code is FaultCode.EXPIRED_IDCARD


def test_a_broken_call_is_refused() -> None:
    with pytest.raises(ProtocolError):
        verify_request((TEMPLATES / "dgws-invalid.xml").read_bytes(), trust=fake_sts.trust(), at=NOW)
