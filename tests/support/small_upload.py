"""One small upload over FTPS, for tests of all that comes before its data."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

import pytest

from govfile.filing.source import Source

if TYPE_CHECKING:
    from govfile.transports.ftps import FtpsTransport

DOCUMENT = Source.of(b"<report/>")

BOTH = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])


def put(transport: FtpsTransport) -> bool:
    """Try an upload; whether `committing` was reached."""
    committed: list[None] = []
    with contextlib.closing(transport):
        transport.put("/Udlaan/a.zip", DOCUMENT, committing=lambda: committed.append(None))
    return bool(committed)
