"""Remote paths as they go over the wire."""

from __future__ import annotations

from govfile.errors import InvalidName


def encode_path(path: str) -> bytes:
    """A remote path in UTF-8; raises `InvalidName` for what no server may be asked."""
    if not path:
        raise InvalidName("the remote path is empty")
    for mark in path:
        if mark in "\r\n\0":
            raise InvalidName(f"the remote path holds {mark!r}", advice="take the line break or NUL out")
    try:
        return path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidName("the remote path cannot be written in UTF-8") from error
