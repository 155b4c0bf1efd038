"""`Claim`: what is written down before a document may leave."""

from __future__ import annotations

import os
import re
from typing import Any

import attrs

from govfile.errors import ConfigurationError, InvalidName

_SHA256 = re.compile(r"[0-9a-f]{64}")

#: The largest whole number that databases hold.
MOST = 2**63 - 1


def storable(text: str) -> str:
    """A path or a foreign name as text that any database takes: what is no Unicode, and NUL, is spelt out."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def _path(value: str | os.PathLike[str] | None) -> str | None:
    return None if value is None else storable(os.fspath(value))


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} is {type(value).__name__}, not text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidName(f"{name} holds a broken character at {error.start + 1}") from error
    if "\0" in value:
        raise InvalidName(f"{name} holds a NUL at {value.index(chr(0)) + 1}")


def _check_text(_claim: Claim, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None:
        _text(attribute.name, value)


def check_given(_claim: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """An attrs validator: text that any database holds, and not empty."""
    _text(attribute.name, value)
    if not value:
        raise ConfigurationError(f"{attribute.name} is empty")


def _check_reason(_claim: Claim, attribute: attrs.Attribute[Any], value: Any) -> None:
    """An empty reason is none: it must not file anything twice."""
    if value is not None:
        check_given(_claim, attribute, value)
        if not value.strip():
            raise ConfigurationError(f"{attribute.name} is blank", advice="say why, in words")


def _check_size(_claim: Claim, _attribute: attrs.Attribute[Any], value: Any) -> None:
    if type(value) is not int or not 0 <= value <= MOST:  # True would be stored as 1, and fit no checksum
        raise ConfigurationError(f"size is {value!r}, not a number of bytes")


def _check_sha256(_claim: Claim, _attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise ConfigurationError("sha256 is not 64 lower-case hex digits")


@attrs.frozen(kw_only=True)
class Claim:
    """A document about to be filed.

    The name is unique for ever among (`authority`, `environment`, `sender`), without regard to case. The content is
    unique among those and `service`, unless `again` gives a reason, `key` sets it apart, or it is a dry run. `size` in
    bytes and `sha256` (64 lower-case hex digits) are of the source; `filed_by` is the login, `certificate` the
    fingerprint it proves itself with, `source_path` where the document lay. `set_names` are the remote names where
    several files carry the document, in the order they are sent, `name` the last of them.

    Raises `InvalidName` for text no database holds, `ConfigurationError` for a field that is missing or of the wrong
    kind.
    """

    authority: str = attrs.field(validator=check_given)
    environment: str = attrs.field(validator=check_given)
    sender: str = attrs.field(validator=check_given)
    service: str = attrs.field(validator=check_given)
    name: str = attrs.field(validator=check_given)
    size: int = attrs.field(validator=_check_size)
    sha256: str = attrs.field(validator=_check_sha256)
    filed_by: str = attrs.field(validator=check_given)
    certificate: str = attrs.field(default="", validator=_check_text)
    is_dry_run: bool = False
    key: str | None = attrs.field(default=None, validator=_check_text)
    again: str | None = attrs.field(default=None, validator=_check_reason)
    source_path: str | None = attrs.field(default=None, converter=_path)
    set_names: tuple[str, ...] = ()
