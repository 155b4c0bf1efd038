"""What is remarked on a declaration before it is sent."""

from __future__ import annotations

import attrs
import pytest

from govfile.onss import purpose
from govfile.onss.contents import remarks_on

BODY = b"<DmfAOriginal/>"


@pytest.mark.parametrize(
    "start",
    [
        BODY,
        b'<?xml version="1.0"?>' + BODY,
        b'<?xml version="1.0" encoding="UTF-8"?>\r\n' + BODY,
        b"<?xml version='1.0' encoding='utf8' standalone='yes'?>" + BODY,
        b'<?xml version="1.0" encoding="US-ASCII"?>' + BODY,
        b"",
        b'<a encoding="latin-1">',
    ],
)
def test_nothing_to_remark(start: bytes) -> None:
    assert remarks_on(start, size=len(start), purpose=purpose("DMFA")) == ()


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (b"\xef\xbb\xbf" + BODY, "byte order mark"),
        (BODY.decode().encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + BODY.decode().encode("utf-16-be"), "UTF-16"),
        (BODY.decode().encode("utf-32"), "UTF-32"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + BODY, "encoding ISO-8859-1"),
        (b'<?xml version="1.0" encoding="windows-1252"?>' + BODY, "ACRF-138"),
        (b'<?xml version="1.0" encoding="no-such-thing"?>' + BODY, "no-such-thing"),
    ],
)
def test_encodings(start: bytes, says: str) -> None:
    (remark,) = remarks_on(start, size=len(start), purpose=purpose("DMFA"))
    assert says in remark


def test_a_mark_and_an_encoding_that_contradict_each_other_are_both_told() -> None:
    start = b'\xef\xbb\xbf<?xml version="1.0" encoding="ISO-8859-1"?>' + BODY
    assert len(remarks_on(start, size=100, purpose=purpose("DMFA"))) == 2


def test_the_size_is_a_setting_of_the_purpose() -> None:
    dmfa = purpose("DMFA")
    assert remarks_on(BODY, size=35_000_000, purpose=dmfa) == ()
    (remark,) = remarks_on(BODY, size=35_000_001, purpose=dmfa)
    assert "ACRF-184" in remark
    assert remarks_on(BODY, size=35_000_001, purpose=attrs.evolve(dmfa, size_warning=40_000_000)) == ()
