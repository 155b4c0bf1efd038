"""Times on the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_LOOSE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z")
_DANISH = ZoneInfo("Europe/Copenhagen")


def utc(at: datetime) -> str:
    """Whole seconds, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(at: datetime) -> str:
    """Danish time without a zone, as DGWS 1.0 has it."""
    return at.astimezone(_DANISH).strftime("%Y-%m-%dT%H:%M:%S")


def of_card(text: str, version: str) -> datetime:
    """A card's time in its version's form; raises `ValueError` for any other form."""
    pattern = _LOCAL if version == "1.0" else _UTC
    if not pattern.fullmatch(text):
        raise ValueError(f"the time {text!r} is not of DGWS {version}")
    moment = datetime.fromisoformat(text.removesuffix("Z"))
    return moment.replace(tzinfo=_DANISH if version == "1.0" else UTC).astimezone(UTC)


def for_card(at: datetime, version: str) -> str:
    """A time as cards of that version have it."""
    return local(at) if version == "1.0" else utc(at)


def loose(text: str) -> datetime:
    """A UTC time with or without fractions; raises `ValueError`."""
    found = _LOOSE.fullmatch(text)
    if found is None:
        raise ValueError(f"the time {text!r} is not in UTC")
    fraction = timedelta(seconds=float(f"0{found[2]}")) if found[2] else timedelta()
    return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) + fraction
