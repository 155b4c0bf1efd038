"""Line ends for transfers of type A (RFC 959, section 3.1.1.1): CRLF on the wire."""

from __future__ import annotations

import re

_LONE = re.compile(rb"(?<!\r)\n")


class LineEnds:
    """Turns each lone LF into CRLF, block by block. CRLF stays, also across blocks; a lone CR is left alone."""

    def __init__(self) -> None:
        self._after_return = False

    def translate(self, block: bytes | memoryview) -> bytes:
        """The block as it goes over the wire."""
        raw = bytes(block)
        if not raw:
            return raw
        split = self._after_return and raw[:1] == b"\n"
        self._after_return = raw[-1:] == b"\r"
        if split:
            return b"\n" + _LONE.sub(b"\r\n", raw[1:])
        return _LONE.sub(b"\r\n", raw)
